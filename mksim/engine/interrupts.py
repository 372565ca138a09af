"""Interrupt messages: from a sender's ICR, or a pin of an I/O APIC, to the cores that accept them.

Inside a kernel a message arrives at once. Between kernels it takes the machine's latency and is a crossing,
checked where it leaves: what the fabric refuses is never in flight. SDM vol. 3A, 12.6 and 12.7.
"""

import numpy as np
from numba import carray

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.cpustate import HF2_NMI
from mksim.engine.crossings import cross_signal, signal_granted
from mksim.engine.entry import outlined
from mksim.engine.probe import note_message
from mksim.engine.qemu import pointer
from mksim.engine.records import (
    HALTED,
    MACHINE,
    MWAITING,
    NOTHING,
    RUNNING,
    SLICE_OVER,
    STOPPED,
    WAIT_FOR_SIPI,
    core_of,
    engine_of,
    env_at,
    happen,
    kernel_of,
    wakes,
)
from mksim.engine.remapping import ioapic_unit, remap_pin, unit_of, unit_owner
from mksim.engine.reset import init_core, start_core
from mksim.engine.tracing import SENT, SLEPT, WOKE, trace, trace_core
from mksim.fabric.message import MESSAGE, STATE, push
from mksim.fabric.ownership import FIRMWARE
from mksim.hw import ioapic, lapic, pic8259, vtd_core
from mksim.hw import lapic_message as message
from mksim.hw.vtd_interrupts import AS_IT_IS, BLOCKED, DESTINATION_SHIFT
from mksim.spec import pci
from mksim.spec.apic import (
    ALL_INCLUDING_SELF,
    EXTINT,
    FIXED,
    INIT,
    LINT0,
    LOWEST_PRIORITY,
    NMI,
    NO_SHORTHAND,
    SELF,
    SIPI,
)

HEAP = 1 << 14
"""Messages in flight. A message beyond that arrives at once: latency suffers in a flood, nothing is lost."""


@native(inline=True)
def extint(machine: np.void, index: int, core: np.void) -> bool:
    """Tell whether a core is asked for an interrupt whose vector the 8259 has: by LINT0 or by a message."""
    if core["extint"] != 0:
        return True
    return index == machine["legacy_core"] and machine["intr"] != 0 and lapic.lint0_extint(core["lapic"])


@native
def take_extint(machine: np.void, core: np.void, now: int) -> np.int64:
    """Run the INTA cycles: return the 8259's vector."""
    core["extint"] = 0
    vector = np.int64(pic8259.acknowledge(pic_of(machine)))
    follow_pic(machine, now)
    return vector


@native(inline=True)
def rousable(machine: np.void, index: int, core: np.void) -> bool:
    """Tell whether a sleeping core has a reason to wake (SDM vol. 2A, HLT)."""
    if core["nmi"] != 0 or core["machine_check"] != 0:
        return True
    if core["interruptible"] == 0:
        return False
    return lapic.highest(core["lapic"]) >= 0 or extint(machine, index, core)


@native(inline=True)
def settle(machine: np.void, index: int) -> None:
    """Recompute when a core next wants to run, after anything that may have changed its mind."""
    core = core_of(machine, index)
    wake = NEVER
    if core["state"] == RUNNING:
        wake = core["time"]
    elif core["state"] in (HALTED, MWAITING):
        wake = core["time"] if rousable(machine, index, core) else core["lapic"]["deadline"]
    wakes(machine)[index] = wake


@native(inline=True)
def shorten(engine: np.void, end: int) -> None:
    """Let the slice at hand end at `end` at the latest."""
    engine["horizon"] = min(engine["horizon"], end)
    engine["limit"] = min(engine["limit"], engine["horizon"])


@native
def request(engine: np.void, what: int) -> None:
    """Have the block hook end the slice; an end that is asked for already stands."""
    if engine["request"] == NOTHING or engine["request"] == SLICE_OVER:
        engine["request"] = what
    engine["limit"] = 0


