"""The machine as native code sees it: one record for the machine, one per engine, core and address region.

Records refer to each other by address (`<i8`); `*_at` turns an address into a record. Everything that a run
changes is in these arrays, the chips' records and DRAM, so a snapshot is a copy of them.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.cpustate import ENV
from mksim.engine.qemu import pointer
from mksim.hw.acpi_pm import PM
from mksim.hw.fw_cfg import FW_CFG
from mksim.hw.i8042 import I8042
from mksim.hw.lapic import LAPIC
from mksim.spec.uart import WORDS_MAX

# A core's state: what it would do if it were given the engine
RUNNING, HALTED, MWAITING, WAIT_FOR_SIPI, STOPPED = range(5)

# Why a slice ended, or what the block hook must do before the next block
NOTHING, SLICE_OVER, HALT, HAND_OFF, PARK, KERNEL_EXIT, POWER_OFF, KERNEL_RESET, TRIPLE_FAULT = range(9)
STORM, MACHINE_CHECK_STOP, SAID = 9, 10, 11
"""STORM: so many exceptions without a block between them that the slice is over."""

CORE = np.dtype(
    [
        ("state", "u1"),
        ("nmi", "u1"),
        ("machine_check", "u1"),
        ("debug", "u1"),  # breakpoints that the last instruction has hit, as DR6 has them
        ("extint", "u1"),  # a message asks for an interrupt whose vector the 8259 has
        ("interruptible", "u1"),  # IF at the HLT or MWAIT that it sleeps in
        ("home", "<i2"),  # the kernel it belongs to, or NOBODY
        ("owner", "<i2"),  # whom it acts for: FIRMWARE until the hand-off
        ("engine", "<i4"),
        ("apic_id", "<u4"),
        ("time", "<i8"),
        ("instructions", "<i8"),
        ("line", "<i8"),  # physical address that MONITOR armed, or -1
        ("line_copy", "<i8", 8),
        ("tsc_offset", "<i8"),
        ("misc_enable", "<i8"),
        ("spec_ctrl", "<i8"),
        ("mcg_status", "<i8"),
        ("mc_status", "<i8"),
        ("mc_address", "<i8"),
        ("mc_misc", "<i8"),
        ("mc_control", "<i8"),
        ("env", ENV),
        ("lapic", LAPIC),
    ],
    align=True,
)

ENGINE = np.dtype(
    [
        ("time", "<i8"),  # of the core that is on it; hot, as the next two
        ("limit", "<i8"),  # the block hook looks up when time reaches it
        ("horizon", "<i8"),  # end of the slice
        ("uc", "<i8"),
        ("stubs", "<i8"),  # of translated blocks; 0: let them call the hook
        ("strange_blocks", "<i8"),  # that do not begin as they should
        ("cpu", "<i8"),  # QEMU's CPUState
        ("env", "<i8"),  # CPUX86State, in place
        ("machine", "<i8"),
        ("core", "<i4"),  # whose state it holds, or -1
        ("kernel", "<i4"),
        ("request", "<i4"),
        ("storm", "<i4"),  # traps in a row
        ("stepping", "<i4"),  # 1 while what it translates runs once and is thrown away
        ("storm_time", "<i8"),  # of the last one: a block between two moves it on
        ("initialised", "<i8"),  # 1 once an INIT has reached the running core in this slice
        ("spin_rip", "<i8"),  # behind the PAUSE that was met last
        ("spin_start", "<i8"),  # when that wait began
        ("spin_last", "<i8"),  # when it was met last
        ("alone", "<i8"),  # 1 while an instruction that hits a breakpoint runs in a block of its own
        ("skipped", "<i8"),  # cycles of this slice in which nothing retired
        ("exit_code", "<i8"),
        ("rights", "<i8"),  # address of this kernel's rights, one byte a page
        ("direct", "<i8"),  # of what of them is mapped directly, likewise
        ("code_pages", "<i8"),  # of a byte for each page of DRAM: 1 where translated code is from
        ("pages_of_code", "<i8"),  # how many of them are 1
        ("rips", "<i8"),  # of what is known of places in translated code: see `crossings.exact_rip`
        ("memory", "<i8"),  # of DRAM
        ("memory_size", "<i8"),
        ("io_address", "<i8"),  # the last access to a region, and where in translated code it came from
        ("io_code", "<i8"),
        ("stretch", "<i8"),  # cycles that pages of others were last open to it, and until when
        ("stretched", "<i8"),
        ("fault_address", "<i8"),
        ("fault_kind", "<i4"),
        ("fault_owner", "<i4"),
        ("filling", "<i8"),  # the physical page that enters the TLB
        ("marks", "<i8"),  # where a debugger wants to stop: see `probe`; 0 without one
        ("start", "<i8"),  # of the slice
        ("left", "<i8"),  # of the block at hand: instructions that are counted but have not run
        ("stage", "<i8"),  # whether all is done that comes before the next instruction
    ],
    align=True,
)

PLACE = np.dtype([("code", "<i8"), ("rip", "<i8")])
"""A place in translated code, and the guest's instruction there until all translated code is dropped."""
PLACES = 256

