"""`mksim debug --prompt` as a user has it who pipes commands in."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.debug.gdb import PATIENCE, Session
from tests.guest.booting import ROOT

PROMPT = re.compile(r"^\(\w+ \d+\) ", re.MULTILINE)


def prompt(config: Path, commands: Sequence[str], *arguments: str) -> Session:
    """Run commands; the last one must be `quit` or `detach`, behind whose echo the rest of the run is."""
    done = subprocess.run(
        [sys.executable, "-m", "mksim", "debug", str(config), "--prompt", *arguments],
        cwd=ROOT, input="\n".join([*commands, ""]), capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    outputs = [part.partition("\n")[2].rstrip() for part in PROMPT.split(done.stdout)[1:]]
    return Session(outputs, done.stdout + done.stderr, done.returncode)
