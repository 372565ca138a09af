"""The same rogue on a guarded machine and on a trusting one: what each does, and what it has on record."""

import re
from pathlib import Path

from tests.guest.booting import boot_scenario

ATTEMPTS = 23
RECORD = {
    ("read", "victim"): 4,  # plain, locked, by a string instruction, across the border
    ("write", "victim"): 4,
    ("execute", "victim"): 1,
    ("walk", "victim"): 2,  # an entry of a page table, in two halves
    ("out", "victim"): 2,
    ("in", "victim"): 1,
    ("device_read", "victim"): 1,
    ("device_write", "victim"): 1,
    ("config_read", "victim"): 1,
    ("ipi", "victim"): 2,  # by name and by shorthand
    ("ipi", "bystander"): 1,
    ("nmi", "victim"): 1,
    ("sipi", "victim"): 1,
    ("init", "victim"): 1,
    ("read", "firmware"): 1,
    ("write", "nobody"): 1,
}


def test_guard_lets_nothing_happen(tmp_path: Path) -> None:
    run = boot_scenario("rogue", tmp_path)
    assert run.code == 0, run.console
    assert run.console["rogue"].count("refused, machine check") == ATTEMPTS
    for name in ("victim", "bystander"):
        assert re.search(r"0 words changed, 0 uninvited interrupts, 0 NMIs", run.console[name])
    assert run.exits == {"victim": 0, "rogue": 0, "bystander": 0}


def test_guard_has_it_on_record(tmp_path: Path) -> None:
    run = boot_scenario("rogue", tmp_path)
    assert run.violations == sum(RECORD.values())
    assert run.crossings == {("rogue", *key): count for key, count in RECORD.items()}
    assert not any(violation["happened"] for violation in run.summary["violations"])


def test_trust_lets_it_all_happen(tmp_path: Path) -> None:
    run = boot_scenario("rogue", tmp_path, config="trust.toml")
    assert run.code == 0, run.console
    assert run.console["rogue"].count("it happened") == ATTEMPTS
    assert "was changed to 0xc300000666b8" in run.console["victim"]
    assert "!" in run.console["victim"]
    assert run.summary["kernels"]["victim"]["screen"] == ["!!!!"]
    assert "vector 102" in run.console["bystander"]  # nobody named it: a shorthand reaches everybody
    assert run.exits["rogue"] == run.exits["bystander"] == 0
    assert run.reasons["victim"] == "halt"  # its core waits for a SIPI
    assert all(violation["happened"] for violation in run.summary["violations"])
    assert set(run.crossings) == {("rogue", *key) for key in RECORD}


