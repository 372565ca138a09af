"""Which core next, and for how long: the whole run loop, native.

The core that is earliest in virtual time runs, until another kernel could be affected: a slice is no longer
than the shortest latency between kernels, so nothing crosses inside it. The seed draws how much shorter.
Cores that sleep cost nothing; when all sleep, time jumps to the next message or timer.
"""

import numpy as np
from numba import carray, types

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.engine.blocks import begin
from mksim.engine.breakpoints import arm, disarm
from mksim.engine.cpustate import CPU_MEM_IO_PC, ENV_SIZE
from mksim.engine.crossings import WRITE, cross, exact_rip
from mksim.engine.entry import entry
from mksim.engine.execution import execute
from mksim.engine.interrupts import HEAP, deliver, rousable, settle
from mksim.engine.machinecheck import BUS_WRITE, post
from mksim.engine.mwait import wake_monitors
from mksim.engine.probe import look_out, ready, stepped
from mksim.engine.qemu import pointer, tlb_flush
from mksim.engine.records import (
    CONSOLE_FULL,
    CORE,
    CORE_SIZE,
    HALT,
    HALTED,
    MWAITING,
    NOTHING,
    RUNNING,
    SLICE_OVER,
    STORM,
    core_of,
    engine_of,
    env_at,
    machine_at,
    wakes,
)
from mksim.engine.screen import UNCHANGED, look
from mksim.engine.serial import arrive_serial
from mksim.engine.timers import next_timer, tick
from mksim.engine.tracing import SLEPT, WOKE, crowded, trace_core
from mksim.fabric.message import MESSAGE, SERIAL, STATE, drop, peek
from mksim.hw import lapic

# Why `run` came back
TURN_OVER, IDLE, LIMIT, REQUEST, FAULT, SCREEN, PAUSED, GO_ON = range(8)
BENIGN = (NOTHING, SLICE_OVER, HALT, STORM)
"""Requests that only end a slice."""
FAULT_BASE = 1000
"""A slice that Unicorn ended with an error returns this much more than the error's number."""

BREAKPOINTS = 0xFF
"""Of DR7: L0 G0 ... L3 G3."""
ENV_OFFSET = int(dict(CORE.fields or {})["env"][1])

LONGEST_SLICE = 1 << 17
"""Cycles: bounds how long a core alone keeps the host from looking at its keyboard, by fresh code even."""
MONITOR_SLICE = 10_000
"""The same once a core has waited in MWAIT: the store that it waits for is seen at the end of a slice."""
SIBLING_SLICE = 50_000
"""Cycles that cores of one kernel may be apart: a swap costs about 2000 instructions."""


@native(inline=True)
def draw(machine: np.void, below: int) -> int:
    """Draw a number from the seed (xorshift64*), 0 <= n < below <= 1 << 33."""
    state = machine["random"]
    state ^= (state >> 12) & 0xFFFFFFFFFFFFF
    state ^= state << 25
    state ^= (state >> 27) & 0x1FFFFFFFFF
    machine["random"] = state
    return ((state * 0x2545F4914F6CDD1D) >> 33 & 0x3FFFFFFF) * below >> 30


@native
def copy_words(target: int, source: int, count: int) -> None:
    """Copy `count` 8-byte words between addresses."""
    to, fro = carray(pointer(target), count, np.int64), carray(pointer(source), count, np.int64)
    for word in range(count):
        to[word] = fro[word]


