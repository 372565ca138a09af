"""Real lldb, unmodified, drives the same server. It knows one process: sees the kernel that comes first."""

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import needs
from tests.debug.gdb import PATIENCE, wait_for
from tests.debug.test_gdb import PINGPONG, line_of
from tests.guest.booting import ROOT

pytestmark = needs("lldb")


def lldb(into: Path, commands: list[str]) -> tuple[str, str]:
    """Run lldb's commands on pingpong; return what it printed, and what mksim did."""
    script = into / "commands.gdb"
    machine = subprocess.Popen(
        [sys.executable, "-m", "mksim", "debug", str(PINGPONG), "--gdb=0", f"--gdbinit={script}"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        wait_for(script, machine)
        where = re.search(r"extended-remote (\S+)", script.read_text())
        assert where is not None
        first = ["target create build/kernels/pingpong/ping.elf", f"gdb-remote {where[1]}"]
        words = [part for line in [*first, *commands] for part in ("-o", line)]
        done = subprocess.run(
            ["lldb", "--batch", "--no-lldbinit", *words],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        shown, errors = machine.communicate(timeout=PATIENCE)
    finally:
        machine.kill()
    return done.stdout, shown + errors


def test_breakpoints_steps_registers_memory_and_the_end(tmp_path: Path) -> None:
    shown, machine = lldb(
        tmp_path,
        ["register read rip cr0", "breakpoint set -H -n ring", "continue", "bt", "si", "memory read $rsp",
         "kill"],
    )  # fmt: skip
    ring = line_of("pingpong/ping.c", "ring(bell);")
    assert re.search(r"^ +rip = 0x00000000fffffff0$", shown, re.MULTILINE)
    assert "stop reason = breakpoint 1.1" in shown
    assert re.search(rf"frame #2: .*main at ping\.c:{ring}", shown)
    assert "stop reason = instruction step into" in shown
    assert re.search(r"^0xffffffff\w{8}: (\w\w ){16}", shown, re.MULTILINE)
    assert "exited with status = 9" in shown
    assert "interrupted" in machine
