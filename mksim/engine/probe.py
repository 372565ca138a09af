"""Where a debugger has the machine stop, natively: between any two instructions, and never any other course.

A stop must not move anything. So a slice that is stopped stays open, with its end as it was drawn, and is
gone on with later. Time, interrupts and the end of a slice go by whole blocks of translated code; a block
that is stopped in has counted all its instructions before its first, as always. `left` says how many of them
have not run: they run alone or together in blocks of just that many, which count nothing, and between which
nothing else happens. Blocks with a breakpoint in them are translated such that they call the hook every time;
all others do not know of it.
"""

import numpy as np
from numba import carray

from mksim.compiled import native
from mksim.engine.cpustate import CPU, UC_TCG
from mksim.engine.qemu import (
    cpu_loop_exit_noexc,
    cpu_restore_state,
    pointer,
    tcg_tb_lookup,
    uc_emu_stop,
)
from mksim.engine.records import RUNNING, core_of, engine_of, env_at, machine_at

NOBODY_STEPS, ANYBODY = -1, -2
"""Instead of a core's number in `core`."""

NOT_STOPPED, STEPPED, BREAKPOINT, WATCHPOINT, GOAL, ARRIVED, CAUGHT, DMA = range(8)
"""Why the machine has stopped."""

DEBUGGER = np.dtype(
    [
        ("why", "<i4"),
        ("core", "<i4"),  # who is to stop after an instruction
        ("ran", "<i4"),  # 1 once it has run one, or has taken an interrupt
        ("near", "<i4"),  # 1 while the goal may lie in the slice at hand
        ("low", "<i8"),  # as long as it is at low <= RIP < high, it goes on
        ("high", "<i8"),
        ("unsent", "<i8"),  # and until `sent` is another than this; -1: whatever it is
        ("sent", "<i8"),  # interrupt messages that the core that steps has sent
        ("sent_to", "<i4"),  # the last of them: for which core, in which mode, of which vector
        ("sent_mode", "<i4"),
        ("sent_vector", "<i4"),
        ("goal", "<i8"),  # instructions of the whole machine before which it is to stop
        ("taker", "<i4"),  # who is to stop at the first instruction of an interrupt's handler
        ("vector", "<i4"),
        ("hit", "<i8"),  # address that was accessed
        ("hit_flags", "<i4"),  # which kind of watchpoint that was, as in WATCH
        ("granted", "<i8"),  # acts of the ledger at which to stop where they are granted, a bit for each
        ("violations", "<i8"),  # and where they are not
        ("dma", "<i4"),  # accesses by devices at which to stop: 1 reads, 2 writes
        ("device", "<i8"),  # place of the one that has accessed `hit`; -1: a core has
        ("hit_size", "<i8"),
    ]
)

MARKS_MAX, WATCHES_MAX = 256, 16
WATCH = np.dtype([("address", "<i8"), ("size", "<i8"), ("flags", "<i8")])
"""Addresses, and which accesses: 1 reads, 2 writes, 3 both; and 4 if addresses are physical, not linear."""
BY_PHYSICAL = 4

MARKS = np.dtype(
    [
        ("n_marked", "<i8"),
        ("n_breaks", "<i8"),
        ("n_watches", "<i8"),
        ("sighted", "<i8"),  # 1 while an instruction that hits a watchpoint runs alone
        ("marked", "<i8", MARKS_MAX),  # linear addresses whose blocks call the hook
        ("breaks", "<i8", MARKS_MAX),  # those where the engine's cores stop
        ("watches", WATCH, WATCHES_MAX),
    ]
)
"""One of each engine's. Marks only become more, because to take one back is not worth a translation."""

FRESH, PASSED = 0, 1
"""Stages of an engine at an instruction: PASSED, once all is done that comes before it, stops too."""

_LONGEST = 15
"""Bytes of an instruction."""
_WORDS = 3
"""Told of an instruction behind its block's code; the last is how long the code of it is."""
_BLOCK = 1024
"""More instructions than any block has."""


