"""The scorecard: what of other kernels an attack affects, under which protection. Each cell is a run.

The kernels are in kernels/scorecard: one attacks, as its command line says, the others are its wards. A run
is judged from outside, against the run without an attack: bytes of the wards' fields, the wards' ends, the
records of their chips.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mksim.engine.board import Board
from mksim.errors import ConfigError, Problem
from mksim.hw.pci_config import EDU
from mksim.machine.config import Ending, Kernel, Layout, Protection
from mksim.machine.kernel import Life
from mksim.machine.machine import Machine
from mksim.machine.remapping import Iommu
from mksim.spec.memmap import PAGE

CONFIG = Path(__file__).parents[2] / "kernels/scorecard/config.toml"
ATTACKER = "attacker"

ATTACKS = {
    "read memory": "read",
    "write memory": "write",
    "execute memory": "execute",
    "walk its page table": "walk",
    "IPI": "ipi",
    "IPI to all others": "broadcast",
    "NMI": "nmi",
    "SMI": "smi",
    "INIT": "init",
    "flood of IPIs": "flood",
    "I/O APIC entry": "redirect",
    "legacy chips": "legacy",
    "UART": "uart",
    "device registers": "device",
    "PCI configuration": "configure",
    "BAR over another's": "overlap",
    "DMA read": "dma-read",
    "DMA write": "dma-write",
    "flood of DMA": "dma-flood",
    "DMA over its image": "dma-image",
    "DMA, IOMMU off": "unmap",
    "forged MSI": "forge",
    "flood of MSIs": "msi-flood",
    "MSR: the clock": "clock",
    "triple fault": "triple-fault",
    "board reset": "reset",
}
"""Attacks, and the word for each on the attacker's command line."""

PROTECTIONS = {
    "trust": (Protection.TRUST, None, ""),
    "blind": (Protection.TRUST, None, "blind"),
    "iommu": (Protection.TRUST, Iommu(interrupt_remapping=False), ""),
    "iommu+remapping": (Protection.TRUST, Iommu(), ""),
    "guard": (Protection.GUARD, None, ""),
}
"""Columns: what the machine does, its IOMMU, which the firmware sets up, and a word for the attacker.

Blind: its page tables map its own alone. Remapping: of interrupts too.
"""

@dataclass(frozen=True, slots=True)
class Affected:
    """What of other kernels: pages read, run or changed, cores that noticed or stopped, devices changed."""

    pages: int = 0
    cores: int = 0
    devices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pages or self.cores or self.devices)

    def __str__(self) -> str:
        parts = ((self.pages, "page"), (self.cores, "core"), (len(self.devices), "device"))
        return ", ".join(f"{count} {name}{'s' * (count > 1)}" for count, name in parts if count) or "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """One run."""

    attack: str
    protection: str
    affected: Affected
    violations: int


def cells(layout: Layout, told: Callable[[str], None]) -> Iterator[Cell]:
    """Run all attacks under all protections, and yield each cell; `told` hears what is next.

    ConfigError where the kernels do not even end well without an attack.
    """
    for protection in PROTECTIONS:
        calm = _run(layout, "", protection)
        for life in calm.lives:
            if not life.as_expected:
                what = f"ends by {life.reason} without an attack: build it again, by make"
                raise ConfigError([Problem(str(layout.path), f"kernel.{life.kernel.name}", what)])
        for attack, word in ATTACKS.items():
            told(f"{attack}, {protection}")
            machine = _run(layout, word, protection)
            yield Cell(attack, protection, affected(calm, machine), machine.ledger.violations)


def _run(layout: Layout, word: str, protection: str) -> Machine:
    guard, iommu, more = PROTECTIONS[protection]
    arm = partial(_armed, words=f" {word} {more}")
    kernels = tuple(arm(kernel) if kernel.name == ATTACKER else kernel for kernel in layout.kernels)
    machine = Machine(replace(layout, kernels=kernels, protection=guard, iommu=iommu))
    while machine.run() is None:
        pass
    return machine


def _armed(kernel: Kernel, words: str) -> Kernel:
    return replace(kernel, cmdline=kernel.cmdline + words)


def affected(calm: Machine, machine: Machine) -> Affected:
    """Return what a run differs in from the calm one, as far as it is others' than the attacker's."""
    wards = [life for life in machine.lives if life.kernel.name != ATTACKER]
    attacker = next(life for life in machine.lives if life.kernel.name == ATTACKER)
    changed = sum(_changed_pages(calm, machine, life) for life in wards)
    return Affected(
        pages=max(changed, _loot(attacker)),
        cores=sum(life.ending is not Ending.EXIT or life.exit_code != 0 for life in wards),
        devices=_changed_devices(calm, machine, attacker.kernel.id),
    )


def _loot(attacker: Life) -> int:
    """Return the number of pages whose secrets the attacker says that it has."""
    return (attacker.exit_code or 0) if attacker.ending is Ending.EXIT else 0


FIELD, FIELD_PAGES = 0x300000, 64
"""As in kernels/scorecard/field.h."""


def _changed_pages(calm: Machine, machine: Machine, life: Life) -> int:
    base = life.kernel.memory[0].base + FIELD
    before, after = (
        one.board.memory[base : base + FIELD_PAGES * PAGE].reshape(-1, PAGE) for one in (calm, machine)
    )
    return int((before != after).any(axis=1).sum())


def _changed_devices(calm: Machine, machine: Machine, attacker: int) -> tuple[str, ...]:
    pairs = zip(_devices(calm.board), _devices(machine.board), strict=True)
    return tuple(
        name for (name, owner, before), (_, _, after) in pairs if owner != attacker and before != after
    )


def _devices(board: Board) -> Iterator[tuple[str, int, bytes]]:
    """Yield name, owner and state of every device."""
    legacy = int(board.machine["legacy_kernel"][0])
    for name, chip in (("8259", board.pic), ("8254", board.pit), ("RTC", board.rtc), ("HPET", board.hpet)):
        yield name, legacy, chip.tobytes()
    for unit, owner in enumerate(board.ioapic_owner):
        yield f"I/O APIC {unit}", int(owner), board.ioapics[unit].tobytes()
    for unit, wire in enumerate(board.uart_wires):
        yield f"UART {unit}", int(wire["owner"]), board.uarts[unit].tobytes()
    for index, function in enumerate(board.functions):
        behind = board.edus[function["unit"]].tobytes() if function["kind"] == EDU else b""
        yield f"PCI function {index}", int(function["owner"]), function.tobytes() + behind
