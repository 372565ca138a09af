"""From a file to a TOML document, in bounded time whatever the file holds."""

import tomllib
from pathlib import Path
from typing import Any

from mksim.boot.files import read_bounded
from mksim.errors import ConfigError, FileError, Problem

CONFIG_LIMIT = 1 << 18
"""Bytes of a config; 255 kernels with all their keys need a fraction."""
LINE_LIMIT = 1 << 13
DOTS_LIMIT = 128
"""Bytes and dots of a line: tomllib needs time in the square of the number of parts of a dotted key."""


def read_document(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; ConfigError, with line and column, if it is none."""
    try:
        return parse_document(read_bounded(path, CONFIG_LIMIT))
    except FileError as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error}")]) from error
    except ValueError as error:
        raise ConfigError([Problem(str(path), "", f"is no TOML: {error}")]) from error


def parse_document(data: bytes) -> dict[str, Any]:
    """Return the tables of a TOML document; ValueError if it is none."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if len(line) > LINE_LIMIT or line.count(b".") > DOTS_LIMIT:
            raise ValueError(f"line {number} has over {LINE_LIMIT} bytes or {DOTS_LIMIT} dots")
    try:
        return tomllib.loads(data.decode())
    except RecursionError:
        raise ValueError("it nests too deeply") from None
