"""The sessions with gdb that docs/debugging.md shows are what one gets, but for numbers."""

import re
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.debug.gdb import PROMPT, debug
from tests.guest.booting import ROOT

PAGE = ROOT / "docs" / "debugging.md"
SESSION = re.compile(r"^```gdb (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sessions() -> list[object]:
    return [pytest.param(match[1], match[2], id=match[1]) for match in SESSION.finditer(PAGE.read_text())]


def masked(text: str) -> list[str]:
    """Return the lines of an output without numbers and padding."""
    lines = re.sub(r"0x[0-9a-f]+|\d[\d,]*", "#", text).strip().splitlines()
    return [re.sub(r"\s+", " ", line).strip() for line in lines if line.strip()]


@needs("gdb")
@pytest.mark.parametrize(("config", "text"), sessions())
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
