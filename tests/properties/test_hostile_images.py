"""Whatever the image: the host does not die, hang or grow, neither at reading it nor at running it."""

import json
import subprocess
import sys
from random import Random

import pytest

from tests.properties import wild_images
from tests.properties.test_any_bytes import judge

GROWTH = 64
"""MiB that a process may grow by after the first quarter of its boots; a leak of machines would be more."""


def test_thousands_of_damaged_images_are_images_or_image_errors():
    random, seeds = Random(4), wild_images.good()
    taken = 0
    for number in range(6000):
        taken += judge(wild_images.damaged(random, seeds[number % len(seeds)])) is not None
    assert taken > 500, "most are refused at their first field: that proves little"


def boot(seed: int, count: int) -> dict[str, int]:
    """Boot images in a process of their own, as a crash would end it; return how many came to what end."""
    command = [sys.executable, "-m", "tests.properties.wild_images", str(seed), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 2 * count, check=False)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    told = json.loads(done.stdout)
    assert told["late"] - told["early"] <= GROWTH
    fates: dict[str, int] = told["fates"]
    return fates


def test_a_damaged_image_runs_to_an_end_with_a_name():
    fates = boot(5, 120)
    assert {"refused", "triple fault", "exit", "halt"} <= set(fates)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_a_thousand_damaged_images_run_to_an_end(seed):
    assert sum(boot(seed, 1000).values()) == 1000
