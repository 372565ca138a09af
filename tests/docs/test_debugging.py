"""The sessions with gdb that docs/debugging.md shows are what one gets, but for numbers."""

import re
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.debug.gdb import PROMPT, debug
from tests.debug.prompting import PROMPT as OURS
from tests.debug.prompting import prompt
from tests.guest.booting import ROOT

PAGE = ROOT / "docs" / "debugging.md"
SESSION = re.compile(r"^```(gdb|mksim) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CODE = re.compile(r"^ *[0-9a-f]+  (?:[0-9a-f]{2} )+.*$", re.MULTILINE)
"""An instruction: another compiler's is another."""


def sessions(kind: str) -> list[object]:
    found = SESSION.finditer(PAGE.read_text())
    return [pytest.param(match[2], match[3], id=match[2]) for match in found if match[1] == kind]


def masked(text: str) -> list[str]:
    """Return the lines of an output without numbers and padding."""
    lines = re.sub(r"0x[0-9a-f]+|\d[\d,]*", "#", text).strip().splitlines()
    return [re.sub(r"\s+", " ", line).strip() for line in lines if line.strip()]


@needs("gdb")
@pytest.mark.parametrize(("config", "text"), sessions("gdb"))
def test_a_session_is_what_one_gets(config: str, text: str, tmp_path: Path) -> None:
    commands, shown = [], []
    for part in text.split(PROMPT)[1:]:
        command, _, output = part.partition("\n")
        commands.append(command)
        shown.append(output)
    done = debug(ROOT / config, tmp_path, commands)
    assert len(done.outputs) >= len(commands), done.outputs
    for command, output, wanted in zip(commands, done.outputs, shown, strict=False):
        assert masked(output) == masked(wanted), command


@pytest.mark.parametrize(("config", "text"), sessions("mksim"))
def test_so_is_one_without_gdb(config: str, text: str) -> None:
    parts = [part.partition("\n") for part in OURS.split(text)[1:]]
    done = prompt(ROOT / config, [command for command, _, _ in parts])
    for (command, _, wanted), output in zip(parts[:-1], done.outputs[:-1], strict=True):
        assert masked(CODE.sub("code", output)) == masked(CODE.sub("code", wanted)), command
