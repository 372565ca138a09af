"""What build/bench.json holds. No times are judged here: a test host is busy with other things."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.rows import OURS, Row, compare, table, write

KEYS = {"name", "value", "unit", "better", "peer", "ratio", "goal"}
ALONE = Row(name="a", value=2.0, unit="s", better="lower", goal=1.0)
MISSING = compare("b", "1/s", {OURS: [1.0, 2.0, 4.0]}, "QEMU", 10.0)
COMPARED = compare("c", "1/s", {OURS: [2.0, 30.0, 8.0], "QEMU": [1.0, 3.0, 2.0]}, "QEMU", 4.0)


def test_rows_have_the_promised_keys(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    write([ALONE, MISSING, COMPARED], path)
    rows = json.loads(path.read_text())
    assert all(set(row) == KEYS and row["better"] in {"higher", "lower"} for row in rows)
    assert [row["ratio"] for row in rows] == [None, None, 4.0]
    assert [row["peer"] for row in rows] == [None, "QEMU", "QEMU"]


def test_ratio_is_the_median_of_the_rounds() -> None:
    assert (COMPARED.value, COMPARED.ratio) == (8.0, 4.0)


def test_goal_is_for_the_ratio_where_there_is_a_peer() -> None:
    assert [row.met for row in (ALONE, MISSING, COMPARED)] == [False, None, True]


def test_table_has_a_line_per_row() -> None:
    lines = table([ALONE, MISSING, COMPARED])
    assert len(lines) == 4
    assert "missed" in lines[1]
    assert lines[3].endswith("met")


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_has_rows(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").rows)


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err
