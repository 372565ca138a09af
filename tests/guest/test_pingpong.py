import re
from pathlib import Path

import pytest

from tests.guest.booting import boot_scenario, boot_variant


def test_every_message_comes_back(tmp_path: Path) -> None:
    run = boot_scenario("pingpong", tmp_path)
    assert run.code == 0
    assert re.fullmatch(r"1000 round trips, \d+ cycles each\n", run.console["ping"])
    assert run.console["pong"] == "answered 1000\n"


def test_each_way_is_one_granted_crossing(tmp_path: Path) -> None:
    run = boot_scenario("pingpong", tmp_path)
    assert run.crossings == {("ping", "ipi", "pong"): 1000, ("pong", "ipi", "ping"): 1000}
    assert run.violations == 0


@pytest.mark.parametrize("seed", [2, 3])
def test_any_interleaving_will_do(seed: int, tmp_path: Path) -> None:
    assert boot_scenario("pingpong", tmp_path, f"--seed={seed}").code == 0


@pytest.mark.slow
def test_a_million_round_trips(tmp_path: Path) -> None:
    run = boot_variant("pingpong", tmp_path, "count=1000", "count=1000000")
    assert run.code == 0
    assert run.console["pong"] == "answered 1000000\n"


def test_a_limit_ends_it_with_a_code_of_its_own_and_a_summary(tmp_path: Path) -> None:
    run = boot_scenario("pingpong", tmp_path, "--until=200us")
    assert (run.code, run.summary["outcome"]) == (3, "limit")
    kernels = run.summary["kernels"]
    assert [(kernel["state"], kernel["cores"]) for kernel in kernels.values()] == [
        ("running", [0]),
        ("running", [1]),
    ]
    assert sum(kernel["instructions"] for kernel in kernels.values()) <= run.summary["instructions"]
    promised = {"seed", "virtual_ns", "instructions", "digest", "kernels", "crossings", "violations"}
    assert set(run.summary) >= promised
