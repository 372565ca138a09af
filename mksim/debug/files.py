"""The kernels' image files, for gdb to read its symbols from. GDB manual, E.9, Host I/O.

Only these, only to read, and from what was booted: the file on disk may be another by now. What a Linux knows
of its own symbols is in a file as well, that is nowhere else: /symbols/NAME.
"""

from mksim.boot.symfile import symbol_file
from mksim.debug.fields import parse_hex, unhex
from mksim.debug.packets import PACKET_MAX, escape
from mksim.machine.machine import Machine
from mksim.machine.symbols import symbols_of

_NOT_FOUND, _NO_HANDLE, _UNSUPPORTED = b"F-1,2", b"F-1,9", b""
_STAT_SIZE, _SIZE_AT = 64, 28
_REGULAR = 0o100444
_ELF = b"\x7fELF"
SYMBOLS = "/symbols/"


class Files:
    """What a client may open, by absolute path; and which of them it has opened."""

    def __init__(self, machine: Machine) -> None:
        self._machine, layout = machine, machine.layout
        self._names = [str(kernel.path.resolve()) for kernel in layout.kernels]
        self._symbols = {f"{SYMBOLS}{kernel.name}": kernel for kernel in layout.kernels}
        self._images = {
            name: kernel.image.raw for name, kernel in zip(self._names, layout.kernels, strict=True)
        }
        self._open: list[memoryview | None] = []

    def symbols_of(self, kernel: int) -> str | None:
        """Return the file with a kernel's symbols; None if gdb could not read it."""
        if not 0 <= kernel < len(self._names):
            return None
        name = self._names[kernel]
        return name if bytes(self._images[name][:4]) == _ELF else None

    def answer(self, data: bytes) -> bytes:
        """Answer a packet that has begun with `vFile:`."""
        what, _, rest = data.partition(b":")
        if what == b"setfs":
            return b"F0"
        if what == b"open":
            return self._opened(rest)
        if what in (b"pread", b"fstat", b"close"):
            handle, *numbers = [parse_hex(number) for number in rest.split(b",")]
            file = self._open[handle] if handle < len(self._open) else None
            if file is None:
                return _NO_HANDLE
            return self._about_open(what, handle, file, numbers)
        return _UNSUPPORTED

    def _opened(self, rest: bytes) -> bytes:
        name = unhex(rest.partition(b",")[0]).decode(errors="replace")
        file = self._file(name)
        if file is None:
            return _NOT_FOUND
        self._open.append(file)
        return b"F%x" % (len(self._open) - 1)

    def _file(self, name: str) -> memoryview | None:
        if name in self._symbols:
            symbols = symbols_of(self._machine, self._symbols[name])
            return memoryview(symbol_file(symbols)) if len(symbols) else None
        return self._images.get(name)

    def _about_open(self, what: bytes, handle: int, file: memoryview, numbers: list[int]) -> bytes:
        if what == b"close":
            self._open[handle] = None
            return b"F0"
        if what == b"fstat":
            return b"F%x;" % _STAT_SIZE + escape(_stat(len(file)))
        size, offset = numbers
        part = bytes(file[offset : offset + min(size, PACKET_MAX // 2 - 16)])
        return b"F%x;" % len(part) + escape(part)


def _stat(size: int) -> bytes:
    """Return struct stat as the protocol has it: big-endian, mode at 8, size at 28."""
    stat = bytearray(_STAT_SIZE)
    stat[8:12] = _REGULAR.to_bytes(4, "big")
    stat[_SIZE_AT : _SIZE_AT + 8] = size.to_bytes(8, "big")
    return bytes(stat)