KERNEL = np.dtype(
    [
        ("boot_core", "<i4"),
        ("ioapic", "<i4"),  # its unit, or -1
        ("ended", "<i4"),  # the request that ended it, or NOTHING while it lives
        ("end_core", "<i4"),
        ("exit_code", "<i8"),
        ("end_time", "<i8"),
        ("clock", "<i8"),  # the latest time that one of its cores has read
        ("post", "<i8"),  # the last POST code
        ("test_word", "<i8"),  # of the test device
        ("pm", PM),
        ("keyboard", I8042),
        ("fw_cfg", FW_CFG),
        ("awaited", "u1", WORDS_MAX),  # text at which its console ends it
        ("fallback", "u1", WORDS_MAX),  # how much of it still matches when the next byte does not
        ("awaited_size", "<i8"),  # 0: none
        ("matched", "<i8"),  # bytes of it that the console ended with
    ],
    align=True,
)

CONSOLE_BYTE = np.dtype([("when", "<i8"), ("kernel", "<i2"), ("byte", "u1")], align=True)
CONSOLE_SIZE = 1 << 15
CONSOLE_FULL = CONSOLE_SIZE // 2
"""When so many bytes wait for an observer, the slice ends: a block cannot write as many again."""

UART_WIRE = np.dtype(
    [
        ("owner", "<i2"),
        ("irq", "<i2"),  # ISA interrupt, or -1
        ("sharer", "<i2"),  # the next UART of its owner's with that interrupt, round in a ring; or itself
        ("peer", "<i2"),  # the UART at the other end of its wire, or -1
        ("shown", "<i2"),  # 1: it is its owner's console
    ]
)
"""Where a UART is plugged in."""

REGION = np.dtype([("engine", "<i8"), ("base", "<i8"), ("kind", "<i4"), ("unit", "<i4")], align=True)
"""A range of an engine's physical addresses that is not plain memory to it."""
FOREIGN, HOLE, LOCAL_APIC, IO_APIC, ROM_IMAGE, TIMER_BLOCK, PCI_ECAM, PCI_SPACE, IOMMU_UNIT = range(9)

DMA_FAULT = np.dtype(
    [
        ("when", "<i8"),  # cycles
        ("place", "<i8"),  # segment << 16 | source-id
        ("where", "<i8"),  # the address asked for; of an interrupt its index << 48
        ("kind", "<i4"),  # DMA_IN: a read of memory; DMA_OUT: a write; DMA_INTERRUPT
        ("reason", "<i4"),  # spec/vtd_tables.py
    ]
)
DMA_IN, DMA_OUT, DMA_INTERRUPT = range(3)
DMA_FAULTS = 1024
"""That are kept: the first ones."""

