"""Who owns what: pages, ports and cores, and who was granted what of another's.

Plain arrays, because native hooks index them. A page, port or core belongs to a kernel (its id), or to one of
the owners below zero. A grant is a bit: of a page to a kernel in `rights`, of a vector to a sender in
`vectors`.
"""

from collections.abc import Iterable, Mapping
from enum import IntFlag

import numpy as np

from mksim.spec.memmap import PAGE_SHIFT
from mksim.spec.span import Span

NOBODY = -1
SHARED = -2
FIRMWARE = -3

OWNER_NAMES = {NOBODY: "nobody", SHARED: "shared", FIRMWARE: "firmware"}

PORTS = 1 << 16
OWN_PORTS = (
    range(0x60, 0x61),  # keyboard controller: data
    range(0x64, 0x65),  # and commands, its reset pulse among them
    range(0x80, 0x81),  # POST code
    range(0x92, 0x93),  # system control port A: A20, reset
    range(0xE0, 0xE4),  # test device: a word that keeps what is written
    range(0xE9, 0xEA),  # debug console
    range(0xF4, 0xF8),  # isa-debug-exit, four bytes as in QEMU
    range(0xF8, 0xFC),  # hand-off from the firmware
    range(0x510, 0x512),  # firmware configuration
    range(0x600, 0x60E),  # ACPI: PM1a event and control, PM timer, sleep control and status
    range(0xCF9, 0xCFA),  # reset control
    range(0x2000, 0x2018),  # test device: the I/O APIC's lines
)
"""Ports at which every kernel has a chip of its own: who powers off or resets there does so to itself."""

VECTORS = 256


class Rights(IntFlag):
    """What a kernel may do to a page."""

    NONE = 0
    R = 1
    W = 2
    X = 4
    ALL = 7


class Signal(IntFlag):
    """Messages that carry no vector for the receiver's IDT; doorbells grant them one by one."""

    NONE = 0
    NMI = 1
    INIT = 2
    SIPI = 4
    ALL = 7


class Ownership:
    """The machine's title deeds. Whatever is not entered belongs to nobody and is granted to nobody.

    Arrays, `n` kernels:
        pages    int16 [DRAM pages]      owner of each page
        rights   uint8 [n, DRAM pages]   Rights of each kernel to each page; ALL on its own
        ports    int16 [65536]           owner; SHARED where every kernel has a port of its own at this number
        cores    int16 [cores]           owner
        vectors  uint64 [n, n, 4]        bitmap of the vectors that [sender] may send to [receiver]'s cores
        signals  uint8 [n, n]            Signal bits, likewise
        port_grants  uint8 [n, 8192]     bitmap of the ports of others that each kernel may touch
    """

    def __init__(self, *, memory: int, cores: int, kernels: int) -> None:
        pages = memory >> PAGE_SHIFT
        self.pages = np.full(pages, NOBODY, np.int16)
        self.rights = np.zeros((kernels, pages), np.uint8)
        self.ports = np.full(PORTS, NOBODY, np.int16)
        self.cores = np.full(cores, NOBODY, np.int16)
        self.vectors = np.zeros((kernels, kernels, VECTORS // 64), np.uint64)
        self.signals = np.zeros((kernels, kernels), np.uint8)
        self.port_grants = np.zeros((kernels, PORTS // 8), np.uint8)
        for kernel in range(kernels):
            self.allow(kernel, kernel, range(VECTORS), Signal.ALL)

    def own(self, span: Span, owner: int) -> None:
        """Give whole pages to `owner`: a kernel, FIRMWARE or NOBODY. Rights of others to them end."""
        if (self.pages[span.pages] != NOBODY).any():
            self.rights[:, span.pages] = Rights.NONE
        self.pages[span.pages] = owner
        if owner >= 0:
            self.rights[owner, span.pages] = Rights.ALL

    def share(self, span: Span, rights: Mapping[int, Rights]) -> None:
        """Make whole pages a window that each kernel of `rights` may use as far as its rights go."""
        self.own(span, SHARED)
        for kernel, granted in rights.items():
            self.rights[kernel, span.pages] = granted

    def own_ports(self, ports: range, owner: int) -> None:
        self.ports[ports.start : ports.stop] = owner

    def share_ports(self, ports: Iterable[int], kernel: int) -> None:
        """Grant `kernel` these ports, whoever owns them."""
        for port in ports:
            self.port_grants[kernel, port >> 3] |= np.uint8(1 << (port & 7))

    def own_cores(self, cores: Iterable[int], owner: int) -> None:
        self.cores[list(cores)] = owner

    def allow(
        self, sender: int, receiver: int, vectors: Iterable[int], signals: Signal = Signal.NONE
    ) -> None:
        """Grant `sender` these vectors and signals to `receiver`'s cores, on top of what it has."""
        for vector in vectors:
            self.vectors[sender, receiver, vector >> 6] |= np.uint64(1 << (vector & 63))
        self.signals[sender, receiver] |= np.uint8(signals)

    def may_send(self, sender: int, receiver: int, vector: int) -> bool:
        return bool(int(self.vectors[sender, receiver, vector >> 6]) >> (vector & 63) & 1)

    def may_signal(self, sender: int, receiver: int, signal: Signal) -> bool:
        return int(self.signals[sender, receiver]) & signal == signal
