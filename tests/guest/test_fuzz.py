"""A guest that acts at random, on all that a kernel can act on, cannot hurt the host or a neighbour."""

import json
import subprocess
import sys

import pytest

GROWTH = 128 << 10
"""KiB that a process may grow by after its first machine: as much as another's memory and translated code."""
TIMEOUT = 900

ENDS = {"exit", "halt", "triple fault", "machine check", "reset", "power off", ""}


def thrown(protection: str, cmdline: str, seeds: range) -> list[list[str | int | None]]:
    """Return how each seed's kernel ended, its exit code, and its neighbour's."""
    words = [protection, cmdline, str(seeds.start), str(seeds.stop)]
    command = [sys.executable, "-m", "tests.guest.dice", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["grown_kib"] < GROWTH
    return result["ends"]


def claim_survived(protection: str, acts: int, seeds: range) -> None:
    """Nearly all do: dice can map a kernel's own code, and spoil it."""
    ends = thrown(protection, f"acts={acts}", seeds)
    assert sum(end == ["exit", 0, 0] for end in ends) >= 0.9 * len(seeds), ends
    assert all(watch == 0 for *_, watch in ends)


def claim_ended(protection: str, seeds: range) -> None:
    ends = thrown(protection, "fatal", seeds)
    assert {reason for reason, *_ in ends} <= ENDS
    if protection == "guard":
        assert all(watch == 0 for *_, watch in ends)


def test_twenty_thousand_acts() -> None:
    claim_survived("guard", 10_000, range(1, 3))


@pytest.mark.parametrize("protection", ["guard", "trust"])
def test_the_last_act_of_a_kernel(protection: str) -> None:
    claim_ended(protection, range(1, 13))


@pytest.mark.slow
def test_a_million_acts() -> None:
    claim_survived("guard", 100_000, range(1, 11))


@pytest.mark.slow
@pytest.mark.parametrize("protection", ["guard", "trust"])
def test_the_last_acts_of_many(protection: str) -> None:
    claim_ended(protection, range(13, 113))
