"""A whole run of the command line: `mksim boot`, from process start to end."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds by the wall and of processor time, and the most memory it ever held, in bytes."""

    wall: float
    cpu: float
    rss: int


def boot(config: Path) -> Run:
    """Boot a config; RuntimeError unless it ends as expected."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "mksim", "boot", str(config), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"mksim boot {config} exited with {process.returncode}")
    wall = time.perf_counter() - start
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
