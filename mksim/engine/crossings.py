"""What is written into the ledger, and what was granted: the native side of ownership."""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.cpustate import CPU_MEM_IO_PC
from mksim.engine.entry import outlined
from mksim.engine.probe import note_crossing
from mksim.engine.qemu import cpu_restore_state, pointer
from mksim.engine.records import ENGINE, MACHINE, PLACE, PLACES, core_of, engine_of, env_at, happen, kernel_of
from mksim.engine.tracing import CROSSED, trace
from mksim.fabric import ledger
from mksim.fabric.ledger import CROSSING, FIRST, LEDGER, NEWEST, OTHERS, Act
from mksim.hw.pci_config import FUNCTION
from mksim.spec import apic
from mksim.spec.memmap import PAGE_SHIFT

READ, WRITE, EXECUTE, WALK = int(Act.READ), int(Act.WRITE), int(Act.EXECUTE), int(Act.WALK)
IPI, NMI, INIT, SIPI = int(Act.IPI), int(Act.NMI), int(Act.INIT), int(Act.SIPI)
IN, OUT = int(Act.IN), int(Act.OUT)
DEVICE_READ, DEVICE_WRITE = int(Act.DEVICE_READ), int(Act.DEVICE_WRITE)
DMA_READ, DMA_WRITE = int(Act.DMA_READ), int(Act.DMA_WRITE)
CONFIG_READ, CONFIG_WRITE = int(Act.CONFIG_READ), int(Act.CONFIG_WRITE)
FRAME, DOORBELL = int(Act.FRAME), int(Act.DOORBELL)
_ACTS = len(Act)


@native
def from_code(engine: np.void) -> int:
    """Return where in translated code the access at hand came from; 0 if a page-table walk makes it."""
    return carray(pointer(engine["cpu"] + CPU_MEM_IO_PC), 1, np.int64)[0]


@native(inline=True)
def exact_rip(engine: np.void) -> int:
    """Return RIP of the instruction at hand. In mid-block `eip` is stale: QEMU has it from the host's PC."""
    env = env_at(engine["env"])
    code = from_code(engine)
    if code == 0:
        return env["eip"]
    known = carray(pointer(engine["rips"]), PLACES, PLACE)[(code >> 2) & (PLACES - 1)]
    if known["code"] == code:
        return known["rip"]
    eip, operation = env["eip"], env["cc_op"]
    if cpu_restore_state(engine["cpu"], code, False) != 0:
        known["code"], known["rip"] = code, env["eip"]
    exact = env["eip"]
    env["eip"], env["cc_op"] = eip, operation
    return exact


@native
def page_owner(machine: np.void, address: int) -> np.int64:
    """Return the owner of the page at a DRAM address."""
    owners = carray(pointer(machine["page_owner"]), machine["memory_size"] >> PAGE_SHIFT, np.int16)
    return np.int64(owners[address >> PAGE_SHIFT])


@native
def page_granted(machine: np.void, engine: np.void, address: int, right: int) -> bool:
    """Tell whether the engine's kernel holds a right (ownership.Rights) to the page at a DRAM address."""
    rights = carray(pointer(engine["rights"]), machine["memory_size"] >> PAGE_SHIFT, np.uint8)
    return rights[address >> PAGE_SHIFT] & right != 0


@native(inline=True)
def signal_granted(machine: np.void, sender: int, receiver: int, mode: int, vector: int) -> bool:
    """Tell whether a doorbell lets `sender` send this to `receiver`'s cores. Nobody's cores are nobody's."""
    if sender < 0 or receiver < 0:
        return False
    pair = sender * machine["kernels"] + receiver
    signals = carray(pointer(machine["signals"]), machine["kernels"] ** 2, np.uint8)
    if mode == apic.NMI:
        return signals[pair] & 1 != 0
    if mode == apic.INIT:
        return signals[pair] & 2 != 0
    if mode == apic.SIPI:
        return signals[pair] & 4 != 0
    vectors = carray(pointer(machine["vectors"]), machine["kernels"] ** 2 * 4, np.uint64)
    return (vectors[pair * 4 + (vector >> 6)] >> np.uint64(vector & 63)) & np.uint64(1) != 0


@native
def signal_act(mode: int) -> int:
    """Return the ledger's word for a delivery mode."""
    if mode == apic.NMI:
        return NMI
    if mode == apic.INIT:
        return INIT
    if mode == apic.SIPI:
        return SIPI
    return IPI


@native(inline=True)
def cross(
    machine: np.void,
    index: int,
    when: int,
    rip: int,
    act: int,
    where: int,
    size: int,
    target: int,
    granted: bool,
) -> None:
    """Write one crossing by core `index` into the ledger."""
    trace(machine, CROSSED, when, index, where, rip, target, act, np.int64(granted))
    who = np.int64(core_of(machine, index)["owner"])
    write_down(machine, who, index, when, rip, act, where, size, target, granted)


@outlined(MACHINE, FUNCTION)
def cross_dma(
    machine: np.void,
    owner: int,
    place: int,
    when: int,
    act: int,
    where: int,
    size: int,
    target: int,
    granted: bool,
) -> None:
    """Write one crossing by a device of an owner's into the ledger: it has a place, neither core nor RIP."""
    boot_core = kernel_of(machine, owner)["boot_core"]
    trace(machine, CROSSED, when, boot_core, where, place, target, act, np.int64(granted))
    write_down(machine, owner, -1, when, place, act, where, size, target, granted)


@outlined(MACHINE)
def write_down(
    machine: np.void,
    who: int,
    index: int,
    when: int,
    rip: int,
    act: int,
    where: int,
    size: int,
    target: int,
    granted: bool,
) -> None:
    """Write one crossing of an owner's into the ledger."""
    note_crossing(machine, act, granted)
    happen(machine, (when << 20) ^ (index << 12) ^ (act << 4) ^ (where << 1) ^ np.int64(granted))
    owners = machine["kernels"] + OTHERS
    ledger.note(
        carray(pointer(machine["crossings"]), NEWEST, CROSSING),
        carray(pointer(machine["first_crossings"]), FIRST, CROSSING),
        carray(pointer(machine["crossing_counts"]), (owners, owners, _ACTS, 2), np.int64),
        carray(pointer(machine["ledger"]), 1, LEDGER)[0],
        when, who, index, rip, act, size, granted, target, where,
    )  # fmt: skip


@native(inline=True)
def cross_signal(
    machine: np.void, sender: int, when: int, mode: int, vector: int, target: int, granted: bool
) -> None:
    """Record an interrupt message from a core to another owner's core."""
    rip = 0
    if machine["running"] == sender:
        rip = exact_rip(engine_of(machine, core_of(machine, sender)["engine"]))
    cross(machine, sender, when, rip, signal_act(mode), vector, 0, target, granted)


@outlined(ENGINE, MACHINE)
def cross_access(engine: np.void, machine: np.void, act: int, address: int, size: int, granted: bool) -> None:
    """Record an access of the running core to a page that it does not own."""
    owner = page_owner(machine, address)
    cross(machine, engine["core"], engine["time"], exact_rip(engine), act, address, size, owner, granted)
