"""Debian's gdb against `mksim debug`, as a user has them: two processes and a socket."""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.guest.booting import ROOT

PROMPT = "(gdb) "
QUIET = ["set confirm off", "set pagination off", "set width 0", "set style enabled off"]
PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Session:
    """What gdb printed at each command, and what mksim printed."""

    outputs: list[str]
    machine: str
    code: int

    def __getitem__(self, command: int) -> str:
        return self.outputs[command]

    @property
    def digest(self) -> str:
        match = re.search(r"digest +([0-9a-f]{64})", self.machine)
        return match[1] if match else ""


def debug(config: Path, into: Path, commands: Sequence[str], *arguments: str) -> Session:
    """Run gdb's commands on a machine; gdb lets go of it at the end."""
    socket, script = into / "gdb.socket", into / "commands.gdb"
    where = [f"--gdb=unix:{socket}", f"--gdbinit={script}"]
    machine = subprocess.Popen(
        [sys.executable, "-m", "mksim", "debug", str(config), *where, *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        wait_for(script, machine)
        done = subprocess.run(
            ["gdb", "-nx", "-q", *(part for line in QUIET for part in ("-ex", line)), "-x", str(script)],
            cwd=ROOT, input="\n".join([*commands, ""]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        shown, errors = machine.communicate(timeout=PATIENCE)
    finally:
        machine.kill()
    assert done.returncode == 0, done.stdout
    outputs = re.split(r"^\(gdb\) ", done.stdout.replace(PROMPT, "\n" + PROMPT), flags=re.MULTILINE)
    return Session([output.rstrip() for output in outputs[1:]], shown + errors, machine.returncode)


def wait_for(script: Path, machine: "subprocess.Popen[str]") -> None:
    for _ in range(600):
        if script.exists() and script.read_text():
            return
        assert machine.poll() is None, machine.stderr and machine.stderr.read()
        time.sleep(0.1)
    raise AssertionError("mksim does not get ready")
