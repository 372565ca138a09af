import re
from pathlib import Path

import pytest

from tests.guest.booting import boot_scenario


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_senders_one_receiver(seed: int, tmp_path: Path) -> None:
    run = boot_scenario("ring", tmp_path, f"--seed={seed}")
    assert run.code == 0, run.console
    first, *senders = run.console["receiver"].splitlines()
    assert re.match(r"600 messages of 3 senders in \d+ interrupts", first)
    assert sorted(senders) == [f"APIC ID {n} sent 200, in order" for n in (1, 2, 3)]


def test_one_interrupt_follows_each_message(tmp_path: Path) -> None:
    run = boot_scenario("ring", tmp_path)
    assert run.crossings == {(name, "ipi", "receiver"): 200 for name in ("red", "green", "blue")}
    assert run.violations == 0


def test_a_sender_that_dies_before_it_publishes_wedges_the_ring(tmp_path: Path) -> None:
    run = boot_scenario("ring", tmp_path, config="wedge.toml")
    assert run.code == 0, run.console
    assert run.reasons["red"] == "triple fault"
    assert "APIC ID 1 sent 49, in order" in run.console["receiver"]
    assert run.exits["green"] == run.exits["blue"] == 2