@native(inline=True)
def debugger_of(machine: np.void) -> np.void:
    """Return the DEBUGGER record; there must be one."""
    return carray(pointer(machine["debugger"]), 1, DEBUGGER)[0]


@native
def marks_of(engine: np.void) -> np.void:
    """Return an engine's MARKS; there must be a debugger."""
    return carray(pointer(engine["marks"]), 1, MARKS)[0]


@native
def marked(engine: np.void, start: int, size: int) -> bool:
    """Tell whether code of these linear addresses is to call the hook whenever it runs."""
    marks = marks_of(engine)
    for number in range(marks["n_marked"]):
        if 0 <= marks["marked"][number] - start < size:
            return True
    return False


@native
def breaks(engine: np.void, start: int, size: int) -> bool:
    """Tell whether a breakpoint is among these linear addresses."""
    marks = marks_of(engine)
    for number in range(marks["n_breaks"]):
        if 0 <= marks["breaks"][number] - start < size:
            return True
    return False


@native
def progress(machine: np.void, engine: np.void) -> int:
    """Return the instructions of the whole machine up to the running core's next."""
    here = engine["time"] - engine["start"] - engine["skipped"] - engine["left"]
    return machine["instructions"] + here


@native
def steps(engine: np.void, debugger: np.void) -> bool:
    """Tell whether the core on an engine is to stop after an instruction."""
    return debugger["core"] == engine["core"] or debugger["core"] == ANYBODY


@native
def satisfied(debugger: np.void, rip: int) -> bool:
    """Tell whether the core that steps has come as far as it is to."""
    if debugger["ran"] == 0 or debugger["low"] <= rip < debugger["high"]:
        return False
    return debugger["unsent"] < 0 or debugger["sent"] != debugger["unsent"]


@native
def reason(machine: np.void, engine: np.void, debugger: np.void, env: np.void) -> np.int64:
    """Return why to stop before whatever comes next; NOT_STOPPED if for nothing."""
    if debugger["why"] != NOT_STOPPED:
        return np.int64(debugger["why"])
    if steps(engine, debugger) and satisfied(debugger, env["eip"]):
        return np.int64(STEPPED)
    if debugger["near"] != 0 and progress(machine, engine) >= debugger["goal"]:
        return np.int64(GOAL)
    return np.int64(NOT_STOPPED)


@native
def pause(machine: np.void, engine: np.void, why: int) -> None:
    """Stop here, the slice left open."""
    debugger_of(machine)["why"] = why
    machine["paused"] = engine["core"]
    uc_emu_stop(engine["uc"])


@native
def breaks_here(machine: np.void, engine: np.void, env: np.void) -> bool:
    """Stop if there is a breakpoint at the instruction that is about to run."""
    if engine["stage"] == PASSED or not breaks(engine, env["cs_base"] + env["eip"], 1):
        return False
    engine["stage"] = PASSED
    pause(machine, engine, BREAKPOINT)
    return True


@native
def together(machine: np.void, engine: np.void, debugger: np.void, env: np.void) -> np.int64:
    """Return how many of the block's instructions may run before the next look."""
    if steps(engine, debugger) or marks_of(engine)["sighted"] != 0:
        return np.int64(1)
    if breaks(engine, env["cs_base"] + env["eip"] + 1, _LONGEST * engine["left"]):
        return np.int64(1)
    if debugger["near"] != 0 and progress(machine, engine) + engine["left"] > debugger["goal"]:
        return np.int64(1)
    return np.int64(engine["left"])


@native
def go(machine: np.void, engine: np.void, env: np.void, instructions: int) -> None:
    """Let translated code run that has so many instructions, or have it translated anew with fewer."""
    debugger = debugger_of(machine)
    count = together(machine, engine, debugger, env)
    if instructions > count:
        engine["limit"] = 0
        engine["stage"] = PASSED
        carray(pointer(engine["cpu"]), 1, CPU)[0]["next_flags"] = count
        cpu_loop_exit_noexc(engine["cpu"])
    engine["stage"] = FRESH
    engine["left"] -= instructions
    if steps(engine, debugger):
        debugger["ran"] = 1
    if engine["left"] > 0 or steps(engine, debugger) or debugger["near"] != 0:
        engine["limit"] = 0


