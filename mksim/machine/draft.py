"""A kernel while its layout is worked out, and what it gets of things that come in ones: cores and chips.

Each step takes all drafts, because what one kernel names is not for another to be given. What cannot be had
is reported, and the draft goes on without it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from mksim.boot.image import Image, Protocol, Segment
from mksim.fabric.ownership import Rights
from mksim.machine.config import Kernel, Module, Uart
from mksim.machine.schema import Problems
from mksim.machine.units import runs
from mksim.machine.values import CORES_MAX
from mksim.spec.memmap import HIGH_DRAM, IRQ_COM, PORT_COM, PORT_MULTIPORT
from mksim.spec.span import Span

_NOTHING = Segment(span=Span(HIGH_DRAM, 1), virtual=0, data=memoryview(b""), rights=Rights.NONE)
NO_IMAGE = Image(protocol=Protocol.PVH, entry=HIGH_DRAM, segments=(_NOTHING,), raw=memoryview(b""))
"""Stands for the image of a draft that has none; no layout ever holds it."""

PLAIN = ("cmdline", "expect", "restarts", "ports", "shares")
"""Keys that a kernel has as it asked for them."""


@dataclass(slots=True)
class Draft:
    """What a kernel asked for, by key, and what it got so far."""

    id: int
    name: str
    asked: dict[str, Any]
    path: Path = Path()
    image: Image = NO_IMAGE
    cores: tuple[int, ...] = ()
    memory: tuple[Span, ...] = ()
    low_page: Span | None = None
    load_offset: int = 0
    low_parameters: Span | None = None
    console: Uart | None = None
    serial: tuple[Uart, ...] = ()
    legacy: bool = False
    vga: bool = False
    ioapic: int | None = None
    modules: tuple[Module, ...] = ()
    files: list[tuple[Path, str, bytes]] = field(default_factory=list)
    """Of the modules: path, command line, contents."""
    wanted: list[Span | int | None] = field(default_factory=list)
    """Its memory in the config's order: spans, and sizes that are yet to be placed; None could not be."""

    def key(self, name: str) -> str:
        return f"kernel.{self.name}.{name}"

    def kernel(self, rate: int) -> Kernel:
        """Return the kernel that this draft has become, complete or not."""
        plain = {name: self.asked[name] for name in PLAIN if name in self.asked}
        return Kernel(
            id=self.id,
            name=self.name,
            path=self.path,
            image=self.image,
            cores=self.cores,
            memory=self.memory,
            low_page=self.low_page,
            load_offset=self.load_offset,
            low_parameters=self.low_parameters,
            console=self.console,
            serial=self.serial,
            legacy=self.legacy,
            vga=self.vga,
            ioapic=self.ioapic,
            modules=self.modules,
            restart_after=int(self.asked.get("restart_after", 0) * rate),
            **plain,
        )

    @property
    def whole(self) -> bool:
        """Whether image and memory are all that was asked for, so that one can be judged by the other."""
        return self.image is not NO_IMAGE and "memory" in self.asked and None not in self.wanted


Drafts = Sequence[Draft]


@dataclass(slots=True)
class WindowDraft:
    """A window that is yet to be placed, and its key in the config."""

    where: str
    asked: dict[str, Any]
    rights: dict[str, Rights]
    span: Span | None = None

    @property
    def wanted(self) -> Span | int | None:
        found: Span | int | None = self.asked.get("memory")
        return found


def give_cores(drafts: Drafts, machine: dict[str, Any], problems: Problems) -> int:
    """Give each kernel the cores it names, or the lowest that nobody names; return how many there are."""
    named = {core for draft in drafts for core in _named(draft)}
    total = len(machine.get("apic_ids") or ()) or machine.get("cores") or _needed(drafts, named)
    free = [core for core in range(total) if core not in named]
    for draft in drafts:
        asked = draft.asked.get("cores", 0)
        if isinstance(asked, tuple):
            draft.cores = _existing(draft, asked, total, problems)
        else:
            draft.cores, free = tuple(free[:asked]), free[asked:]
            if len(draft.cores) < asked:
                have = f"{len(draft.cores)} of the machine's {total} are left (machine.cores)"
                problems.add(draft.key("cores"), f"asks for {asked}, but {have}")
    return total


def _named(draft: Draft) -> tuple[int, ...]:
    asked = draft.asked.get("cores")
    return asked if isinstance(asked, tuple) else ()


def _needed(drafts: Drafts, named: set[int]) -> int:
    counts = (draft.asked.get("cores", 0) for draft in drafts if not _named(draft))
    return min(max(max(named, default=0) + 1, len(named) + sum(counts)), CORES_MAX)


def _existing(draft: Draft, asked: tuple[int, ...], total: int, problems: Problems) -> tuple[int, ...]:
    if absent := [core for core in asked if core >= total]:
        have = f"the machine has cores {runs(range(total))} (machine.cores)"
        problems.add(draft.key("cores"), f"names {runs(sorted(absent))}, but {have}")
    return tuple(core for core in asked if core < total)


def give_consoles(drafts: Drafts) -> None:
    """Give each kernel its UARTs: those it names, or for a console the first that nobody names."""
    named = {draft.asked.get("console") for draft in drafts}
    named |= {index for draft in drafts for index in draft.asked.get("serial", ())}
    free = (index for index in count() if index not in named)
    for draft in drafts:
        asked = draft.asked.get("console", "none")
        if asked != "none":
            draft.console = uart(next(free) if asked == "auto" else asked)
        draft.serial = tuple(uart(index) for index in draft.asked.get("serial", ()))


def uart(index: int) -> Uart:
    """Return the UART of that number: COM1 to COM4 where PCs have them, others on the multiport card."""
    if index < len(PORT_COM):
        return Uart(index=index, base=PORT_COM[index], irq=IRQ_COM[index])
    return Uart(index=index, base=PORT_MULTIPORT + 8 * (index - len(PORT_COM)), irq=None)


def give_chips(drafts: Drafts, ioapics: int, problems: Problems) -> None:
    """Give the legacy chips to those who ask, else to the first kernel; I/O APICs and the screen likewise."""
    someone = any(draft.asked.get("legacy") for draft in drafts)
    for draft in drafts:
        draft.legacy = bool(draft.asked.get("legacy", False))
        draft.ioapic = draft.asked.get("ioapic")
        if draft.ioapic is not None and draft.ioapic >= ioapics:
            problems.add(draft.key("ioapic"), f"names {draft.ioapic}, but machine.ioapics is {ioapics}")
    if drafts and not someone and drafts[0].asked.get("legacy", False) is None:
        drafts[0].legacy = True
    _give_first_ioapic(drafts, ioapics)
    _give_screen(drafts)


def _give_screen(drafts: Drafts) -> None:
    """Give the text screen to who asks for it, else to the owner of the legacy chips."""
    for draft in drafts:
        draft.vga = bool(draft.asked.get("vga", False))
    owner = next((draft for draft in drafts if draft.legacy), None)
    if owner and owner.asked.get("vga", False) is None and not any(draft.vga for draft in drafts):
        owner.vga = True


def _give_first_ioapic(drafts: Iterable[Draft], ioapics: int) -> None:
    """Give I/O APIC 0, if nobody names it, to the owner of the legacy chips, whose interrupts it takes."""
    if ioapics and not any(draft.ioapic == 0 for draft in drafts):
        owner = next((draft for draft in drafts if draft.legacy and draft.ioapic is None), None)
        if owner:
            owner.ioapic = 0
