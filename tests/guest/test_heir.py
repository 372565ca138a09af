"""Devices of a kernel that has died, and their heir."""

from pathlib import Path

from tests.guest.booting import boot_scenario, boot_variant


def test_the_heir_finds_every_write_that_was_acknowledged(tmp_path: Path) -> None:
    run = boot_scenario("heir", tmp_path)
    assert run.code == 0, run.console
    assert run.exits == {"peer": 0, "owner": None, "heir": 0}
    assert run.console["heir"].startswith("100 sectors were acknowledged, and are there")
    assert run.console["peer"] == "100 frames from the owner, and one from its heir\n"
    frames = {(who, target): count for (who, act, target), count in run.crossings.items() if act == "frame"}
    assert frames == {("owner", "peer"): 100, ("heir", "peer"): 1}
    assert run.violations == 0


def test_without_a_will_nobody_gets_anything(tmp_path: Path) -> None:
    run = boot_variant("heir", tmp_path, 'heir = "heir"\n', "")
    assert run.code == 3
    assert run.console["heir"] == ""
