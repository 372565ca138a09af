"""The layout of one machine: who owns what. Frozen, valid by construction: to hold one is to have the proof.

`mksim.machine.reading.read_layout` makes one from a TOML file; a test may as well spell one out.
All times are in cycles, all sizes in bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from mksim.boot.image import Image, Protocol
from mksim.errors import ConfigError, Problem
from mksim.fabric.ownership import OWN_PORTS, Rights, Signal
from mksim.machine.claims import Claim, Space, board, clashes
from mksim.machine.devices import Device, misplaced, segments
from mksim.machine.fit import misfits, tables_of
from mksim.machine.remapping import Iommu, Unit, end_of_tables, misowned, units
from mksim.machine.wiring import Wire, WireEnd, loose_ends
from mksim.spec import vga
from mksim.spec.memmap import PAGE, PORT_VGA
from mksim.spec.partition import MKPT_DOORBELL, MKPT_WINDOW, TABLES_SIZE
from mksim.spec.span import Span

LEGACY_PORTS = (
    range(0x20, 0x22),  # 8259 master
    range(0x40, 0x44),  # 8254
    range(0x61, 0x62),  # its gate and output: system control port B
    range(0x70, 0x72),  # RTC
    range(0xA0, 0xA2),  # 8259 slave
    range(0x4D0, 0x4D2),  # edge or level, per line of the 8259s
    range(0xCF8, 0xCF9),  # PCI configuration, around the reset control that everybody has
    range(0xCFA, 0xD00),
)
"""Ports of the chips of which a board has one each."""

VGA_PORTS = range(PORT_VGA, PORT_VGA + vga.PORTS)


class Protection(Enum):
    """What the hardware does about a crossing without a grant; it is recorded either way."""

    TRUST = "trust"
    """It happens, as on the boards of today."""
    GUARD = "guard"
    """It does not happen, and the offender gets a machine check."""


class TripleFault(Enum):
    """What a triple fault takes down."""

    KERNEL = "kernel"
    MACHINE = "machine"


class Ending(Enum):
    """How a kernel's life can end, as far as a config may expect it."""

    EXIT = "exit"
    TRIPLE_FAULT = "triple fault"
    HALT = "halt"
    POWER_OFF = "power off"
    RESET = "reset"
    MACHINE_CHECK = "machine check"
    SAYS = "says"
    """Its console shows a text, and with that its time is over."""
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """The ending a config expects of a kernel; `code` only where it is an exit, `text` where it says that."""

    ending: Ending
    code: int | None = None
    text: str = ""

    def __str__(self) -> str:
        detail = self.text if self.code is None else str(self.code)
        return f"{self.ending.value} {detail}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Uart:
    """A 16550A of a kernel's: eight ports from `base`, and its ISA interrupt line if it has one."""

    index: int
    """0 is COM1; from 4 on it sits on the multiport card."""
    base: int
    irq: int | None

    @property
    def name(self) -> str:
        return f"com{self.index + 1}"

    @property
    def ports(self) -> range:
        return range(self.base, self.base + 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A file handed to a kernel with its image, and where in the kernel's memory it goes."""

    path: Path
    cmdline: str
    span: Span
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Everything one kernel owns; what is not listed here it cannot reach."""

    id: int
    name: str
    path: Path
    """The file `image` was read from."""
    image: Image
    cores: tuple[int, ...]
    """Core indices, not APIC IDs; the first is the boot core."""
    memory: tuple[Span, ...]
    """The first is at or above 1 MiB: the image's if it is relocatable, and the tables'."""
    cmdline: str = ""
    low_page: Span | None = None
    """Below 1 MiB, for the trampoline of its SIPIs, beside its `memory`: a page, or what its image needs."""
    load_offset: int = 0
    """Added to all of the image's addresses when it is loaded."""
    low_parameters: Span | None = None
    """Below 1 MiB: where a multiboot kernel finds what it is told, if not among its tables."""
    console: Uart | None = None
    serial: tuple[Uart, ...] = ()
    """Further ones, for wires."""
    ports: tuple[range, ...] = ()
    """Further ones, beside the console's and the legacy chips'."""
    shares: tuple[range, ...] = ()
    """Ports of others that it may touch; each touch is recorded as a granted crossing."""
    legacy: bool = False
    """Whether it owns the 8259 pair, the 8254, the RTC and port 0x61, LEGACY_PORTS; the HPET, and PCI."""
    vga: bool = False
    """Whether it owns the text screen and the VGA's ports."""
    ioapic: int | None = None
    modules: tuple[Module, ...] = ()
    expect: Expect = Expect(ending=Ending.EXIT, code=0)
    restarts: int = 0
    restart_after: int = 0

    @property
    def boot_core(self) -> int:
        return self.cores[0]

    @property
    def uarts(self) -> tuple[Uart, ...]:
        """All its UARTs, the console first."""
        return self.serial if self.console is None else (self.console, *self.serial)

    @property
    def owned(self) -> tuple[Span, ...]:
        """All its memory, the low page included, in address order."""
        return tuple(sorted(claim.span for claim in self.claims if claim.space is Space.MEMORY))

    @property
    def owned_ports(self) -> tuple[range, ...]:
        """All its ports; what every kernel has for itself (OWN_PORTS) is not among them."""
        spans = (claim.span for claim in self.claims if claim.space is Space.PORTS)
        return tuple(range(span.base, span.end) for span in spans)

    @property
    def tables(self) -> Span:
        """The top of its first span, where the firmware puts its ACPI tables and boot structures."""
        return tables_of(self.memory[0])

    @property
    def entry(self) -> int:
        """The physical address that its boot core starts at."""
        return self.image.entry + self.load_offset

    @property
    def parameters(self) -> Span | None:
        """Where its boot protocol's own structures go, if not among its tables."""
        if self.image.parameters:
            return Span(self.image.parameters + self.load_offset, PAGE)
        return self.low_parameters

    @property
    def arguments(self) -> str:
        """Its command line as it finds it: a multiboot kernel's begins with its image, as by GRUB or QEMU."""
        if self.image.protocol is not Protocol.MULTIBOOT:
            return self.cmdline
        return f"{self.path.name} {self.cmdline}".rstrip()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All that is its own."""
        rows = (
            (Space.MEMORY, "memory", self.memory, ""),
            (Space.MEMORY, "memory", self._apart(self.low_page), "its page for SIPIs"),
            (Space.CORES, "cores", (Span(core, 1) for core in self.cores), ""),
            (Space.PORTS, "console", () if self.console is None else _spans(self.console.ports), ""),
            (Space.PORTS, "serial", _spans(*(uart.ports for uart in self.serial)), ""),
            (Space.PORTS, "ports", _own(self.ports), ""),
            (Space.PORTS, "legacy", _spans(*LEGACY_PORTS) if self.legacy else (), "a PC's chips"),
            (Space.PORTS, "vga", _spans(VGA_PORTS) if self.vga else (), "the VGA"),
            (Space.IOAPICS, "ioapic", () if self.ioapic is None else (Span(self.ioapic, 1),), ""),
        )
        return tuple(
            Claim(space, self.name, f"kernel.{self.name}.{key}", span, why)
            for space, key, spans, why in rows
            for span in spans
        )

    def _apart(self, page: Span | None) -> tuple[Span, ...]:
        return () if page is None or any(span.holds(page) for span in self.memory) else (page,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Memory that several kernels share, each with its own rights."""

    name: str
    span: Span
    rights: Mapping[str, Rights]
    """By kernel name."""
    watch: bool = False
    """Whether each access is recorded as a granted crossing."""

    @property
    def claim(self) -> Claim:
        return Claim(Space.MEMORY, f"window {self.name}", f"window.{self.name}.memory", self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorbell:
    """What one kernel may send to the cores of another: vectors, or one of the signals."""

    sender: str
    receiver: str
    vectors: range = range(0)
    signals: Signal = Signal.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One machine, divided. No two parties own the same page, port, core or I/O APIC."""

    path: Path
    memory: int
    apic_ids: tuple[int, ...]
    """By core index."""
    kernels: tuple[Kernel, ...]
    """By kernel id."""
    windows: tuple[Window, ...] = ()
    doorbells: tuple[Doorbell, ...] = ()
    wires: tuple[Wire, ...] = ()
    devices: tuple[Device, ...] = ()
    iommu: Iommu | None = None
    rate: int = 1_000_000_000
    """Cycles per second of virtual time."""
    latency: int = 1_000
    """Of a message between kernels."""
    protection: Protection = Protection.GUARD
    seed: int = 1
    on_triple_fault: TripleFault = TripleFault.KERNEL
    ioapics: int = 1
    until: int | None = None
    expected_violations: int | None = 0
    """None where any number will do."""

    def __post_init__(self) -> None:
        if problems := tuple(laws(self)):
            raise ConfigError(problems)

    def nanoseconds(self, cycles: int) -> int:
        """Return cycles as virtual time."""
        return cycles * 1_000_000_000 // self.rate

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Who says that what is his: the board, then each kernel, then each window."""
        return claims_on(self.memory, self.kernels, self.windows)

    @property
    def segments(self) -> Mapping[str, int]:
        """The PCI segment of each kernel that has one, by its name."""
        return segments(self.kernels, self.devices, with_ioapics=self.iommu is not None)

    @property
    def iommus(self) -> tuple[Unit, ...]:
        return tuple(units(self.iommu, self.kernels, self.segments, len(self.windows), self.memory))

    @property
    def dram(self) -> int:
        """All of it: what the config says, and above that the firmware's tables for the IOMMU."""
        return end_of_tables(self.iommus, self.memory)

    @property
    def screen_owner(self) -> Kernel | None:
        return next((kernel for kernel in self.kernels if kernel.vga), None)

    def kernel(self, name: str) -> Kernel:
        """Return the kernel of that name; KeyError if there is none."""
        for kernel in self.kernels:
            if kernel.name == name:
                return kernel
        raise KeyError(name)


def claims_on(memory: int, kernels: Iterable[Kernel], windows: Iterable[Window]) -> tuple[Claim, ...]:
    """Return all claims on a machine with that much memory, in the order in which clashes are told."""
    kernels = tuple(kernels)
    kernel_claims = (claim for kernel in kernels for claim in kernel.claims)
    fixed = board(memory, firmware_stays=firmware_stays(kernels))
    return (*fixed, *kernel_claims, *(window.claim for window in windows))


def firmware_stays(kernels: Sequence[Kernel]) -> bool:
    """Tell whether the firmware may have work after the first hand-off, and so needs its memory."""
    return len(kernels) != 1 or kernels[0].restarts > 0 or kernels[0].cores[:1] != (0,)


def laws(layout: Layout) -> Iterator[Problem]:
    """Yield every way in which a layout is none."""
    file = str(layout.path)
    yield from clashes(file, layout.claims)
    if len({kernel.name for kernel in layout.kernels}) < len(layout.kernels):
        yield Problem(file, "kernel", "two kernels have the same name")
    for index, kernel in enumerate(layout.kernels):
        if kernel.id != index or not kernel.cores or max(kernel.cores) >= len(layout.apic_ids):
            yield Problem(file, f"kernel.{kernel.name}", "is out of order, or has cores that are not there")
        for key, text in misfits(kernel.image, kernel.memory, kernel.load_offset):
            yield Problem(file, f"kernel.{kernel.name}.{key}", text)
    for name, need in tables_needs(layout).items():
        if need > TABLES_SIZE:
            told = f"needs {need:#x} bytes of tables for its windows, doorbells, modules and command lines"
            yield Problem(file, f"kernel.{name}", f"{told}, but {TABLES_SIZE:#x} is what there is")
    for where, name in _strangers(layout):
        yield Problem(file, where, f"names {name}, which is no kernel")
    remapping = misowned(layout.iommu, layout.kernels, layout.dram, len(layout.iommus))
    for where, text in (*misplaced(layout.devices, layout.kernels, layout.windows), *remapping):
        yield Problem(file, where, text)
    for where, text in loose_ends(layout.wires, uarts_of(layout.kernels)):
        yield Problem(file, where, text)


def uarts_of(kernels: Iterable[Kernel]) -> set[WireEnd]:
    """Return all that wires can be plugged into."""
    return {WireEnd(kernel.name, uart.index) for kernel in kernels for uart in kernel.uarts}


def tables_needs(layout: Layout) -> dict[str, int]:
    """Return an upper bound of what the firmware writes into each kernel's tables area, by its name."""
    needs = {kernel.name: own_needs(kernel) for kernel in layout.kernels}
    ends = [(bell.sender, MKPT_DOORBELL.itemsize) for bell in layout.doorbells]
    ends += [(bell.receiver, MKPT_DOORBELL.itemsize) for bell in layout.doorbells]
    ends += [(name, MKPT_WINDOW.itemsize + MAP_ENTRY) for window in layout.windows for name in window.rights]
    for name, size in ends:
        needs[name] = needs.get(name, 0) + size
    return needs


FIXED_TABLES = 0x2000
"""FADT, FACS, DSDT, SPCR, MKPT's head, the boot protocol's structures: a good 1 KiB, and room to grow."""
PAGE_TABLES = 0x7000
"""Of a kernel that is entered in 64-bit mode: 4 GiB in large pages, and up to a page of alignment."""
MAP_ENTRY = 48
"""A range of memory, in the PVH map or the multiboot map and in ours."""
MODULE_ENTRY = 32
MADT_ENTRY = 16
UART_ENTRY = 112
"""In the DSDT and in MKPT."""


def own_needs(kernel: Kernel) -> int:
    """Return an upper bound of the same without what comes of windows and doorbells."""
    strings = [kernel.arguments, *(module.cmdline for module in kernel.modules)]
    listed = len(kernel.memory) * MAP_ENTRY + len(kernel.modules) * MODULE_ENTRY
    listed += len(kernel.cores) * MADT_ENTRY + len(kernel.uarts) * UART_ENTRY
    paging = PAGE_TABLES if kernel.image.protocol is Protocol.LINUX else 0
    return FIXED_TABLES + paging + listed + sum(len(text) + 1 for text in strings)


def _strangers(layout: Layout) -> Iterator[tuple[str, str]]:
    names = {kernel.name for kernel in layout.kernels}
    for window in layout.windows:
        yield from ((f"window.{window.name}.rights", name) for name in window.rights if name not in names)
    for index, doorbell in enumerate(layout.doorbells):
        ends = (("from", doorbell.sender), ("to", doorbell.receiver))
        yield from ((f"doorbell[{index}].{end}", name) for end, name in ends if name not in names)


def _spans(*ports: range) -> Iterator[Span]:
    return (Span.between(some.start, some.stop - 1) for some in ports)


def _own(ports: Iterable[range]) -> Iterator[Span]:
    """Yield what is left of ports when those that every kernel has for itself are cut out."""
    spans = tuple(_spans(*ports))
    for common in _spans(*OWN_PORTS):
        spans = tuple(rest for span in spans for rest in span.without(common))
    return iter(spans)
