"""Law: whatever a gdb client sends, the server answers or refuses, and the machine can go on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.debug.control import Stop, Why
from mksim.debug.packets import Framer, Packet, frame
from mksim.debug.protocol import Protocol
from tests.debug.talking import Client

STARTS = [name for name, _ in Protocol._COMMANDS]
WORDS = [
    b"0", b"1", b"2", b"3", b"4", b"5", b"ff", b"p1.1", b"p2.2", b"p1.-1", b"p-1.-1", b"p0.0", b"-1", b"c",
    b"s", b"fffffff0", b"200000", b"ffffffff80200000", b"ffffffffffffffff", b"1ffffffffffffffff", b"xx",
    b"features:read:target.xml:", b"exec-file:read:", b"threads:read::", b"open:", b"pread:", b"close:",
    b"fstat:", b"697069", b"737465702d697069", b"77616c6b203078", b"6b65726e656c73", b"",
]  # fmt: skip
packets = st.builds(
    lambda start, words, between: start + between.join(words),
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(WORDS) | st.binary(max_size=6), max_size=5),
    st.sampled_from([b",", b";", b":", b"=", b"", b"."]),
)


@given(st.lists(packets | st.binary(max_size=40), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_packets_are_answered(sent):
    client = Client("hello")
    for packet in sent:
        answer = client.protocol.answer(packet)
        if client.protocol.running:
            stop = client.debugger.run(instructions=30_000)
            answer = client.protocol.stopped(stop or Stop(Why.INTERRUPTED, client.debugger.core))
            if answer is None:  # it goes on for a command
                client.protocol.running = False
                answer = b""
        assert isinstance(answer, bytes)
        assert b"$" not in answer
        assert b"#" not in answer
        assert len(frame(answer)) < 0x8000
    assert client.protocol.answer(b"?")
    assert client.protocol.answer(b"g")


@given(st.lists(st.binary(max_size=50) | packets.map(frame)), st.booleans())
def test_any_bytes_are_packets_or_passed_over(pieces, check):
    framer = Framer(check=check)
    for piece in pieces:
        for event in framer.feed(piece):
            assert not isinstance(event, Packet) or b"#" not in event.data
