"""The docs are run: what they show is what happens.

A `console` block is run, line by line, and its output compared: the words and their order within a kernel's
console, but not the numbers, which any change to a kernel moves. `sh` blocks hold make targets that are too
large to run here; `python` blocks run, and print what a `text` block behind them shows; pytest runs those
with tests. `toml` blocks are checked.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mksim.cli import COMPILING, main
from tests.conftest import needs_package
from tests.library.test_plugin import PLUGIN

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)

MADE_FIRST = {"make boot": ["boot", "kernels/showcase/config.toml"]}
"""What a command comes to when everything is built."""


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str
    shown: str | None
    """What a block of plain text directly behind it shows."""


def blocks(language: str) -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            block = Block(page.name, text[: match.start()].count("\n") + 1, match[1], match[2], match[3])
            if block.language == language:
                marks = [needs_package("pandas")] if "pandas" in block.text else []
                found.append(pytest.param(block, id=f"{block.page}:{block.line}", marks=marks))
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """Split a console block into (command, output) pairs."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def arguments(command: str) -> list[str]:
    """Return the arguments for mksim that a documented command has."""
    if command in MADE_FIRST:
        return MADE_FIRST[command]
    words = shlex.split(command)
    assert words[:3] == [".venv/bin/python", "-m", "mksim"], command
    return words[3:]


def words(output: str) -> list[str]:
    """Return the lines of an output without their numbers, consoles of different kernels untangled."""
    lines = [re.sub(r"\b[0-9a-f]{64}\b|0x[0-9a-f]+|\d[\d,.]*", "#", line) for line in output.splitlines()]
    return sorted((re.sub(r" +", " ", line.rstrip()) for line in lines), key=lambda line: line.split(" ")[0])


def execute(*how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *how]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900, check=False
    )


def run(command: str) -> str:
    done = execute("-m", "mksim", *arguments(command))
    return (done.stdout + done.stderr).replace(f"{COMPILING}\n", "")  # if this boot is the first one


@pytest.mark.parametrize("block", blocks("console"))
def test_a_transcript_is_what_one_gets(block: Block) -> None:
    for command, shown in commands(block.text):
        assert words(run(command)) == words(shown), f"{block.page}, line {block.line}: {command}"


def test_the_same_run_in_another_process() -> None:
    first, second = (run(".venv/bin/python -m mksim boot kernels/pingpong/config.toml") for _ in range(2))
    assert "digest " in first
    assert first == second


@pytest.mark.parametrize("block", blocks("python"))
def test_a_python_example_runs(block: Block, tmp_path: Path) -> None:
    if "def test_" in block.text:
        (tmp_path / "test_example.py").write_text(block.text)
        done = execute("-m", "pytest", str(tmp_path), "-p", PLUGIN, f"--rootdir={tmp_path}")
    else:
        done = execute("-c", block.text)
    assert done.returncode == 0, done.stdout + done.stderr
    if block.shown is not None:
        assert words(done.stdout) == words(block.shown)


@pytest.mark.parametrize("block", blocks("sh"))
def test_a_shell_example_names_targets_that_exist(block: Block) -> None:
    makefiles = (ROOT / "Makefile").read_text()
    for name in re.findall(r"^include (.+)", makefiles, re.MULTILINE):
        makefiles += (ROOT / name).read_text()
    for line in block.text.splitlines():
        command, target = shlex.split(line, comments=True)[:2]
        assert command == "make"
        assert re.search(rf"^{target}:", makefiles, re.MULTILINE), line


@pytest.mark.parametrize("block", blocks("toml"))
def test_a_config_example_is_right(block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(block.text.replace("../../build", str(ROOT / "build")))
    assert main(["check", str(config)]) == 0, capsys.readouterr().err


def test_the_explained_config_is_the_file() -> None:
    """README explains kernels/pingpong/config.toml: the same lines but for comments."""
    explained = next(block.values[0] for block in blocks("toml") if block.values[0].page == "README.md")
    file = (ROOT / "kernels/pingpong/config.toml").read_text()
    assert stripped(explained.text) == stripped(file)


def stripped(config: str) -> list[str]:
    return [line for line in (re.sub(r"\s*#.*", "", line) for line in config.splitlines()) if line]