MACHINE = np.dtype(
    [
        ("rate", "<i8"),
        ("latency", "<i8"),
        ("random", "<i8"),
        ("guard", "<i4"),
        ("kernels", "<i4"),
        ("n_cores", "<i4"),
        ("n_engines", "<i4"),
        ("n_ioapics", "<i4"),
        ("legacy_kernel", "<i4"),  # who owns 8259, 8254, RTC and HPET, or NOBODY
        ("legacy_core", "<i4"),  # whose LINT0 the 8259 drives: the legacy owner's boot core, or -1
        ("intr", "<i4"),  # level of the 8259's INT
        ("monitors", "<i4"),  # 1 once any core has slept in MWAIT
        ("running", "<i4"),  # the core whose slice it is, or -1
        ("paused", "<i4"),  # the core whose slice a debugger has stopped, or -1
        ("stopped_core", "<i4"),
        ("why", "<i4"),
        ("stop", "<i8"),  # of a byte: not 0 once somebody wants the run to come back
        ("instructions", "<i8"),
        ("events", "<i8"),  # running hash of everything that happened
        ("memory", "<i8"),
        ("memory_size", "<i8"),
        ("page_owner", "<i8"),
        ("cores", "<i8"),
        ("engines", "<i8"),
        ("wake", "<i8"),  # i8[n_cores]: when each core next wants to run
        ("engine_of", "<i8"),  # i4[n_cores]
        ("port_owner", "<i8"),
        ("port_grants", "<i8"),  # u1[kernels, 8192]: bitmap of the ports of others that each may touch
        ("port_device", "<i8"),
        ("port_unit", "<i8"),
        ("vectors", "<i8"),  # u8[kernels, kernels, 4]: bitmap of granted vectors
        ("signals", "<i8"),  # u1[kernels, kernels]: NMI, INIT, SIPI
        ("messages", "<i8"),
        ("message_heap", "<i8"),
        ("ledger", "<i8"),
        ("crossings", "<i8"),
        ("first_crossings", "<i8"),
        ("crossing_counts", "<i8"),
        ("cpuid", "<i8"),
        ("cpuid_rows", "<i8"),
        ("pic", "<i8"),
        ("pit", "<i8"),
        ("rtc", "<i8"),
        ("hpet", "<i8"),
        ("vga", "<i8"),
        ("screen", "<i8"),
        ("screen_due", "<i8"),  # when to look at the screen next; NEVER if it is nobody's
        ("uarts", "<i8"),
        ("uart_wires", "<i8"),
        ("pci", "<i8"),
        ("functions", "<i8"),
        ("n_functions", "<i4"),
        ("n_edus", "<i4"),
        ("edus", "<i8"),
        ("n_virtios", "<i4"),
        ("virtios", "<i8"),
        ("n_blocks", "<i4"),
        ("blocks", "<i8"),
        ("entropies", "<i8"),
        ("n_nics", "<i4"),
        ("nics", "<i8"),
        ("n_ivshmems", "<i4"),
        ("ivshmems", "<i8"),
        ("n_frames", "<i8"),
        ("frames", "<i8"),  # in flight: so many for each network device
        ("stations", "<i8"),  # what the switches have learnt
        ("disk_bytes", "<i8"),  # of disks that keep nothing
        ("device_deadline", "<i8"),  # the earliest of the devices on PCI
        ("n_fw_items", "<i4"),
        ("n_fw_data", "<i8"),
        ("fw_items", "<i8"),
        ("fw_data", "<i8"),
        ("serial_deadline", "<i8"),  # the earliest of the UARTs'
        ("n_uarts", "<i4"),
        ("ioapics", "<i8"),
        ("ioapic_owner", "<i8"),
        ("kernel_table", "<i8"),
        ("console", "<i8"),
        ("console_count", "<i8"),
        ("trace", "<i8"),
        ("trace_size", "<i8"),  # 0 while nobody looks
        ("trace_count", "<i8"),
        ("trace_lost", "<i8"),
        ("debugger", "<i8"),  # 0: none
        ("n_iommus", "<i4"),  # units: none, or one for each segment of PCI
        ("iommus", "<i8"),
        ("iommu_owner", "<i8"),  # i2[n_iommus]
        ("ioapic_iommu", "<i8"),  # i2[n_ioapics]: the unit that an I/O APIC is behind, or -1
        ("dma_faults", "<i8"),
        ("dma_fault_count", "<i8"),
    ],
    align=True,
)

CORE_SIZE, ENGINE_SIZE, KERNEL_SIZE = CORE.itemsize, ENGINE.itemsize, KERNEL.itemsize


@native
def machine_at(address: int) -> np.void:
    """Return the MACHINE record at `address`."""
    return carray(pointer(address), 1, MACHINE)[0]


@native
def engine_at(address: int) -> np.void:
    """Return the ENGINE record at `address`."""
    return carray(pointer(address), 1, ENGINE)[0]


@native
def env_at(address: int) -> np.void:
    """Return the ENV record at `address`."""
    return carray(pointer(address), 1, ENV)[0]


@native
def core_of(machine: np.void, index: int) -> np.void:
    """Return the record of core number `index`."""
    return carray(pointer(machine["cores"] + index * CORE_SIZE), 1, CORE)[0]


@native
def engine_of(machine: np.void, index: int) -> np.void:
    """Return the record of engine number `index`."""
    return carray(pointer(machine["engines"] + index * ENGINE_SIZE), 1, ENGINE)[0]


@native
def kernel_of(machine: np.void, index: int) -> np.void:
    """Return the record of kernel number `index`; the one past the last is the firmware's."""
    return carray(pointer(machine["kernel_table"] + index * KERNEL_SIZE), 1, KERNEL)[0]


@native
def clock(engine: np.void, machine: np.void) -> int:
    """Return the time as the running core may read it: not before what another core of its kernel has read.

    Cores of one kernel are up to a slice apart; whoever is behind sees a clock that stands.
    """
    kernel = kernel_of(machine, engine["kernel"])
    kernel["clock"] = max(kernel["clock"], engine["time"])
    return kernel["clock"]


@native
def wakes(machine: np.void) -> np.ndarray:
    """Return when each core next wants to run, in cycles; NEVER for one that sleeps without a timer."""
    return carray(pointer(machine["wake"]), machine["n_cores"], np.int64)


@native
def happen(machine: np.void, what: int) -> None:
    """Mix an event into the hash over all events (an odd multiplier, so nothing is ever lost to zero)."""
    mixed = (machine["events"] ^ what) * 0x2545F4914F6CDD1D
    machine["events"] = mixed ^ ((mixed >> 29) & 0x7FFFFFFFF)
