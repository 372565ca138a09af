"""Files that a config names: read whole, of bounded size, and only if they are files."""

import os
import stat
from pathlib import Path

from mksim.errors import FileError

KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bounded(path: Path, limit: int) -> bytes:
    """Return all bytes of a regular file; FileError if it is none, cannot be read, or holds over `limit`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _read(descriptor, limit)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FileError(error.strerror or str(error)) from error
    except ValueError as error:  # a NUL in the name, or a name the host's encoding cannot spell
        raise FileError(f"no file can have this name: {error}") from error


def _read(descriptor: int, limit: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"is {_kind(status.st_mode)}, not a file")
    # The size is a promise that files under /proc do not keep, so the reading is bounded by itself.
    pieces, room = [], limit + 1
    while room and (piece := os.read(descriptor, min(room, max(status.st_size, 1 << 16)))):
        pieces.append(piece)
        room -= len(piece)
        if status.st_size > limit or not room:
            raise FileError(f"is larger than {limit:#x} bytes")
    return b"".join(pieces)


def _kind(mode: int) -> str:
    return next((name for matches, name in KINDS if matches(mode)), "something else")
