"""Names for addresses and addresses for names, by kernel: symbols, source lines, and where code runs.

A kernel that was moved runs that much further up than it is linked for, unless page tables of its
own hide it. Linux's symbols are in its memory, and there only once it has unpacked itself.
"""

import re
from collections.abc import Iterator

from mksim.boot.image import Protocol
from mksim.boot.lines import EMPTY as NO_LINES
from mksim.boot.lines import Lines, Source, read_lines
from mksim.boot.symbols import EMPTY, Symbols
from mksim.machine.machine import Machine
from mksim.machine.symbols import symbols_of

_PATIENCE = 20_000_000
"""Instructions until it is worth to look again for symbols that were not there."""
_LINE = re.compile(r"([\w./-]+\.\w+):(\d+)")


class Places:
    """What is known of the code of one machine's kernels."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._symbols: dict[int, Symbols] = {}
        self._looked: dict[int, int] = {}
        self._lines: dict[int, Lines] = {}

    def symbols(self, kernel: int) -> Symbols:
        """Return a kernel's symbols as far as they are known by now; the firmware has none."""
        if not 0 <= kernel < len(self._machine.lives):
            return EMPTY
        now = self._machine.instructions
        due = abs(now - self._looked.get(kernel, -_PATIENCE)) >= _PATIENCE
        if not len(self._symbols.get(kernel, EMPTY)) and due:
            self._looked[kernel] = now
            self._symbols[kernel] = symbols_of(self._machine, self._machine.lives[kernel].kernel)
        return self._symbols[kernel]

    def lines(self, kernel: int) -> Lines:
        """Return a kernel's source lines."""
        if not 0 <= kernel < len(self._machine.lives):
            return NO_LINES
        if kernel not in self._lines:
            self._lines[kernel] = read_lines(self._machine.lives[kernel].kernel.image.raw)
        return self._lines[kernel]

    def _moves(self, kernel: int) -> Iterator[tuple[int, int, int]]:
        """Yield (address as linked, physical address, size) of the segments of an image."""
        if 0 <= kernel < len(self._machine.lives):
            mine = self._machine.lives[kernel].kernel
            for segment in mine.image.segments:
                yield segment.virtual, segment.span.base + mine.load_offset, segment.span.size

    def linked(self, kernel: int, address: int) -> int:
        """Return the address that code was linked for, if it runs at another."""
        for virtual, physical, size in self._moves(kernel):
            if physical <= address < physical + size:
                return address - physical + virtual
        return address

    def running(self, kernel: int, address: int) -> int:
        """Return where code runs that is linked for an address."""
        mine = self._machine.lives[kernel].kernel
        for virtual, physical, size in self._moves(kernel):
            if virtual <= address < virtual + size and virtual == physical - mine.load_offset:
                return address + mine.load_offset
        return address

    def source(self, kernel: int, address: int) -> Source | None:
        """Return where code is from."""
        return self.lines(kernel).at(self.linked(kernel, address))

    def name(self, kernel: int, address: int) -> str:
        """Return an address as a symbol and an offset; empty where none is known."""
        linked = self.linked(kernel, address)
        known = any(virtual <= linked < virtual + size for virtual, _, size in self._moves(kernel))
        return str(self.symbols(kernel).at(linked) or "") if known or self._elsewhere(kernel) else ""

    def _elsewhere(self, kernel: int) -> bool:
        """Tell whether a kernel runs at other addresses than its image's: it unpacks itself."""
        lives = self._machine.lives
        return 0 <= kernel < len(lives) and lives[kernel].kernel.image.protocol is Protocol.LINUX

    def named(self, kernel: int, address: int) -> str:
        """Return an address with its symbol and its source line, as far as they are known."""
        told = (self.name(kernel, address), self.source(kernel, address))
        return " ".join([f"{address:#x}", *(str(one) for one in told if one)])

    def find(self, kernel: int, text: str) -> list[int]:
        """Return the addresses of a symbol, or of the code of FILE:LINE; none if there is no such thing."""
        if match := _LINE.fullmatch(text):
            linked = self.lines(kernel).find(match[1], int(match[2]))
        else:
            symbols = self.symbols(kernel)
            index = symbols.find(text)
            linked = [] if index is None else [int(symbols.addresses[index])]
        return [self.running(kernel, address) for address in linked]
