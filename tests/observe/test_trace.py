"""Traces: whole files, whatever happens, that say what happened and change nothing of it."""

import contextlib
import io
import json
from collections import Counter

import numpy as np

from mksim.engine.tracing import EVENT, INTERRUPTED, WOKE
from mksim.machine.options import TRACE_FORMS, TRACE_KINDS
from mksim.observe.chrome import Chrome
from mksim.observe.trace import FORMS, KINDS, Lines, Trace, fact, tracing
from tests.machine.guests import APIC, HALT, base, leave, machine, store32

TO_OTHER = store32(APIC + 0x310, 1 << 24) + store32(APIC + 0x300, 0x4040)  # a fixed interrupt, vector 0x40
STEAL = b"\xa1" + base(1).to_bytes(4, "little")  # mov eax, [the other's memory]


def traced(form, kinds=TRACE_KINDS, most=1000):
    one = machine(TO_OTHER + STEAL + leave(0), HALT, protection="trust")
    stream = io.StringIO()
    trace = Trace(one, form(one, stream), kinds=frozenset(kinds), most=most)
    one.run()
    trace._form.finish()
    return one, trace, stream.getvalue()


def test_who_looks_changes_nothing():
    plain = machine(TO_OTHER + STEAL + leave(0), HALT, protection="trust")
    plain.run()
    assert plain.digest() == traced(Lines)[0].digest()


def test_lines_tell_who_did_what_to_whom():
    _, trace, text = traced(Lines, kinds=["message", "crossing"])
    events = [json.loads(line) for line in text.splitlines()]
    assert trace.written == len(events)
    crossings = [event for event in events if event["event"] == "crossing"]
    assert [(event["kernel"], event["act"], event["target"]) for event in crossings] == [
        ("k0", "ipi", "k1"),
        ("k0", "read", "k1"),
    ]
    assert not any(event["granted"] for event in crossings)
    message = next(event for event in events if event.get("vector") == "0x40")
    assert (message["kernel"], message["mode"], message["to_kernel"]) == ("k0", "fixed", "k1")
    assert message["arrives_ns"] - message["when_ns"] == 1000


def test_slices_nest_and_arrows_end_after_they_begin():
    one, _, text = traced(Chrome)
    events = json.loads(text)["traceEvents"]
    open_slices: Counter[int] = Counter()
    begun = {}
    for event in events:
        if event["ph"] in "BE":
            open_slices[event["tid"]] += 1 if event["ph"] == "B" else -1
            assert open_slices[event["tid"]] in (0, 1)
        elif event["ph"] == "s":
            begun[event["id"]] = event["ts"]
        elif event["ph"] == "f":
            assert event["ts"] >= begun[event["id"]]
    assert not any(open_slices.values())
    names = {event["args"]["name"] for event in events if event.get("name") == "process_name"}
    assert names == {"k0", "k1"}
    assert max(event.get("ts", 0) for event in events) <= one.nanoseconds / 1000


def test_a_trace_holds_what_was_asked_for():
    _, trace, text = traced(Lines, kinds=["crossing"], most=1)
    assert [json.loads(line)["event"] for line in text.splitlines()] == ["crossing"]
    assert (trace.written, trace.dropped) == (1, 1)


def test_what_does_not_fit_is_counted():
    one = machine(HALT, HALT)
    seen = []
    one.trace(lambda events: seen.append(len(events)))
    one.board.machine["trace_size"] = 1
    one.run()
    assert set(seen) == {1}
    assert one.events_lost > 0


def test_a_file_is_whole_even_if_the_run_breaks_off(tmp_path):
    path = tmp_path / "run.json"
    one = machine(HALT)
    events = np.array([(5, 0, 0, 0, 0, WOKE, 0, 0), (7, 0x30, 0, 0, 0, INTERRUPTED, 0, 0)], EVENT)
    with contextlib.suppress(RuntimeError), tracing(one, path, kinds={"interrupt"}, most=10) as trace:
        trace(events)
        raise RuntimeError
    assert [event["name"] for event in json.loads(path.read_text())["traceEvents"] if event["ph"] == "i"] == [
        "interrupt 0x30"
    ]


def test_time_goes_on_behind_nine_seconds():
    event = np.array([(10**10, 0, 0, 0, 0, WOKE, 0, 0)], EVENT)[0]
    assert fact(machine(HALT), event)["when_ns"] == 10**10


def test_the_command_line_knows_all_forms_and_kinds():
    assert tuple(FORMS) == TRACE_FORMS
    assert tuple(KINDS) == TRACE_KINDS
