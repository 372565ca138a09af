"""Results as DataFrames: the rows are those of the ledger and of the trace."""

import sys

import pytest

import mksim
from tests.conftest import needs_package
from tests.guest.booting import scenario_layout


@pytest.fixture(scope="module")
def showcase() -> mksim.Machine:
    machine = mksim.Machine(scenario_layout("showcase"), events=100_000)
    machine.run()
    return machine


@needs_package("pandas")
def test_violations_are_rows_with_names(showcase):
    table = showcase.violations()
    assert len(table) == showcase.ledger.violations
    assert set(table["kernel"]) == {"mallory"}
    assert list(table["act"]) == ["read", "write", "execute", "nmi", "init"]
    assert not table["granted"].any()
    assert len(showcase.crossings()) == showcase.ledger.total


@needs_package("pandas")
def test_kernels_are_rows(showcase):
    table = showcase.kernels().set_index("kernel")
    assert table.loc["phoenix", "restarts"] == 1
    assert set(table["exit"]) == {0}
    assert table["instructions"].sum() <= showcase.instructions


@needs_package("pandas")
def test_messages_arrive_after_they_are_sent(showcase):
    table = showcase.messages()
    assert (table["arrives_ns"] >= table["when_ns"]).all()
    across = table[table["kernel"] != table["to_kernel"]]
    assert {("alice", "bob"), ("bob", "alice")} <= set(
        across[["kernel", "to_kernel"]].itertuples(index=False)
    )
    assert len(showcase.events()) == showcase.recent.seen


@needs_package("pandas")
def test_an_empty_table_is_a_table():
    machine = mksim.Machine(scenario_layout("hello"), events=10)
    assert machine.violations().empty
    assert machine.messages().empty


def test_what_is_missing_is_named(monkeypatch):
    machine = mksim.Machine(scenario_layout("hello"))
    with pytest.raises(ValueError, match="events=100_000"):
        machine.events()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"mksim\[frames\]"):
        machine.kernels()
