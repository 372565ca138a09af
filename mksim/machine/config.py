"""The layout of one machine: who owns what. Frozen, valid by construction: to hold one is to have the proof.

`mksim.machine.reading.read_layout` makes one from a TOML file; a test may as well spell one out.
All times are in cycles, all sizes in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from mksim.boot.image import Image
from mksim.errors import ConfigError
from mksim.fabric.ownership import Rights, Signal
from mksim.machine.claims import clashes
from mksim.spec.span import Span

TABLES_SIZE = 0x10000
"""The top of a kernel's first span is where the firmware puts its ACPI tables and boot structures."""


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
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """The ending a config expects of a kernel; `code` only where it is an exit."""

    ending: Ending
    code: int | None = None

    def __str__(self) -> str:
        return self.ending.value if self.code is None else f"{self.ending.value} {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uart:
    """A kernel's console: a 16550A at eight ports from `base`, and its ISA interrupt line if it has one."""

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
    """One page below 1 MiB for the trampoline of its SIPIs; not listed in `memory`."""
    load_offset: int = 0
    """Added to all of the image's addresses when it is loaded."""
    console: Uart | None = None
    ports: tuple[range, ...] = ()
    """All of them, the console's and the legacy chips' among them."""
    legacy: bool = False
    """Whether it owns the 8259 pair, the 8254, the RTC and port 0x61."""
    ioapic: int | None = None
    modules: tuple[Module, ...] = ()
    expect: Expect = Expect(ending=Ending.EXIT, code=0)
    restarts: int = 0
    restart_after: int = 0

    @property
    def boot_core(self) -> int:
        return self.cores[0]

    @property
    def owned(self) -> tuple[Span, ...]:
        """All its memory, the low page included, in address order."""
        low = () if self.low_page is None else (self.low_page,)
        return tuple(sorted((*self.memory, *low)))

    @property
    def tables(self) -> Span:
        return Span(self.memory[0].end - TABLES_SIZE, TABLES_SIZE)

    @property
    def entry(self) -> int:
        """The physical address that its boot core starts at."""
        return self.image.entry + self.load_offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Memory that several kernels share, each with its own rights."""

    name: str
    span: Span
    rights: Mapping[str, Rights]
    """By kernel name."""
    watch: bool = False
    """Whether each access is recorded as a granted crossing."""


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
        if problems := tuple(clashes(self)):
            raise ConfigError(problems)

    def kernel(self, name: str) -> Kernel:
        """Return the kernel of that name; KeyError if there is none."""
        for kernel in self.kernels:
            if kernel.name == name:
                return kernel
        raise KeyError(name)
