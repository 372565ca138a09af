"""Law: whatever comes and goes, the receiver is a bounded queue, and the transmitter loses nothing."""

from collections import deque
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.clock.time import NEVER
from mksim.hw.uart16550 import UART, expire, line, read, receive, reset, write

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
BYTES = st.integers(0, 255)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), BYTES),
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("status"), st.none()),
        st.tuples(st.just("clear"), st.none()),
    ),
    max_size=80,
)


class Receiver:
    """The dumb model: a queue of sixteen, and whether one was lost."""

    def __init__(self):
        self.queue = deque()
        self.overrun = False

    def receive(self, byte):
        room = len(self.queue) < 16
        if room:
            self.queue.append(byte)
        self.overrun |= not room
        return room

    def read(self, _):
        return self.queue.popleft() if self.queue else None

    def status(self, _):
        status = 0x60 | bool(self.queue) | self.overrun << 1
        self.overrun = False
        return status

    def clear(self, _):
        self.queue.clear()


CHIP = {
    "receive": lambda u, byte: bool(receive(u, byte, 0)),
    "read": lambda u, _: read(u, 0, 0),
    "status": lambda u, _: read(u, 5, 0),
    "clear": lambda u, _: write(u, 2, 0xC3, 0) and None,
}


RATE = 1_000_000_000
CHARACTER = 11 * 16 * 12 * RATE // 1_843_200
"""Cycles at the divisor after reset, with two stop bits."""


@LAW
@given(st.lists(st.tuples(BYTES, st.integers(0, 3 * CHARACTER)), max_size=40), st.booleans())
def test_what_a_full_transmitter_does_not_refuse_leaves_in_order_and_no_faster_than_the_baud_rate(sent, fifo):
    """Characters are written when THR has room, after drawn pauses; what is due happens in between."""
    u, now, left = np.zeros(1, UART)[0], 0, []
    reset(u, RATE, 0)
    write(u, 3, 0x07, 0)
    write(u, 2, 1 if fifo else 0, 0)
    for byte, pause in sent:
        now += pause
        while u["deadline"] <= now or u["queued"] == (16 if fifo else 1):
            now = max(now, int(u["deadline"]))
            left.append((int(u["deadline"]), int(expire(u, int(u["deadline"])))))
        assert write(u, 0, byte, now) == -1
    while u["deadline"] != NEVER:
        left.append((int(u["deadline"]), int(expire(u, int(u["deadline"])))))
    assert [byte for _, byte in left] == [byte for byte, _ in sent]
    assert all(after - before >= CHARACTER for (before, _), (after, _) in pairwise(left))
    assert read(u, 5, now) == 0x60


def fresh():
    u = np.zeros(1, UART)[0]
    reset(u)
    return u


@LAW
@given(OPERATIONS)
def test_the_receiver_is_a_queue_of_sixteen(operations):
    u, model = fresh(), Receiver()
    write(u, 2, 0xC1, 0)  # FIFOs on, trigger at 14
    write(u, 1, 0x05, 0)  # data and line status interrupts
    write(u, 4, 0x08, 0)  # OUT2
    for name, argument in operations:
        expected = getattr(model, name)(argument)
        got = CHIP[name](u, argument)
        assert expected is None or got == expected
        assert line(u) == (bool(model.queue) or model.overrun)


@LAW
@given(st.lists(BYTES, max_size=40))
def test_every_character_written_leaves(characters):
    u = fresh()
    assert [write(u, 0, byte, 0) for byte in characters] == characters


@LAW
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.integers(-(1 << 31), 1 << 32)), max_size=60))
def test_any_accesses_leave_eight_bit_registers(accesses):
    u = fresh()
    for writes, offset, value in accesses:
        if writes:
            assert -1 <= write(u, offset, value, 0) <= 255
        else:
            assert 0 <= read(u, offset, 0) <= 255
        assert 0 <= u["count"] <= 16
        assert 0 <= u["head"] < 16
