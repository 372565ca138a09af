"""Law: a debugger that only looks changes nothing, wherever it stops, steps and watches."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.debug.control import Debugger, Watch, Why
from mksim.engine.probe import ANYBODY
from mksim.machine.machine import Machine
from mksim.machine.snapshot import restore, take
from tests.guest.booting import scenario_layout

SCENARIOS = ("hello", "pingpong", "panic", "smp", "wire")
LIMIT = 300_000


def outcome(machine):
    return machine.digest(), machine.instructions, [(life.state, life.ends) for life in machine.lives]


@cache
def undisturbed(scenario):
    machine = Machine(scenario_layout(scenario))
    machine.run(instructions=LIMIT)
    return outcome(machine)


def finish(debugger):
    debugger.clear_all()
    debugger.free()
    while (stop := debugger.run(instructions=LIMIT)) is None or stop.why is not Why.OVER:
        pass
    return outcome(debugger.machine)


@cache
def all_of_it(scenario):
    """Step through it with everybody: each instruction of each core is a stop of its own."""
    debugger = Debugger(Machine(scenario_layout(scenario)))
    debugger.step(ANYBODY, (-(1 << 63) & (1 << 64) - 1, (1 << 63) - 1))
    while (stop := debugger.run(instructions=LIMIT)) is None or stop.why is not Why.OVER:
        pass
    return outcome(debugger.machine)


@given(scenario=st.sampled_from(SCENARIOS))
@settings(max_examples=len(SCENARIOS), deadline=None)
def test_block_by_block_and_instruction_by_instruction_are_the_same_run(scenario):
    assert all_of_it(scenario) == undisturbed(scenario)


@given(scenario=st.sampled_from(SCENARIOS), before=st.integers(0, 60_000), data=st.data())
@settings(max_examples=20, deadline=None)
def test_stops_leave_no_trace(scenario, before, data):
    machine = Machine(scenario_layout(scenario))
    machine.run(instructions=before)
    debugger = Debugger(machine)
    for _ in range(data.draw(st.integers(1, 8))):
        core = data.draw(st.integers(0, len(scenario_layout(scenario).apic_ids) - 1))
        debugger.step(core)
        for _ in range(data.draw(st.integers(1, 5))):
            if (stop := debugger.run(turns=50, instructions=LIMIT)) is not None:
                here = debugger.registers(stop.core).rip
                debugger.set_break(data.draw(st.integers(0, len(machine.lives))), here)
                stack = int(debugger.env(stop.core)[0]["regs"][4])
                watch = Watch(stack - 16 & (1 << 64) - 1, 8, data.draw(st.sampled_from((1, 2, 3))))
                debugger.set_watch(data.draw(st.integers(0, len(machine.lives))), watch)
                debugger.read(core, stack & (1 << 64) - 1, 64)
            debugger.step(core) if data.draw(st.booleans()) else debugger.free()
    if data.draw(st.booleans()):
        snapshot = take(machine)
        assert finish(debugger) == undisturbed(scenario)
        restore(machine, snapshot)
    assert finish(debugger) == undisturbed(scenario)
