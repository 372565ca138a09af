"""The same guest under QEMU: timed from its "go" on the serial port to QEMU's end."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.clocks import Took

QEMU = "qemu-system-x86_64"
BOARD = ["-nodefaults", "-display", "none", "-no-reboot", "-m", "64", "-serial", "stdio"]
BOARD += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


def installed() -> bool:
    return shutil.which(QEMU) is not None


def run(kernel: Path, command_line: str, *options: str) -> Took:
    """Boot an image; RuntimeError unless it exits with 0."""
    command = [QEMU, *BOARD, *options, "-kernel", str(kernel), "-append", command_line]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        start = Took(time.perf_counter(), processor_time(process.pid))
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        end = Took(time.perf_counter(), usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
    if line.strip() != "go" or process.returncode != 1:  # isa-debug-exit: 2 * code + 1
        raise RuntimeError(f"{kernel} under QEMU: said {line!r}, exit {process.returncode}")
    return end - start


def processor_time(pid: int) -> float:
    """Return the seconds that all threads of a process have run so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