@native(inline=True)
def rouse(machine: np.void, index: int, when: int) -> None:
    """Let a core notice, not before `when`, what was just delivered to it."""
    core = core_of(machine, index)
    engine = engine_of(machine, core["engine"])
    if engine["core"] == index:
        engine["limit"] = 0
    elif engine["core"] >= 0 and engine["core"] == machine["running"]:
        shorten(engine, when + machine["latency"])  # a sibling that wakes gets its turn soon
    if core["state"] != RUNNING:
        core["time"] = max(core["time"], when)
        settle(machine, index)


@native
def latch_nmi(machine: np.void, index: int) -> None:
    """Ask for an NMI: one may be in service and one wait, so of those that come at once two count."""
    core = core_of(machine, index)
    engine = engine_of(machine, core["engine"])
    loaded = engine["core"] == index
    flags = env_at(engine["env"])["hflags2"] if loaded else core["env"]["hflags2"]
    core["nmi"] = 1 if flags & HF2_NMI != 0 else min(core["nmi"] + 1, 2)


@native(inline=True)
def deliver(machine: np.void, index: int, mode: int, vector: int, level: bool, when: int) -> None:
    """Hand an interrupt message to a core: the end of every way that an interrupt can take."""
    core = core_of(machine, index)
    if core["state"] == STOPPED:
        return  # of a kernel that has ended: only the machine starts it again
    happen(machine, (when << 24) ^ (index << 16) ^ (mode << 8) ^ vector)
    if mode in (FIXED, LOWEST_PRIORITY):
        lapic.accept(core["lapic"], vector, level)
    elif mode == NMI:
        latch_nmi(machine, index)
    elif mode == EXTINT:
        core["extint"] = 1
    elif mode == INIT:
        init_core(machine, index)
        trace_core(machine, SLEPT, when, index)
    elif mode == SIPI and core["state"] == WAIT_FOR_SIPI:
        start_core(machine, index, vector, when)
        trace_core(machine, WOKE, core["time"], index)
        settle(machine, index)
    rouse(machine, index, when)


@native(inline=True)
def send_to(machine: np.void, sender: int, index: int, mode: int, vector: int, level: bool, now: int) -> bool:
    """Send one message from a core to one core; return False if the fabric refused it."""
    source, target = core_of(machine, sender), core_of(machine, index)
    who, whose = source["owner"], target["home"]
    if who == FIRMWARE or who == whose:
        trace_message(machine, sender, index, mode, vector, now, now)
        deliver(machine, index, mode, vector, level, now)
        return True
    granted = signal_granted(machine, who, whose, mode, vector)
    cross_signal(machine, sender, now, mode, vector, whose, granted)
    if not granted and machine["guard"] != 0:
        return False
    trace_message(machine, sender, index, mode, vector, now, now + machine["latency"])
    launch(machine, sender, index, mode, vector, level, now + machine["latency"])
    return True


@native
def trace_message(
    machine: np.void, sender: int, index: int, mode: int, vector: int, now: int, due: int
) -> None:
    """Write that an interrupt message was sent, by a core or by a chip that acts for its kernel."""
    note_message(machine, sender, index, mode, vector)
    by_core = 1 if machine["running"] == sender else 0
    trace(machine, SENT, now, sender, vector, due, index, mode, by_core)


@native(inline=True)
def launch(machine: np.void, sender: int, index: int, mode: int, vector: int, level: bool, when: int) -> None:
    """Put a message in flight, due at `when`; the sender's slice ends before an answer could arrive."""
    heap = carray(pointer(machine["message_heap"]), HEAP, MESSAGE)
    state = carray(pointer(machine["messages"]), 1, STATE)[0]
    if not push(heap, state, when, sender, index, mode, vector, level):
        deliver(machine, index, mode, vector, level, when)
    shorten(engine_of(machine, core_of(machine, sender)["engine"]), when + machine["latency"])


