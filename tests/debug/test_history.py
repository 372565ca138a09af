"""Back in time is the same place: what was passed on the way there is met again on the way back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.debug.talking import Client, undisturbed
from tests.debug.test_protocol import RING


def place(client: Client) -> tuple[int, bytes, bytes]:
    """Return when that is, and all registers of both cores."""
    before = client.ask(b"qC")[2:]
    registers = []
    for thread in (b"p1.1", b"p2.2"):
        client.ask(b"Hg" + thread)
        registers.append(client.ask(b"g"))
    client.ask(b"Hg" + before)
    return client.debugger.progress, registers[0], registers[1]


def at_ring(times: int = 1) -> Client:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    for _ in range(times):
        assert client.ask(b"c") == b"T05thread:p1.1;swbreak:;"
    return client


@pytest.mark.parametrize("steps", [1, 5, 40])
def test_as_many_steps_back_as_forth(steps: int) -> None:
    client = at_ring()
    places = []
    for _ in range(steps):
        places.append(place(client))
        client.ask(b"vCont;s:p1.1;c")
    for was in reversed(places):
        assert client.ask(b"bs") == b"T05thread:p1.1;"
        assert place(client)[1] == was[1]
    assert place(client) == places[0]
    assert client.finish() == undisturbed()


def test_back_to_the_last_breakpoint_and_forth_again() -> None:
    client = at_ring()
    first = place(client)
    client.ask(b"c")
    second = place(client)
    assert client.ask(b"bc") == b"T05thread:p1.1;swbreak:;"
    assert place(client) == first
    assert client.ask(b"c") == b"T05thread:p1.1;swbreak:;"
    assert place(client) == second
    client.ask(b"bc")
    assert client.ask(b"bc") == b"T05thread:p1.1;replaylog:begin;"
    assert client.debugger.progress == 0
    assert client.finish() == undisturbed()


def test_who_wrote_this() -> None:
    client = at_ring(3)
    client.ask(b"z0,%x,1" % RING)
    stack = client.register("rsp") - 8
    client.ask(b"Z2,%x,8" % stack)
    assert client.ask(b"bc").startswith(b"T05thread:p1.1;watch:%x;" % stack)
    wrote = place(client)
    assert client.ask(b"bc").startswith(b"T05thread:p1.1;watch:")
    assert client.ask(b"c").startswith(b"T05thread:p1.1;watch:")
    assert place(client) == wrote


def test_a_step_back_from_a_handler_is_to_before_the_interrupt() -> None:
    client = at_ring()
    client.ask(b"z0,%x,1" % RING)
    client.command("step-ipi")
    assert client.ask(b"c") == b"T05thread:p2.2;"
    handler = client.register("rip")
    client.ask(b"bs")
    assert "pong: core 1 sleeps in HLT" in client.command("kernels")
    client.ask(b"vCont;s:p2.2;c")
    assert client.register("rip") == handler


def test_nothing_is_written_twice() -> None:
    client, written = Client(), []
    client.machine.consoles.append(lambda some: written.extend(some["byte"].tolist()))
    client.ask(b"c")
    said = bytes(written)
    assert said
    client.ask(b"bs")
    assert bytes(written) == said


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_wherever_one_goes_back_the_run_stays_the_same(data: st.DataObject) -> None:
    client = at_ring(data.draw(st.integers(1, 3)))
    for _ in range(data.draw(st.integers(1, 6))):
        client.ask(data.draw(st.sampled_from([b"bs", b"bc", b"s", b"vCont;s:p2.2;c", b"Hgp2.2", b"Hgp1.1"])))
    assert client.finish() == undisturbed()
