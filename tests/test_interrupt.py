"""Ctrl-C, as a user presses it: the signal reaches a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.guest.booting import BUILT

PATIENCE = 20
"""Seconds of the host's: far more than a slice, a digest and an exit take, far less than these guests run."""

CONFIG = """
[machine]
memory = "16M"
cores = 2
protection = "trust"

[kernel.busy]
image = "{image}"
memory = ["4M"]
cmdline = "{cmdline}"
"""

BUSY = {
    "translated code": "storm",
    "a call out of it for every store": "rep-stos to=0x900000",
    "ever fresh code": "flood-code",
}


def mksim(*arguments: str) -> "subprocess.Popen[str]":
    # whoever runs the tests in the background of a shell has them ignore the signal
    command = ["env", "--default-signal=INT", sys.executable, "-m", "mksim", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("cmdline", BUSY.values(), ids=BUSY)
def test_a_busy_machine_hears_it_and_tells_its_summary(cmdline: str, tmp_path: Path) -> None:
    config, summary = tmp_path / "busy.toml", tmp_path / "summary.json"
    config.write_text(CONFIG.format(image=BUILT / "tests/hostile.elf", cmdline=cmdline))
    console = tmp_path / "console"
    os.mkfifo(console)
    run = mksim("boot", str(config), "--quiet", f"--summary={summary}", f"--console=busy={console}")
    console.open().close()  # both ends open: nothing is left to wait for but the run
    time.sleep(2)
    pressed = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    assert time.monotonic() - pressed < PATIENCE
    assert (run.returncode, error) == (1, "")
    assert json.loads(summary.read_text())["outcome"] == "interrupted"


def test_before_anything_runs_it_ends_without_a_word(tmp_path: Path) -> None:
    config, console = tmp_path / "busy.toml", tmp_path / "console"
    config.write_text(CONFIG.format(image=BUILT / "tests/hostile.elf", cmdline="storm"))
    os.mkfifo(console)  # nobody reads it, ever
    run = mksim("boot", str(config), f"--console=busy={console}")
    time.sleep(2)
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=60) == ("", "")
    assert run.returncode == 130