@native(inline=True)
def send_icr(machine: np.void, sender: int, now: int) -> bool:
    """Send what a core wrote to its ICR (SDM vol. 3A, 12.6.1); return False if any target was refused."""
    apic = core_of(machine, sender)["lapic"]
    icr = apic["icr"]
    mode, vector = message.icr_mode(icr), message.icr_vector(icr)
    level = message.icr_trigger(icr)
    if mode == EXTINT or (mode == INIT and level and not message.icr_level(icr)):
        return True  # reserved; INIT level de-assert: meant for arbitration IDs, which are gone (12.4.7.4)
    if mode == LOWEST_PRIORITY:
        chosen = lowest_priority(machine, sender, icr)
        return chosen < 0 or send_to(machine, sender, chosen, mode, vector, level, now)
    sent = True
    for index in range(machine["n_cores"]):
        if addressed(machine, sender, index, icr):
            sent = send_to(machine, sender, index, mode, vector, level, now) and sent
    return sent


@native(inline=True)
def addressed(machine: np.void, sender: int, index: int, icr: int) -> bool:
    """Tell whether a message with this ICR is meant for core `index`: shorthand, else destination."""
    shorthand = message.icr_shorthand(icr)
    if shorthand != NO_SHORTHAND:
        return shorthand == ALL_INCLUDING_SELF or (index == sender) == (shorthand == SELF)
    source = core_of(machine, sender)["lapic"]
    return message.matches(
        core_of(machine, index)["lapic"], message.icr_destination(source, icr), message.icr_logical(icr)
    )


@native
def lowest_priority(machine: np.void, sender: int, icr: int) -> int:
    """Return the addressed core with the lowest arbitration priority, the first of equals; -1 if none is."""
    chosen, least = -1, 256
    for index in range(machine["n_cores"]):
        if addressed(machine, sender, index, icr):
            priority = lapic.arbitration_priority(core_of(machine, index)["lapic"])
            if priority < least:
                chosen, least = index, priority
    return chosen


@outlined(MACHINE)
def pins(machine: np.void, unit: int, sender: int, now: int) -> None:
    """Send what an I/O APIC's pins ask for. `sender` is a core of its owner: it acts for that kernel."""
    chip = io_apic(machine, unit)
    pin = ioapic.take(chip)
    while pin >= 0:
        entry = np.int64(chip["redirection"][pin])
        found = remap_pin(machine, unit, entry, now)
        if found == AS_IT_IS:
            interrupt(machine, entry, sender, now)
        else:
            remapped(machine, ioapic_unit(machine, unit), found, sender, now)
        pin = ioapic.take(chip)


@outlined(MACHINE)
def interrupt(machine: np.void, entry: int, sender: int, now: int) -> None:
    """Send the message of one redirection entry (82093AA, 3.2.4)."""
    emit(machine, entry, message.widen((entry >> 56) & 0xFF), sender, now)


@native
def remapped(machine: np.void, number: int, found: int, sender: int, now: int) -> None:
    """Send what a unit of the IOMMU has made of a message, or what the unit says of having blocked it."""
    if found == BLOCKED:
        send_events(machine, number, now)
    else:
        emit(machine, found & 0xFFFF, found >> DESTINATION_SHIFT, sender, now)


@native
def is_interrupt(address: int) -> bool:
    """Tell whether a write of 32 bits to an address is an interrupt (SDM vol. 3A, 12.11)."""
    return address & ~(pci.MSI_WINDOW_SIZE - 1) == pci.MSI_WINDOW


@native
def is_reserved(data: int) -> bool:
    """Tell whether the data of a message ask for a reserved delivery mode; a start-up is one (12.11.2)."""
    return data >> pci.MSI_MODE_SHIFT & 7 in (3, 6)


