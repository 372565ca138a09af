"""What Linux says of this machine and not of QEMU's is in docs/linux.md, with the reason."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import needs, needs_guest
from tests.guest.dmesg import TROUBLE, differing

PAGE = Path(__file__).parents[2] / "docs/linux.md"
WORD = 10
"""Letters that a phrase must have to be looked for within a line."""


@cache
def listed() -> list[str]:
    """Return the phrases in the first column of the page's table of what only mksim has."""
    table = PAGE.read_text().split("## Only mksim")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row)]


def known(line: str) -> bool:
    return any(phrase == line or (len(phrase) > WORD and phrase in line) for phrase in listed())


@needs("qemu-system-x86_64")
@needs_guest("vmlinuz", "vmlinuz-newest", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize("image", ["vmlinuz", "vmlinuz-newest"])
@pytest.mark.parametrize("cores", [1, 4])
def test_trouble_that_qemu_has_not_is_on_the_page(image: str, cores: int) -> None:
    ours = [line[2:] for line in differing(image, cores, TROUBLE) if line.startswith("> ")]
    assert ours
    assert [line for line in ours if not known(line)] == []