@native
def go_on_in_block(machine: np.void, engine: np.void, instructions: int) -> None:
    """Before an instruction that is not its block's first: stop, or go on."""
    env = env_at(engine["env"])
    if engine["stage"] == FRESH:
        marks_of(engine)["sighted"] = 0
        why = reason(machine, engine, debugger_of(machine), env)
        if why != NOT_STOPPED:
            pause(machine, engine, why)
            return
        if breaks_here(machine, engine, env):
            return
    go(machine, engine, env, instructions)
    if engine["left"] == 0:
        engine["limit"] = 0  # what had it lower before is not known any more


@native
def leave_block(machine: np.void, engine: np.void) -> None:
    """Note that an exception, or what else is like one, has left the block at hand."""
    if engine["marks"] != 0:
        engine["left"], engine["stage"] = 0, FRESH
        marks_of(engine)["sighted"] = 0
        if steps(engine, debugger_of(machine)):
            debugger_of(machine)["ran"] = 1


@native(inline=True)
def take(machine: np.void, engine: np.void, vector: int) -> None:
    """Note that the running core takes an interrupt."""
    if machine["debugger"] != 0:
        debugger = debugger_of(machine)
        if debugger["taker"] == engine["core"] and debugger["vector"] == vector:
            debugger["why"] = ARRIVED
            engine["limit"] = 0
        if steps(engine, debugger):
            debugger["ran"] = 1


@native(inline=True)
def note_message(machine: np.void, sender: int, target: int, mode: int, vector: int) -> None:
    """Note that an interrupt message was sent."""
    if machine["debugger"] != 0 and debugger_of(machine)["core"] == sender and machine["running"] == sender:
        debugger = debugger_of(machine)
        debugger["sent"] += 1
        debugger["sent_to"], debugger["sent_mode"], debugger["sent_vector"] = target, mode, vector


@native(inline=True)
def note_crossing(machine: np.void, act: int, granted: bool) -> None:
    """Note a crossing: the machine may be to stop behind the block that is running, or before the next."""
    if machine["debugger"] == 0:
        return
    debugger, running = debugger_of(machine), machine["running"]
    caught = debugger["granted"] if granted else debugger["violations"]
    if (caught >> act) & 1 != 0:
        debugger["why"] = CAUGHT
        if running >= 0:
            engine_of(machine, core_of(machine, running)["engine"])["limit"] = 0


@native
def note_dma(machine: np.void, place: int, flags: int, address: int, size: int) -> None:
    """Note an access of a device's to physical memory: the machine may be to stop, as for a crossing."""
    debugger, running = debugger_of(machine), machine["running"]
    hit = watched(engine_of(machine, 0), address, size, flags, BY_PHYSICAL)
    if debugger["why"] != NOT_STOPPED or (hit | debugger["dma"] & flags) == 0:
        return
    debugger["why"] = WATCHPOINT if hit != 0 else DMA
    debugger["hit"], debugger["hit_size"], debugger["hit_flags"] = address, size, flags | BY_PHYSICAL
    debugger["device"] = place
    if running >= 0:
        engine_of(machine, core_of(machine, running)["engine"])["limit"] = 0


@native(inline=True)
def look_out(machine: np.void, engine: np.void) -> None:
    """At the start of a slice: see to it that the hook is called in time."""
    engine["left"], engine["stage"] = 0, FRESH
    if machine["debugger"] == 0:
        return
    debugger = debugger_of(machine)
    longest = engine["horizon"] - engine["start"] + _BLOCK
    debugger["near"] = 1 if debugger["goal"] - machine["instructions"] <= longest else 0
    if debugger["near"] != 0 or steps(engine, debugger) or debugger["why"] != NOT_STOPPED:
        engine["limit"] = 0


