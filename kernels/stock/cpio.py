"""The archive that Linux unpacks as its first root file system: cpio's "newc" format.

Linux, Documentation/driver-api/early-userspace/buffer-format.rst. Same entries, same bytes: inode numbers
count from 1, and every date is the epoch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MAGIC = b"070701"
END = "TRAILER!!!"

DIRECTORY, CHARACTER, FILE, LINK = 0o040000, 0o020000, 0o100000, 0o120000
"""st_mode's file types, inode(7)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: path without a leading slash, type and permissions, contents, (major, minor) of a device."""

    path: str
    mode: int
    contents: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(path: str) -> Entry:
    """Return a directory that all may read."""
    return Entry(path, DIRECTORY | 0o755)


def program(path: str, contents: bytes) -> Entry:
    """Return a file that all may run."""
    return Entry(path, FILE | 0o755, contents)


def link(path: str, target: str) -> Entry:
    """Return a symbolic link."""
    return Entry(path, LINK | 0o777, target.encode())


def device(path: str, major: int, minor: int) -> Entry:
    """Return a character device."""
    return Entry(path, CHARACTER | 0o600, device=(major, minor))


def archive(entries: Iterable[Entry]) -> bytes:
    """Return the archive; a directory must come before what is in it."""
    files = [*entries, Entry(END, 0)]
    return b"".join(_member(inode, entry) for inode, entry in enumerate(files, start=1))


def _member(inode: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    owner, links, date, home, checksum = (0, 0), 1, 0, (0, 0), 0
    size = len(entry.contents)
    fields = (inode, entry.mode, *owner, links, date, size, *home, *entry.device, len(name), checksum)
    header = MAGIC + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.contents)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
