"""Traces in the Perfetto UI itself: both forms open, and its SQL finds in them what has happened."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mksim.cli import main
from mksim.engine.tracing import EVENT, INTERRUPTED, SENT, WOKE
from mksim.observe.arrows import Arrows
from mksim.observe.perfetto import Perfetto
from mksim.observe.protobuf import data, fixed64, number, text, varint
from mksim.observe.trace import Trace
from mksim.spec.apic import FIXED, INIT, NMI, SIPI
from tests.conftest import needs, needs_package
from tests.guest.booting import ROOT
from tests.machine.guests import HALT, leave, machine
from tests.observe.browser import BROWSER
from tests.observe.perfetto_ui import PACKAGE, Ui, opened

FLOWS = """
    select p.name, q.name, b.ts - a.ts from flow
    join slice a on slice_out = a.id join thread_track t on a.track_id = t.id
    join thread using (utid) join process p using (upid)
    join slice b on slice_in = b.id join thread_track u on b.track_id = u.id
    join thread v on u.utid = v.utid join process q on v.upid = q.upid
    where p.name != q.name and (b.name like 'interrupt%' or b.name = 'run')
"""


def traced(folder: Path, scenario: str, ending: str) -> Path:
    trace = folder / f"run{ending}"
    main(["boot", str(ROOT / "kernels" / scenario / "config.toml"), "--quiet", f"--trace={trace}"])
    return trace


@pytest.fixture(scope="module")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    with opened(traced(tmp_path_factory.mktemp("perfetto"), "showcase", ".pftrace")) as ui:
        yield ui


browser = [needs(BROWSER), needs_package(PACKAGE)]


def marked(function):
    for mark in browser:
        function = mark(function)
    return function


@marked
def test_every_kernel_is_a_process_and_every_core_a_thread(showcase: Ui) -> None:
    rows = showcase.sql(
        "select p.name, group_concat(t.name) from thread t join process p using (upid) "
        "where p.name is not null group by upid"
    )
    cores = {name: sorted(threads.split(",")) for name, threads in rows}
    assert cores == {
        "alice": ["core 0"],
        "bob": ["core 1"],
        "crowd": ["core 2", "core 3", "core 4", "core 5"],
        "mallory": ["core 6"],
        "phoenix": ["core 7"],
    }


@marked
def test_nothing_of_it_is_strange_to_the_trace_processor(showcase: Ui) -> None:
    assert showcase.sql("select name, value from stats where severity = 'error' and value > 0") == []
    assert showcase.sql("select count(*) from slice where dur < 0") == [["0"]]


@marked
def test_arrows_lead_from_who_sent_to_who_took_it(showcase: Ui) -> None:
    flows = [row for row in showcase.sql(FLOWS) if row[2] == "1000"]
    assert sorted(row[:2] for row in flows) == [["alice", "bob"], ["bob", "alice"]]


@marked
def test_counters_count(showcase: Ui) -> None:
    rows = showcase.sql(
        "select p.name, max(value) from counter join process_counter_track t on track_id = t.id "
        "join process p using (upid) where t.name = 'violations' group by 1"
    )
    assert rows == [["mallory", "5"]]


@marked
def test_arguments_of_a_violation_are_there(showcase: Ui) -> None:
    rows = showcase.sql(
        "select name, extract_arg(arg_set_id, 'debug.target') from slice "
        "where category = 'violation' order by ts"
    )
    acts = [(row[0].split()[0], row[1]) for row in rows]
    assert acts == [
        ("read", "alice"),
        ("write", "alice"),
        ("execute", "alice"),
        ("nmi", "crowd"),
        ("init", "bob"),
    ]


@marked
def test_the_other_form_opens_too(tmp_path: Path) -> None:
    with opened(traced(tmp_path, "pingpong", ".json")) as ui:
        assert ui.sql("select count(*) from flow") == [["2002"]]  # with what the firmware starts pong by
        assert Counter(row[0] for row in ui.sql("select name from process")) >= Counter(
            {"ping": 1, "pong": 1}
        )


@marked
def test_dma_is_on_the_track_of_its_device(tmp_path: Path) -> None:
    with opened(traced(tmp_path, "dma", ".pftrace")) as ui:
        rows = ui.sql(
            "select distinct t.name from slice join track t on track_id = t.id where slice.name like 'dma%'"
        )
        assert len(rows) == 1
        assert rows[0][0].startswith("device ")


# --- without a browser ---


def event(
    kind: int, when: int, *, core: int = 0, value: int = 0, until: int = 0, other: int = 0, mode: int = 0
):
    return np.array([(when, value, until, core, other, kind, mode, 1)], EVENT)[0]


def test_an_arrow_ends_where_its_vector_is_taken() -> None:
    arrows = Arrows()
    first = arrows.sent(event(SENT, 0, until=10, other=1, value=0x40, mode=FIXED))
    second = arrows.sent(event(SENT, 0, until=10, other=1, value=0x41, mode=FIXED))
    third = arrows.sent(event(SENT, 0, until=10, other=1, mode=NMI))
    assert arrows.landed(event(WOKE, 10, core=1)) == []
    assert arrows.landed(event(INTERRUPTED, 9, core=1, value=0x40)) == []
    assert arrows.landed(event(INTERRUPTED, 10, core=1, value=0x41)) == [second]
    assert arrows.landed(event(INTERRUPTED, 11, core=1, value=0x40)) == [first]
    assert arrows.landed(event(INTERRUPTED, 12, core=1, value=2)) == [third]


def test_the_second_sipi_is_ignored() -> None:
    arrows = Arrows()
    init = arrows.sent(event(SENT, 0, other=1, mode=INIT))
    sipi = arrows.sent(event(SENT, 1, other=1, mode=SIPI))
    assert arrows.landed(event(WOKE, 1, core=1)) == [init, sipi]
    arrows.sent(event(SENT, 2, other=1, mode=SIPI))
    assert arrows.landed(event(WOKE, 90, core=1)) == []
    assert arrows.landed(event(WOKE, 91, core=1)) == []


def test_numbers_on_the_wire() -> None:
    assert varint(0) == b"\0"
    assert varint(300) == b"\xac\x02"  # the example of the encoding's description
    assert varint(-1) == b"\xff" * 9 + b"\x01"
    assert number(1, 150) == b"\x08\x96\x01"
    assert text(2, "testing") == b"\x12\x07testing"
    assert data(3, number(1, 150)) == b"\x1a\x03\x08\x96\x01"
    assert fixed64(1, 1) == b"\x09" + (1).to_bytes(8, "little")


def test_who_looks_changes_nothing_and_one_run_is_one_file() -> None:
    plain, streams = machine(leave(0), HALT), []
    plain.run()
    for _ in range(2):
        one, stream = machine(leave(0), HALT), io.BytesIO()
        trace = Trace(one, form := Perfetto(one, stream), kinds=frozenset(("run", "message")), most=100)
        one.run()
        form.finish()
        assert trace.written > 0
        assert one.digest() == plain.digest()
        streams.append(stream.getvalue())
    assert streams[0] == streams[1]