@native(inline=True)
def stepped(machine: np.void, index: int) -> bool:
    """Tell, after a slice, whether the core has made its step and sleeps now: it has no next instruction."""
    if machine["debugger"] == 0:
        return False
    debugger, core = debugger_of(machine), core_of(machine, index)
    if debugger["core"] != index or core["state"] == RUNNING:
        return False
    engine = engine_of(machine, core["engine"])
    env = env_at(engine["env"]) if engine["core"] == index else core["env"]
    if not satisfied(debugger, env["eip"]):
        return False
    debugger["why"] = STEPPED
    return True


@native(inline=True)
def ready(machine: np.void, engine: np.void) -> None:
    """Before a slice is gone on with: forget why it was stopped, and look at the next block in any case."""
    machine["paused"] = -1
    engine["limit"] = 0


@native
def watched(engine: np.void, address: int, size: int, flags: int, space: int) -> int:
    """Return which of these accesses to a range hit a watchpoint; space 0 is linear, or BY_PHYSICAL."""
    found = 0
    if engine["marks"] != 0:
        marks = marks_of(engine)
        for number in range(marks["n_watches"]):
            watch = marks["watches"][number]
            if watch["flags"] & BY_PHYSICAL != space:
                continue
            if watch["address"] < address + size and address < watch["address"] + watch["size"]:
                found |= watch["flags"] & flags
    return found


@native
def sight(engine: np.void, address: int, physical: int, size: int, flags: int, code: int) -> None:
    """Before an access that may hit a watchpoint: the machine is to stop behind the instruction.

    At the first sight it does not return: the instruction then runs again, alone.
    """
    where, space = address, 0
    if watched(engine, address, size, flags, 0) == 0:
        if watched(engine, physical, size, flags, BY_PHYSICAL) == 0:
            return
        where, space = physical, BY_PHYSICAL
    marks = marks_of(engine)
    if marks["sighted"] == 0 and code != 0:
        marks["sighted"] = 1
        instructions, done = place_in_block(engine, code)
        if done + 1 < instructions:
            cpu_restore_state(engine["cpu"], code, True)
            engine["left"] += instructions - done
            engine["stage"], engine["limit"] = PASSED, 0
            cpu_loop_exit_noexc(engine["cpu"])
    note_hit(engine, where, flags | space)


@native
def note_hit(engine: np.void, address: int, flags: int) -> None:
    """Have the machine stop at the next look, for an access."""
    debugger = debugger_of(machine_at(engine["machine"]))
    debugger["why"], debugger["hit"], debugger["hit_flags"] = WATCHPOINT, address, flags
    debugger["device"] = -1
    marks_of(engine)["sighted"] = 0
    engine["limit"] = 0


@native
def signed_leb128(at: int) -> tuple[int, np.int64]:
    """Decode the number at an address: return the address behind it, and the number."""
    value, shift, byte = np.int64(0), 0, np.int64(0x80)
    while byte & 0x80 != 0:
        byte = np.int64(carray(pointer(at), 1, np.uint8)[0])
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return at, value - ((byte & 0x40) << (shift - 6))


@native
def place_in_block(engine: np.void, code: int) -> tuple[int, int]:
    """Return how many instructions a block of translated code has, and how many come before this place.

    Behind its code a block has, of each instruction, two words about it and how long its code is: each as
    the difference to the one before, in signed LEB128 (encode_search of accel/tcg/translate-all.c).
    """
    block = tcg_tb_lookup(np.int64(carray(pointer(engine["uc"] + UC_TCG), 1, np.int64)[0]), code)
    words = carray(pointer(block), 6, np.int64)
    instructions, place = (words[2] >> 48) & 0xFFFF, words[4]
    told = words[4] + words[5]
    for number in range(instructions):
        for word in range(_WORDS):
            told, value = signed_leb128(told)
            if word == _WORDS - 1:
                place += value
        if place > code - 2:  # the access is within an instruction, the return address perhaps behind it
            return instructions, number
    return instructions, instructions