@outlined(MACHINE)
def send_events(machine: np.void, number: int, now: int) -> None:
    """Send the messages of a unit itself, which nobody remaps (Intel VT-d 3.3, § 5.1.6)."""
    unit, owner = unit_of(machine, number), unit_owner(machine, number)
    event = vtd_core.take_event(unit)
    while event != 0:
        address, data = vtd_core.event_address(unit, event), vtd_core.event_data(unit, event)
        low, high = address >> 12 & 0xFF, address >> 32 & 0xFFFFFF00
        destination = low | high if high else message.widen(low)
        logical = 1 << 11 if address & 4 else 0
        if owner >= 0 and is_interrupt(address & 0xFFFFFFFF) and not is_reserved(data):
            sender = np.int64(kernel_of(machine, owner)["boot_core"])
            emit(machine, data & 0x87FF | logical, destination, sender, now)
        event = vtd_core.take_event(unit)


@outlined(MACHINE)
def emit(machine: np.void, entry: int, destination: int, sender: int, now: int) -> None:
    """Send a message with the low bits of a redirection entry, to a destination of 32 bits."""
    vector, mode = entry & 0xFF, (entry >> 8) & 7
    logical, level = (entry >> 11) & 1 != 0, (entry >> 15) & 1 != 0
    if mode == EXTINT and core_of(machine, sender)["home"] != machine["legacy_kernel"]:
        return  # no 8259 is there to answer
    chosen, least = -1, 256
    for index in range(machine["n_cores"]):
        apic = core_of(machine, index)["lapic"]
        if not message.matches(apic, destination, logical):
            continue
        if mode != LOWEST_PRIORITY:
            send_to(machine, sender, index, mode, vector, level, now)
        elif lapic.arbitration_priority(apic) < least:
            chosen, least = index, lapic.arbitration_priority(apic)
    if chosen >= 0:
        send_to(machine, sender, chosen, mode, vector, level, now)


@outlined(MACHINE)
def broadcast_eoi(machine: np.void, vector: int, sender: int, now: int) -> None:
    """Tell every I/O APIC that a level-triggered interrupt has ended (SDM vol. 3A, 12.8.5)."""
    for unit in range(machine["n_ioapics"]):
        ioapic.eoi(io_apic(machine, unit), vector)
        pins(machine, unit, sender, now)


@native
def io_apic(machine: np.void, unit: int) -> np.void:
    """Return the record of I/O APIC number `unit`."""
    return carray(pointer(machine["ioapics"]), machine["n_ioapics"], ioapic.IOAPIC)[unit]


@native
def pic_of(machine: np.void) -> np.void:
    """Return the record of the 8259 pair."""
    return carray(pointer(machine["pic"]), 1, pic8259.PIC)[0]


@outlined(MACHINE)
def follow_pic(machine: np.void, now: int) -> None:
    """Let what hangs on the 8259's INT follow it: the legacy core's LINT0, its kernel's I/O APIC's pin 0."""
    output = pic8259.output(pic_of(machine))
    if output == (machine["intr"] != 0):
        return
    machine["intr"] = 1 if output else 0
    index = machine["legacy_core"]
    if output and index >= 0:
        core = core_of(machine, index)
        if lapic.fire_lvt(core["lapic"], LINT0) == NMI:
            latch_nmi(machine, index)
        rouse(machine, index, now)
    drive_pin(machine, machine["legacy_kernel"], 0, output, now)


@outlined(MACHINE)
def drive_line(machine: np.void, kernel: int, irq: int, level: bool, now: int) -> None:
    """Drive the line of an ISA interrupt of one kernel: to the 8259 if it owns that, and to its I/O APIC."""
    if machine["legacy_kernel"] == kernel:
        pic8259.set_line(pic_of(machine), irq, level)
        follow_pic(machine, now)
    drive_pin(machine, kernel, 2 if irq == 0 else irq, level, now)  # the MADT's interrupt source override


@outlined(MACHINE)
def drive_pin(machine: np.void, kernel: int, pin: int, level: bool, now: int) -> None:
    """Drive a pin of a kernel's I/O APIC, if it has one."""
    title = kernel_of(machine, kernel)
    if title["ioapic"] >= 0:
        ioapic.set_line(io_apic(machine, title["ioapic"]), pin, level)
        pins(machine, title["ioapic"], title["boot_core"], now)
