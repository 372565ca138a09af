import re
from pathlib import Path

import pytest

from tests.guest.booting import boot_scenario


@pytest.mark.parametrize("seed", [1, 2])
def test_four_cores_one_sum(seed: int, tmp_path: Path) -> None:
    run = boot_scenario("smp", tmp_path, f"--seed={seed}")
    assert run.code == 0, run.console
    *cores, total = run.console["crowd"].splitlines()
    assert [re.search(r"APIC ID (\d)", line)[1] for line in cores] == ["0", "2", "4", "6"]
    assert total == "2262 primes below 20000, found by 4 cores"
    assert all(int(re.search(r"searched (\d+) parts", line)[1]) > 10 for line in cores)


def test_the_neighbour_is_undisturbed(tmp_path: Path) -> None:
    run = boot_scenario("smp", tmp_path)
    _, strays, shortest, longest = map(int, re.findall(r"\d+", run.console["metronome"]))
    assert strays == 0
    assert shortest == longest
    assert run.crossings == {}
