"""Law: whatever comes and goes, the receiver is a bounded queue, and the transmitter loses nothing."""

from collections import deque

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw.uart16550 import UART, line, read, receive, reset, write

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
    "receive": lambda u, byte: bool(receive(u, byte)),
    "read": lambda u, _: read(u, 0, 0),
    "status": lambda u, _: read(u, 5, 0),
    "clear": lambda u, _: write(u, 2, 0xC3, 0) and None,
}


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
