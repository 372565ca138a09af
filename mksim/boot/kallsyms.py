"""Linux's own symbols, out of its memory: what it keeps for /proc/kallsyms, names packed by tokens.

Found by its shape, as nothing says where it is; scripts/kallsyms.c writes it, in one of two orders.

    until 6.3   offsets, base, count, names, markers, (order of names,) token table, token index
    since 6.4   count, names, markers, token table, token index, offsets, base

Each part is aligned to 8 bytes. A name is its length (from 128 on in two bytes) and so many tokens, the first
of which begins with a letter for its kind; `markers` tell where every 256th name is.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mksim.boot.symbols import EMPTY, STT_FUNC, STT_OBJECT, SYMBOL, Symbols
from mksim.spec.span import align_up

_DIGITS = re.compile(b"".join(b"%d\0" % digit for digit in range(10)))
"""Tokens 0x30 to 0x39: digits stand for themselves, as names have many."""
_TOKENS, _LETTERS = 256, 0x3A
_BLOCK = 256
"""Names from marker to marker."""
_KERNEL = 0xFFFF_FFFF_8000_0000
"""Where Linux is linked for, or above."""
_REACH, _NAME_MAX = 16 << 20, 512
"""Bytes from the names to the tokens; bytes of a name, packed."""
_MARKERS_MIN, _MARKERS_MAX = 16, 4096
"""A Linux has some thousands of symbols, up to a million."""
_DIGITS_MAX, _TABLES_MAX, _ROWS_MAX, _PLACES_MAX = 4096, 4, 4096, 8
"""So much is looked at that looks like what is wanted, whatever a guest has put there."""


@dataclass(slots=True)
class _Table:
    """A token table that was found in `data`, and what is around it."""

    data: memoryview
    start: int
    index: np.ndarray
    end: int
    """Behind the token index."""

    def tokens(self) -> list[bytes]:
        """Return what each token stands for."""
        ends = [*self.index[1:].tolist(), self.end - 2 * _TOKENS - self.start]
        return [
            bytes(self.data[self.start + begin : self.start + end]).split(b"\0", 1)[0]
            for begin, end in zip(self.index.tolist(), ends, strict=True)
        ]


def read_kallsyms(data: memoryview) -> Symbols:
    """Return the symbols of the Linux in this memory, where it runs; none if there is none that is known."""
    with suppress(IndexError, ValueError):  # what only looks like tables may lead anywhere
        for table in islice(_tables(data), _TABLES_MAX):
            for markers, first in islice(_markers(table), _ROWS_MAX):
                for names, count in _names(data, markers, first):
                    if (addresses := _addresses(table, names, count)) is not None:
                        return _symbols(table, names, addresses)
    return EMPTY


def _tables(data: memoryview) -> Iterator[_Table]:
    for match in islice(_DIGITS.finditer(data), _DIGITS_MAX):
        at = match.end()
        for _ in range(_LETTERS, _TOKENS):
            at += bytes(data[at : at + 64]).find(b"\0") + 1
        index_at = align_up(at, 8)
        index = np.frombuffer(data[index_at : index_at + 2 * _TOKENS], np.uint16)
        grows = len(index) == _TOKENS and index[0] == 0 and (np.diff(index.astype(int)) > 0).all()
        if grows and index[0x30] <= match.start():
            yield _Table(data, match.start() - int(index[0x30]), index, index_at + 2 * _TOKENS)


def _word(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little") if at >= 0 else -1


def _markers(table: _Table) -> Iterator[tuple[list[int], int]]:
    """Yield what may be the markers, and where: rows of numbers before the tokens that grow from 0 on."""
    first = max(0, table.start - _REACH) & -4
    words = np.frombuffer(table.data[first : table.start & -4], np.uint32).astype(np.int64)
    grows = np.diff(words, append=0)
    grows = (grows > 0) & (grows < _BLOCK * _NAME_MAX)
    begins = np.flatnonzero(grows & (words == 0))
    ends = np.append(np.flatnonzero(~grows), len(words) - 1)
    behind = ends[np.searchsorted(ends, begins)] + 1
    for begin, end in zip(begins.tolist(), behind.tolist(), strict=True):
        if _MARKERS_MIN <= end - begin <= _MARKERS_MAX:
            yield words[begin:end].tolist(), first + 4 * begin


def _names(data: memoryview, markers: list[int], first: int) -> Iterator[tuple[int, int]]:
    """Yield where the names may begin, and how many: before them is a number that the markers fit."""
    latest = (first - markers[-1]) & -8
    earliest = max(8, latest - _BLOCK * _NAME_MAX)
    if latest < earliest:
        return
    counts = np.frombuffer(data[earliest - 8 : latest], np.uint64)
    fitting = (counts > _BLOCK * (len(markers) - 1)) & (counts <= _BLOCK * len(markers))
    for place in np.flatnonzero(fitting)[::-1][:_PLACES_MAX].tolist():
        start = earliest + 8 * place
        if _fits(data, start, markers):
            yield start, int(counts[place])


def _fits(data: memoryview, start: int, markers: list[int]) -> bool:
    """Tell whether the first block of names is as long as the markers say."""
    at = start
    for _ in range(_BLOCK):
        at = _name(data, at)[1]
    return at - start == markers[1]


def _name(data: memoryview, at: int) -> tuple[int, int]:
    """Return where the tokens of the name at a place begin, and where they end."""
    length, at = data[at], at + 1
    if length >= 0x80:
        length, at = length & 0x7F | data[at] << 7, at + 1
    return at, at + length


def _addresses(table: _Table, names: int, count: int) -> np.ndarray | None:
    """Return the address of every symbol; None where neither order has a base that can be one."""
    size, data = align_up(4 * count, 8), table.data
    for offsets, base in ((names - 16 - size, names - 16), (table.end, table.end + size)):
        if offsets >= 0 and _word(data, base, 8) >= _KERNEL:
            return _based(np.frombuffer(data[offsets : offsets + 4 * count], np.int32), _word(data, base, 8))
    return None


def _based(offsets: np.ndarray, base: int) -> np.ndarray:
    """Return addresses: where some offsets are negative, those count down from the base."""
    if (offsets >= 0).all():
        return np.uint64(base) + offsets.astype(np.uint64)
    down = np.uint64(base) - np.uint64(1) + (-offsets.astype(np.int64)).astype(np.uint64)
    return np.where(offsets < 0, down, offsets.astype(np.uint64))


def _symbols(table: _Table, names: int, addresses: np.ndarray) -> Symbols:
    tokens, strings, at = table.tokens(), bytearray(b"\0"), names
    rows = np.zeros(len(addresses), SYMBOL[64])
    rows["value"] = addresses
    for row in range(len(addresses)):
        begin, at = _name(table.data, at)
        text = b"".join([tokens[token] for token in table.data[begin:at]])
        rows["name"][row] = len(strings)
        rows["info"][row] = STT_FUNC if text[:1] in b"tTwW" else STT_OBJECT
        strings += text[1:] + b"\0"
    rows = rows[rows["value"] >= _KERNEL]
    return Symbols(rows[np.argsort(rows["value"], kind="stable")], bytes(strings))
