"""All that native code reads and writes, allocated once: the arrays of one machine, linked by address.

`Board` knows sizes, not layouts: who owns what is written into its arrays by `machine.build`.
"""

import mmap
from collections.abc import Iterator

import numpy as np

from mksim.clock.time import NEVER
from mksim.engine import schedule
from mksim.engine.cpustate import ENV_SIZE
from mksim.engine.interrupts import HEAP
from mksim.engine.records import (
    CONSOLE_BYTE,
    CONSOLE_SIZE,
    CORE,
    DMA_FAULT,
    DMA_FAULTS,
    ENGINE,
    KERNEL,
    MACHINE,
    UART_WIRE,
)
from mksim.engine.screen import SCREEN
from mksim.engine.tracing import EVENT, TRACE_SIZE
from mksim.fabric.ledger import Ledger
from mksim.fabric.message import MESSAGE, STATE
from mksim.fabric.ownership import PORTS, Ownership
from mksim.hw.edu import EDU
from mksim.hw.hpet import HPET
from mksim.hw.ioapic import IOAPIC
from mksim.hw.ivshmem import IVSHMEM
from mksim.hw.pci_config import FUNCTION, PCI
from mksim.hw.pic8259 import PIC
from mksim.hw.pit8254 import PIT
from mksim.hw.rtc import RTC
from mksim.hw.uart16550 import UART
from mksim.hw.vga import VGA
from mksim.hw.virtio_blk import BLOCK
from mksim.hw.virtio_net import FRAME, NIC, STATION
from mksim.hw.virtio_pci import VIRTIO
from mksim.hw.virtio_rng import ENTROPY
from mksim.hw.vtd import VTD
from mksim.spec.cpuid import ROW
from mksim.spec.memmap import TEST_MEMORY_SIZE
from mksim.spec.virtio_net import IN_FLIGHT, STATIONS


def _pages(rows: int, size: int) -> np.ndarray:
    """Return rows of zeros that start on pages of the host, as direct mappings need."""
    return np.frombuffer(mmap.mmap(-1, rows * size), np.uint8).reshape(rows, size)


