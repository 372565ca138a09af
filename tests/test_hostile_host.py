"""A host that has no room, no home, or somebody else at the same work: what a user gets to see then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mksim.cli import COMPILING

HELLO = "kernels/hello/config.toml"
FULL = "/dev/full"


def mksim(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "mksim", *arguments]
    return subprocess.Popen(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


def ended(run: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code and standard error, but for the line that a cold start begins with."""
    error = run.communicate(timeout=900)[1]
    return run.returncode, error.removeprefix(f"{COMPILING}\n")


@pytest.mark.parametrize("option", ["--summary=/dev/full", "--console=alice=/dev/full"])
def test_a_full_disk_is_named(option: str) -> None:
    assert ended(mksim("boot", HELLO, "--quiet", option)) == (1, f"{FULL}: No space left on device\n")


def test_a_full_disk_behind_standard_output_is_told() -> None:
    with Path(FULL).open("w") as full:
        code, error = ended(mksim("boot", HELLO, stdout=full.fileno()))
    assert code == 1
    assert error.endswith("No space left on device\n")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--summary=/nowhere/run.json", "No such file or directory"),
        ("--console=alice=/nowhere/alice.log", "No such file or directory"),
        ("--summary=/proc/run.json", "No such file or directory"),
        ("--summary=kernels", "Is a directory"),
        ("--record=/nowhere/run.mk", "No such file or directory"),
        ("--trace=/nowhere/run.json", "No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_runs(option: str, reason: str) -> None:
    name = option.rpartition("=")[2]
    assert ended(mksim("boot", HELLO, option)) == (2, f"{name}: {reason}\n")


def test_many_at_once_are_as_one_alone() -> None:
    runs = [mksim("boot", HELLO) for _ in range(4)]
    told = [run.communicate(timeout=600) for run in runs]
    assert all(one == told[0] for one in told)
    assert told[0][0].rpartition("digest")[1]


@pytest.mark.slow
def test_two_cold_starts_at_once(tmp_path: Path) -> None:
    runs = [mksim("boot", HELLO, "--quiet", XDG_CACHE_HOME=str(tmp_path)) for _ in range(2)]
    told = {ended(run) for run in runs}
    assert {code for code, _ in told} == {0}
    assert ended(mksim("boot", HELLO, "--quiet", XDG_CACHE_HOME=str(tmp_path))) == (0, "")
