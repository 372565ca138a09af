from hypothesis import given
from hypothesis import strategies as st

from mksim.debug.packets import (
    PACKET_MAX,
    Framer,
    Interrupt,
    Packet,
    Refused,
    checksum,
    escape,
    frame,
    unescape,
)


def events(*pieces: bytes, check: bool = True) -> list[object]:
    framer = Framer(check=check)
    return [event for piece in pieces for event in framer.feed(piece)]


def test_the_manuals_example() -> None:
    assert frame(b"OK") == b"$OK#9a"


@given(st.binary())
def test_escaping_can_be_undone_and_hides_what_has_a_meaning(data: bytes) -> None:
    escaped = escape(data)
    assert unescape(escaped) == data
    assert not {b"$"[0], b"#"[0], b"*"[0]} & set(escaped)


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_packets_come_out_however_they_are_cut(contents: list[bytes], size: int) -> None:
    sent = b"".join(frame(escape(content)) for content in contents)
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    found = events(*pieces)
    assert [unescape(packet.data) for packet in found if isinstance(packet, Packet)] == contents
    assert len(found) == len(contents)


def test_what_is_between_packets_is_passed_over() -> None:
    assert events(b"++-garbage$g#67\x03+$?#3f") == [Packet(b"g"), Interrupt(), Packet(b"?")]


def test_a_wrong_checksum_is_refused_unless_nobody_could_send_again() -> None:
    assert events(b"$g#00") == [Refused()]
    assert events(b"$g#00", check=False) == [Packet(b"g")]


def test_a_packet_that_is_too_long_is_refused_and_the_next_is_read() -> None:
    long = b"m" * (PACKET_MAX + 1)
    assert events(frame(long), frame(b"g")) == [Refused(), Packet(b"g")]
    assert events(b"$" + b"m" * (2 * PACKET_MAX), frame(b"g")) == [Refused(), Packet(b"g")]


def test_digits_of_a_checksum_may_be_capitals() -> None:
    assert checksum(b"OK") == b"9a"
    assert events(b"$OK#9A") == [Packet(b"OK")]