class Board:
    """The machine's state, all of it, as NumPy arrays; MACHINE holds their addresses."""

    def __init__(
        self,
        deeds: Ownership,
        *,
        memory: int,
        cores: int,
        kernels: int,
        uarts: int,
        ioapics: int,
        rows: np.ndarray,
        fw_items: np.ndarray,
        fw_data: np.ndarray,
        functions: int = 1,
        devices: int = 0,
        disk_bytes: int = 0,
        iommus: int = 0,
        nics: int = 0,
    ) -> None:
        self.deeds = deeds
        self.ledger = Ledger(kernels)
        self._dram = mmap.mmap(-1, memory, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.memory = np.frombuffer(self._dram, np.uint8)
        self.test_memory = _pages(kernels + 1, TEST_MEMORY_SIZE)
        self.machine = np.zeros(1, MACHINE)
        self.cores = np.zeros(cores, CORE)
        self.engines = np.zeros(kernels + 1, ENGINE)
        self.kernels = np.zeros(kernels + 1, KERNEL)
        self.wake = np.full(cores, NEVER, np.int64)
        self.engine_of = np.zeros(cores, np.int32)
        self.message_heap = np.zeros(HEAP, MESSAGE)
        self.messages = np.zeros(1, STATE)
        self.port_device = np.zeros(PORTS, np.uint8)
        self.port_unit = np.zeros(PORTS, np.uint16)
        self.pic, self.pit, self.rtc = np.zeros(1, PIC), np.zeros(1, PIT), np.zeros(1, RTC)
        self.pci, self.functions = np.zeros(1, PCI), np.zeros(functions, FUNCTION)
        self._have_devices(max(devices, 1), max(nics, 1), max(disk_bytes, 1))
        self.fw_items, self.fw_data = fw_items, fw_data
        self.hpet, self.vga, self.screen = np.zeros(1, HPET), np.zeros(1, VGA), np.zeros(1, SCREEN)
        self.uarts, self.uart_wires = np.zeros(max(uarts, 1), UART), np.zeros(max(uarts, 1), UART_WIRE)
        self._make_remapping(max(iommus, 1), max(ioapics, 1))
        self.console = np.zeros(CONSOLE_SIZE, CONSOLE_BYTE)
        self.trace = np.zeros(1, EVENT)
        self.cpuid = rows.astype(ROW)
        self.stop = np.zeros(1, np.uint8)
        self._count(cores, kernels, uarts, ioapics, iommus)
        self._link()

    def _make_remapping(self, units: int, ioapics: int) -> None:
        self.iommus, self.iommu_owner = np.zeros(units, VTD), np.full(units, -1, np.int16)
        self.ioapics = np.zeros(ioapics, IOAPIC)
        self.ioapic_owner, self.ioapic_iommu = np.full(ioapics, -1, np.int16), np.full(ioapics, -1, np.int16)
        self.dma_faults = np.zeros(DMA_FAULTS, DMA_FAULT)

    def _have_devices(self, devices: int, nics: int, disk_bytes: int) -> None:
        """Make room for what is behind functions of PCI: whatever it is, it has the same number in all."""
        self.edus, self.virtios = np.zeros(devices, EDU), np.zeros(devices, VIRTIO)
        self.blocks, self.nics = np.zeros(devices, BLOCK), np.zeros(devices, NIC)
        self.entropies, self.ivshmems = np.zeros(devices, ENTROPY), np.zeros(devices, IVSHMEM)
        self.frames = np.zeros(IN_FLIGHT * nics, FRAME)
        self.stations = np.zeros(STATIONS, STATION)
        self.disk_bytes = np.zeros(disk_bytes, np.uint8)
        self.contents: list[np.ndarray] = []
        """Of disks: held, as native code has their addresses."""

    def stop_on(self, byte: np.ndarray) -> None:
        """Let a byte of the caller's, once it is not 0, bring the run back after the slice at hand."""
        self.stop = byte
        self.machine["stop"] = byte.ctypes.data

    def start_trace(self) -> None:
        """Have events written from now on."""
        self.trace = np.zeros(TRACE_SIZE, EVENT)
        self.machine["trace"], self.machine["trace_size"] = self.trace.ctypes.data, TRACE_SIZE

    def _count(self, cores: int, kernels: int, uarts: int, ioapics: int, iommus: int) -> None:
        machine = self.machine
        machine["n_cores"], machine["kernels"], machine["n_engines"] = cores, kernels, kernels + 1
        machine["n_uarts"], machine["n_ioapics"] = uarts, ioapics
        machine["memory_size"], machine["cpuid_rows"] = len(self.memory), len(self.cpuid)
        machine["serial_deadline"] = machine["screen_due"] = machine["device_deadline"] = NEVER
        machine["n_functions"], machine["n_iommus"] = len(self.functions), iommus
        for name in ("edus", "virtios", "blocks", "nics", "frames", "ivshmems"):
            machine[f"n_{name}"] = len(getattr(self, name))
        machine["n_fw_items"], machine["n_fw_data"] = len(self.fw_items), len(self.fw_data)
        machine["running"] = machine["paused"] = machine["legacy_kernel"] = machine["legacy_core"] = -1

    def _link(self) -> None:
        for name, array in self._arrays():
            self.machine[name] = array.ctypes.data
        self.engines["machine"] = self.machine.ctypes.data
        self.engines["kernel"] = np.arange(len(self.engines))

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the field of MACHINE that points to each array."""
        yield from (
            ("memory", self.memory),
            ("page_owner", self.deeds.pages),
            ("port_owner", self.deeds.ports),
            ("vectors", self.deeds.vectors),
            ("signals", self.deeds.signals),
            ("port_grants", self.deeds.port_grants),
            ("ledger", self.ledger.head),
            ("crossings", self.ledger.ring),
            ("first_crossings", self.ledger.first),
            ("crossing_counts", self.ledger.counts),
            ("kernel_table", self.kernels),
            ("stop", self.stop),
        )
        for name in self.plain:
            yield name, getattr(self, name)

    plain = (
        "cores", "engines", "wake", "engine_of", "message_heap", "messages", "port_device", "port_unit",
        "pic", "pit", "rtc", "hpet", "vga", "screen", "uarts", "uart_wires", "ioapics", "ioapic_owner",
        "console", "trace", "cpuid", "pci", "functions", "edus", "virtios", "blocks", "disk_bytes",
        "entropies", "nics", "ivshmems", "frames", "stations", "fw_items", "fw_data", "iommus", "iommu_owner",
        "ioapic_iommu", "dma_faults",
    )  # fmt: skip
    """Arrays whose attribute and field in MACHINE have the same name."""

    def reset_state(self, core: int, state: np.ndarray) -> None:
        """Put a core into a state of shape (1,): byte for byte, as ENV names only some of what QEMU keeps."""
        raw = self.cores[core : core + 1].view(np.uint8)
        raw[schedule.ENV_OFFSET : schedule.ENV_OFFSET + ENV_SIZE] = state.view(np.uint8)

    @property
    def address(self) -> int:
        """Where MACHINE is: what native code is given."""
        return int(self.machine.ctypes.data)
