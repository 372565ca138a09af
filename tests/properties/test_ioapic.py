"""Law: each pin of the I/O APIC is a latch (edge) or a gate that its EOI opens (level), and nothing else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import ioapic
from mksim.hw.ioapic import IOAPIC

LAW = settings(deadline=None, derandomize=True, max_examples=200)  # the first call may compile
PINS = st.sampled_from([0, 1, 2, 23])  # few, so that they meet
VECTORS = st.sampled_from([0x30, 0x31, 0xFE])
FIXED_MODES = (0, 1)
ENTRIES = st.tuples(VECTORS, st.sampled_from([0, 0, 1, 7]), st.booleans(), st.booleans())
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("line"), PINS, st.booleans()),
        st.tuples(st.just("route"), PINS, ENTRIES),
        st.tuples(st.just("eoi"), VECTORS, st.none()),
        st.tuples(st.just("take"), st.none(), st.none()),
    ),
    min_size=20,
    max_size=80,
)


class Pin:
    def __init__(self):
        self.high = self.edge = self.waits = self.level = False
        self.masked, self.vector = True, 0

    def line(self, high):
        if high and not self.high and not self.level and not self.masked:
            self.edge = True
        self.high = high

    def route(self, vector, mode, level, masked):
        self.vector, self.masked = vector, masked
        self.level = level and mode in FIXED_MODES
        if self.level:
            self.edge = False
        else:
            self.waits = False

    @property
    def ready(self):
        return not self.masked and (self.high and not self.waits if self.level else self.edge)


class Model:
    """The dumb model: pins that know nothing of registers."""

    def __init__(self):
        self.pins = [Pin() for _ in range(24)]

    def line(self, pin, high):
        self.pins[pin].line(high)

    def route(self, pin, entry):
        self.pins[pin].route(*entry)

    def eoi(self, vector, _):
        waiting = [pin for pin in self.pins if pin.waits and pin.vector == vector]
        for pin in waiting:
            pin.waits = False
        return bool(waiting)

    def take(self, *_):
        for number, pin in enumerate(self.pins):
            if pin.ready:
                pin.edge = False
                pin.waits = pin.level
                return number
        return -1


def route(i, pin, entry):
    vector, mode, level, masked = entry
    ioapic.write(i, 0, 0x10 + 2 * pin)
    ioapic.write(i, 0x10, vector | mode << 8 | level << 15 | masked << 16)


CHIP = {
    "line": ioapic.set_line,
    "route": route,
    "eoi": lambda i, vector, _: ioapic.eoi(i, vector),
    "take": lambda i, *_: ioapic.take(i),
}


def fresh():
    i = np.zeros(1, IOAPIC)[0]
    ioapic.reset(i, 0)
    return i


@LAW
@given(OPERATIONS)
def test_pins_send_what_latches_and_gates_would(operations):
    i, model = fresh(), Model()
    for name, first, second in operations:
        assert CHIP[name](i, first, second) == getattr(model, name)(first, second)
        assert [int(entry) >> 14 & 1 for entry in i["redirection"]] == [pin.waits for pin in model.pins]


@LAW
@given(OPERATIONS)
def test_a_line_held_high_and_always_ended_never_goes_quiet(operations):
    i = fresh()
    for name, first, second in operations:
        CHIP[name](i, first, second)
    route(i, 5, (0x55, 0, True, False))
    ioapic.set_line(i, 5, 1)
    for _ in range(3):
        sent = {int(ioapic.take(i)) for _ in range(25)}
        assert 5 in sent
        ioapic.eoi(i, 0x55)


@LAW
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 0xFFF), st.integers(0, (1 << 32) - 1)), max_size=60))
def test_any_accesses_read_as_32_bits(accesses):
    i = fresh()
    for writes, offset, value in accesses:
        if writes:
            ioapic.write(i, offset & 0x50, value)
        else:
            assert 0 <= ioapic.read(i, offset & 0x50) < 1 << 32
