"""Laws of `mksim.Machine`: looking changes nothing; faults from outside make one run, the same every time."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

import mksim
from tests.guest.booting import scenario_layout

SCENARIOS = ("hello", "pingpong", "panic", "smp", "wire")


@cache
def undisturbed(scenario):
    machine = mksim.Machine(scenario_layout(scenario))
    machine.run()
    return machine.digest(), machine.consoles


@given(
    scenario=st.sampled_from(SCENARIOS),
    goals=st.lists(st.integers(0, 60_000), max_size=4),
    grain=st.sampled_from([1, 1000, 16_384]),
)
@settings(max_examples=10)
def test_who_stops_looks_and_goes_back_has_the_same_run(scenario, goals, grain):
    machine = mksim.Machine(scenario_layout(scenario), events=100)
    for goal in goals:
        before = machine.snapshot()
        machine.run(lambda one, goal=goal: one.instructions >= goal, grain=grain)
        machine.registers(0)
        machine.read(0, 0x1000, 16)
        machine.restore(before)
        machine.run(lambda one, goal=goal: one.instructions >= goal, grain=grain)
    machine.run()
    assert (machine.digest(), machine.consoles) == undisturbed(scenario)


faults = st.one_of(
    st.tuples(st.just("drop"), st.integers(0, 30)),
    st.tuples(st.just("double"), st.integers(0, 30)),
    st.tuples(st.just("kill"), st.integers(0, 1)),
    st.tuples(st.just("flip"), st.integers(0x200000, 0x9FFFFF)),
    st.tuples(st.just("interrupt"), st.integers(0, 1)),
)


def disturbed(deeds):
    machine = mksim.Machine(scenario_layout("pingpong"))
    for when, (deed, value) in deeds:
        machine.run(f"{when}us")
        if deed in ("drop", "double"):
            getattr(machine, deed)("ping", "pong", spared=value)
        elif deed == "flip":
            machine.flip(value, value % 8)
        else:
            getattr(machine, deed)(value)
    machine.run("5ms")
    return machine.digest(), machine.consoles, [life.reason for life in machine.raw.lives]


@given(deeds=st.lists(st.tuples(st.integers(20, 400), faults), min_size=1, max_size=4))
@settings(max_examples=15)
def test_the_same_faults_make_the_same_run(deeds):
    deeds = sorted(deeds)
    assert disturbed(deeds) == disturbed(deeds)
