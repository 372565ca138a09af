"""Law: snapshot, restore, run gives the digest that the run has without; whenever it is taken."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.errors import MksimBug
from mksim.machine.machine import Machine
from mksim.machine.snapshot import restore, take
from tests.guest.booting import scenario_layout

SCENARIOS = ("hello", "pingpong", "panic", "smp", "wire")
LIMIT = 400_000
"""Instructions: enough to be in the midst of things."""


def finish(machine):
    outcome = machine.run(instructions=LIMIT)
    return outcome, machine.digest(), [(life.state, life.ends) for life in machine.lives]


@cache
def undisturbed(scenario):
    return finish(Machine(scenario_layout(scenario)))


@given(scenario=st.sampled_from(SCENARIOS), before=st.integers(0, 60_000), data=st.data())
@settings(max_examples=12, deadline=None)
def test_a_restored_machine_runs_to_the_same_digest(scenario, before, data):
    machine = Machine(scenario_layout(scenario))
    machine.run(instructions=before)
    snapshot = take(machine)
    assert finish(machine) == undisturbed(scenario)
    other = data.draw(st.sampled_from(["the same machine", "a new machine", "one that ran"]))
    if other == "a new machine":
        machine = Machine(scenario_layout(scenario))
    elif other == "one that ran":
        machine = Machine(scenario_layout(scenario), seed=77)
        machine.run(instructions=data.draw(st.integers(0, 60_000)))
    for _ in range(2):
        restore(machine, snapshot)
        assert finish(machine) == undisturbed(scenario)


def test_a_snapshot_is_a_value_that_later_runs_do_not_reach():
    machine = Machine(scenario_layout("hello"))
    machine.run(instructions=20_000)
    digest = machine.digest()
    snapshot = take(machine)
    machine.run()
    restore(machine, snapshot)
    assert machine.digest() == digest


def test_memory_that_was_touched_later_is_zero_again():
    machine = Machine(scenario_layout("hello"))
    snapshot = take(machine)
    machine.board.memory[scenario_layout("hello").memory - 1] = 7
    restore(machine, snapshot)
    assert machine.board.memory[scenario_layout("hello").memory - 1] == 0


def test_a_snapshot_of_another_layout_is_refused():
    snapshot = take(Machine(scenario_layout("hello")))
    with pytest.raises(MksimBug):
        restore(Machine(scenario_layout("pingpong")), snapshot)