@native
def unload(machine: np.void, number: int) -> None:
    """Take the core that is on an engine off it, its state into its own record."""
    engine = engine_of(machine, number)
    if engine["core"] >= 0:
        saved, control = core_of(machine, engine["core"])["env"], disarm(engine)
        copy_words(address_of_env(machine, engine["core"]), engine["env"], ENV_SIZE // 8)
        saved["exception_is_int"] = 0
        saved["dr"][7] = control
    engine["core"] = -1


@native
def address_of_env(machine: np.void, index: int) -> int:
    """Return the address of a core's own ENV."""
    return machine["cores"] + index * CORE_SIZE + ENV_OFFSET


@native
def shares_pages(before: np.void, after: np.void) -> bool:
    """Tell whether two cores walk the same page tables in the same way, and none watches a page.

    Then what one's TLB holds the other's could: a processor may walk for an access that is never made
    (SDM vol. 3A, 5.10.2.3). What one invalidates is gone for both.
    """
    same = before["cr"][0] == after["cr"][0] and before["cr"][3] == after["cr"][3]
    same = same and before["cr"][4] == after["cr"][4] and before["efer"] == after["efer"]
    return same and (before["dr"][7] | after["dr"][7]) & BREAKPOINTS == 0


@native(inline=True)
def load(machine: np.void, index: int) -> None:
    """Put a core on its engine, whose TLB holds the pages of the core before."""
    number = core_of(machine, index)["engine"]
    engine = engine_of(machine, number)
    if engine["core"] != index:
        shared = shares_pages(env_at(engine["env"]), core_of(machine, index)["env"])
        unload(machine, number)
        copy_words(engine["env"], address_of_env(machine, index), ENV_SIZE // 8)
        engine["core"] = index
        if not shared:
            tlb_flush(engine["cpu"])
        arm(engine)


@native(inline=True)
def horizon(machine: np.void, index: int, now: int, until: int) -> int:
    """Return when the slice of core `index` must end, so that nobody else's future is decided without him."""
    wake, engines = wakes(machine), carray(pointer(machine["engine_of"]), machine["n_cores"], np.int32)
    others, siblings = NEVER, NEVER
    for other in range(machine["n_cores"]):
        if engines[other] != engines[index]:
            others = min(others, wake[other])
        elif other != index:
            siblings = min(siblings, wake[other])
    latency = machine["latency"]
    end = min(now + (LONGEST_SLICE if machine["monitors"] == 0 else MONITOR_SLICE), until)
    end = min(end, core_of(machine, index)["lapic"]["deadline"])
    end = min(end, next_message(machine), next_timer(machine))
    end = min(end, siblings + min(SIBLING_SLICE, max(latency, SIBLING_SLICE // 5)))
    return max(now + 1, min(end, others + latency // 2 + draw(machine, latency // 2 + 1)))


@native(inline=True)
def next_message(machine: np.void) -> int:
    """Return when the next message in flight is due."""
    heap = carray(pointer(machine["message_heap"]), HEAP, MESSAGE)
    return peek(heap, carray(pointer(machine["messages"]), 1, STATE)[0], NEVER)


@native(inline=True)
def arrive(machine: np.void) -> None:
    """Deliver the message that is due next."""
    heap = carray(pointer(machine["message_heap"]), HEAP, MESSAGE)
    first = heap[0]
    mode, vector, level = np.int64(first["mode"]), np.int64(first["vector"]), first["level"] != 0
    target, when = np.int64(first["target"]), first["when"]
    drop(heap, carray(pointer(machine["messages"]), 1, STATE)[0])
    if mode >= SERIAL:
        arrive_serial(machine, target, mode, vector, when)
    else:
        deliver(machine, target, mode, vector, level, when)


@native(inline=True)
def earliest(machine: np.void) -> int:
    """Return the core that wants to run first; the lowest number of equals."""
    wake = wakes(machine)
    chosen = 0
    for index in range(1, machine["n_cores"]):
        if wake[index] < wake[chosen]:
            chosen = index
    return chosen


@native(inline=True)
def wake_up(machine: np.void, index: int, now: int) -> bool:
    """Bring a core to the instruction it would run at `now`; return False if it goes on sleeping."""
    core = core_of(machine, index)
    core["time"] = max(core["time"], now)
    lapic.expire(core["lapic"], core["time"])
    if core["state"] == RUNNING:
        return True
    if core["state"] in (HALTED, MWAITING) and rousable(machine, index, core):
        core["state"] = RUNNING
        core["line"] = -1
        trace_core(machine, WOKE, core["time"], index)
        return True
    settle(machine, index)
    return False


@native(inline=True)
def run_slice(machine: np.void, index: int, until: int) -> np.int64:
    """Run one core to its horizon; return the slice's request, or FAULT_BASE + Unicorn's error.

    A debugger may stop it before: then the slice is open, and `go_on` goes on with it.
    """
    core = core_of(machine, index)
    load(machine, index)
    engine = engine_of(machine, core["engine"])
    engine["time"] = engine["start"] = core["time"]
    engine["horizon"] = horizon(machine, index, core["time"], until)
    engine["request"], engine["skipped"] = NOTHING, 0
    engine["initialised"] = 0
    engine["fault_kind"] = -1
    machine["running"] = index
    begin(engine, machine, core, env_at(engine["env"]))
    look_out(machine, engine)
    return go_on(machine, index)


@native(inline=True)
def go_on(machine: np.void, index: int) -> np.int64:
    """Run a core on in its slice; return as `run_slice` does."""
    load(machine, index)
    core = core_of(machine, index)
    engine = engine_of(machine, core["engine"])
    carray(pointer(engine["cpu"] + CPU_MEM_IO_PC), 1, np.int64)[0] = 0
    error = execute(engine)
    if machine["paused"] >= 0:
        return np.int64(NOTHING)
    machine["running"] = -1
    if engine["initialised"] != 0:
        disarm(engine)
        engine["core"] = -1
    core["time"] = max(core["time"], engine["time"])
    retired = engine["time"] - engine["start"] - engine["skipped"]
    core["instructions"] += retired
    machine["instructions"] += retired
    if core["state"] != RUNNING:
        trace_core(machine, SLEPT, core["time"], index)
    elif engine["core"] == index:
        lapic.expire(core["lapic"], core["time"])
    settle(machine, index)
    if machine["monitors"] != 0:
        wake_monitors(machine, index, core["time"])
    if error != 0 and engine["request"] in (NOTHING, SLICE_OVER):
        return FAULT_BASE + error
    return np.int64(engine["request"])  # an end comes first: after it no fault is stepped over


@native
def refused_store(machine: np.void, index: int) -> bool:
    """Settle a store to memory that the core may only read; True if it was refused, by machine check."""
    engine = engine_of(machine, core_of(machine, index)["engine"])
    address, owner = engine["fault_address"], np.int64(engine["fault_owner"])
    cross(machine, index, engine["time"], exact_rip(engine), WRITE, address, 1, owner, False)
    if machine["guard"] != 0:
        post(machine, index, BUS_WRITE, address)
        return True
    return False


@entry(types.int64(types.int64, types.int64, types.int64, types.int64))
def run(machine_address: int, turns: int, until: int, instructions: int) -> int:
    """Run up to `turns` slices, to a time (cycles) or a count of instructions; return why it came back."""
    machine = machine_at(machine_address)
    for _ in range(turns):
        if machine["paused"] >= 0:
            index = np.int64(machine["paused"])
            ready(machine, engine_of(machine, core_of(machine, index)["engine"]))
            outcome = go_on(machine, index)
        else:
            index = np.int64(earliest(machine))
            now = wakes(machine)[index]
            message, timer = next_message(machine), next_timer(machine)
            if min(now, message, timer) >= NEVER:
                return IDLE
            if min(now, message, timer) >= until or machine["instructions"] >= instructions:
                return LIMIT
            if message <= now and message <= timer:
                arrive(machine)
                continue
            if timer <= now:
                tick(machine, timer)
                if machine["console_count"] >= CONSOLE_FULL:
                    return TURN_OVER
                continue
            if not wake_up(machine, index, now):
                continue
            outcome = run_slice(machine, index, until)
        why = after_slice(machine, index, outcome)
        if why != GO_ON:
            return why
    return TURN_OVER


@native(inline=True)
def after_slice(machine: np.void, index: int, outcome: int) -> int:
    """Return why `run` must come back after a slice with this outcome; GO_ON if it need not."""
    machine["stopped_core"] = index
    if machine["paused"] >= 0:
        return PAUSED
    if outcome >= FAULT_BASE:
        machine["why"] = outcome - FAULT_BASE
        if not storable(machine, index):
            return FAULT
    elif outcome not in BENIGN:
        machine["why"] = outcome
        return REQUEST
    if stepped(machine, index):
        return PAUSED
    if machine["console_count"] >= CONSOLE_FULL or stopping(machine) or crowded(machine):
        return TURN_OVER
    if core_of(machine, index)["time"] >= machine["screen_due"]:
        machine["why"] = look(machine, core_of(machine, index)["time"])
        if machine["why"] != UNCHANGED:
            return SCREEN
    return GO_ON


@native(inline=True)
def stopping(machine: np.void) -> bool:
    """Tell whether somebody wants the run to come back."""
    return carray(pointer(machine["stop"]), 1, np.uint8)[0] != 0


@native(inline=True)
def storable(machine: np.void, index: int) -> bool:
    """Tell whether a slice's fault was a refused store, so that the run goes on."""
    engine = engine_of(machine, core_of(machine, index)["engine"])
    return engine["fault_kind"] == WRITE and refused_store(machine, index)
