"""Packets of gdb's remote protocol: `$data#checksum`, and the bytes between them. GDB manual, appendix E.1.

Pure: bytes go in, events and bytes come out. Whatever does not make sense is answered by `-` or passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

INTERRUPT = 0x03
_START, _END, _ESCAPE, _REPEAT = b"$#}*"
_FLIP = 0x20
PACKET_MAX = 0x4000
"""Bytes of a packet that are taken; gdb is told so by qSupported."""


def checksum(data: bytes) -> bytes:
    """Return the two digits behind a packet."""
    return b"%02x" % (sum(data) & 0xFF)


def escape(data: bytes) -> bytes:
    """Return binary data as it may stand in a packet."""
    return b"".join(
        bytes((_ESCAPE, byte ^ _FLIP)) if byte in (_START, _END, _ESCAPE, _REPEAT) else bytes((byte,))
        for byte in data
    )


def unescape(data: bytes) -> bytes:
    """Undo `escape`; an escape at the very end stands for nothing."""
    out, at = bytearray(), 0
    while at < len(data):
        if data[at] == _ESCAPE:
            at += 1
            out += bytes((data[at] ^ _FLIP,)) if at < len(data) else b""
        else:
            out.append(data[at])
        at += 1
    return bytes(out)


def frame(data: bytes) -> bytes:
    """Return a packet with this content, which must have been escaped."""
    return b"$" + data + b"#" + checksum(data)


@dataclass(frozen=True, slots=True)
class Packet:
    """What came in a packet: still escaped, as some of its parts may be binary."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A packet whose checksum is wrong, or that is too long."""


Event = Packet | Interrupt | Refused


@dataclass(slots=True)
class Framer:
    """Finds packets in what a client sends."""

    pending: bytearray = field(default_factory=bytearray)
    check: bool = True
    """Whether checksums count: without acknowledgements nothing could be sent again."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take some bytes, and yield all that is complete now."""
        self.pending += data
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> Event | None:
        while self.pending and self.pending[0] != _START:
            if self.pending.pop(0) == INTERRUPT:
                return Interrupt()
        end = self.pending.find(b"#")
        if end < 0 or len(self.pending) < end + 3:
            return self._too_long() if end < 0 else None
        data, told = bytes(self.pending[1:end]), bytes(self.pending[end + 1 : end + 3])
        del self.pending[: end + 3]
        fine = not self.check or told.lower() == checksum(data)
        return Packet(data) if fine and len(data) <= PACKET_MAX else Refused()

    def _too_long(self) -> Event | None:
        if len(self.pending) <= 2 * PACKET_MAX:
            return None
        self.pending.clear()
        return Refused()
