"""Consoles: each kernel's bytes as lines, prefixed by its name, and as they are into files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

LINE_MAX = 4096
"""A line is broken there: no kernel makes its observer keep more."""

FIRMWARE_NAME = "firmware"


class Sink(Protocol):
    """Where a console's bytes can go."""

    @property
    def name(self) -> str: ...
    def write(self, data: bytes, /) -> object: ...


class Consoles:
    """Splits what all kernels write into lines. `names` are by kernel id; `show` gets each line, prefixed.

    What a kernel with a file in `files` writes goes there unchanged, and is not shown.
    """

    def __init__(
        self, names: list[str], show: Callable[[str], None], files: Mapping[str, Sink] | None = None
    ) -> None:
        self._names = [*names, FIRMWARE_NAME]
        self._width = max(map(len, names))
        self._show = show
        self._files = files or {}
        self._lines = [bytearray() for _ in self._names]

    def __call__(self, written: np.ndarray) -> None:
        """Take CONSOLE_BYTE records, in order."""
        edges = np.flatnonzero(np.diff(written["kernel"])) + 1
        for part in np.split(written, edges):
            self._take(int(part["kernel"][0]), part["byte"].tobytes())

    def _take(self, kernel: int, data: bytes) -> None:
        if not 0 <= kernel < len(self._names):
            return  # a UART that is nobody's
        if file := self._files.get(self._names[kernel]):
            try:
                file.write(data)
            except OSError as error:
                raise OSError(error.errno, error.strerror, file.name) from error
            return
        line = self._lines[kernel]
        line += data
        while (end := line.find(b"\n", 0, LINE_MAX)) >= 0 or len(line) >= LINE_MAX:
            end = end if end >= 0 else LINE_MAX - 1
            self._print(kernel, bytes(line[: end + 1]))
            del line[: end + 1]

    def tell(self, kernel: int, row: str, *, raw: bool) -> None:
        """Take a row of the text screen: a line of its own, to the same place; if that is `raw`, shown."""
        if self._names[kernel] in self._files and not raw:
            self._take(kernel, f"{row}\n".encode())
        else:
            self._print(kernel, row.encode())

    def _print(self, kernel: int, line: bytes) -> None:
        name = f"[{self._names[kernel]}]".ljust(self._width + 2)
        self._show(f"{name} {readable(line)}")

    def finish(self) -> None:
        """Show what is left of lines that never ended."""
        for kernel, line in enumerate(self._lines):
            if line:
                self._print(kernel, bytes(line))
                line.clear()


class Unbuffered:
    """A stream as a kernel's file: what is written is out."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self.name = name

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self._stream.flush()


def readable(line: bytes) -> str:
    """Return a line for a terminal: no control character of a guest's reaches it."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    shown = (letter if letter.isprintable() or letter == "\t" else f"\\x{ord(letter):02x}" for letter in text)
    return "".join(shown)


def open_files(paths: Mapping[str, Path]) -> dict[str, Sink]:
    """Open a file for each kernel named; OSError where one cannot be."""
    return {name: path.open("wb", buffering=0) for name, path in paths.items()}
