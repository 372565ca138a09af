"""Law: the 8259A pair delivers what a walk down two lists of priorities would deliver."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.hw import pic8259
from mksim.hw.pic8259 import PIC

LAW = settings(deadline=None, derandomize=True, max_examples=200)  # the first call may compile
MASTER, SLAVE, CASCADE = 0, 1, 2
CHIPS = st.integers(0, 1)
LEVELS = st.integers(0, 7)
MASKS = st.one_of(st.just(0), LEVELS.map(lambda ir: 1 << ir), st.integers(0, 255))
LINES = st.integers(0, 15).filter(lambda irq: irq != CASCADE)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("line"), LINES, st.booleans()),
        st.tuples(st.just("line"), LINES, st.just(True)),
        st.tuples(st.just("acknowledge"), st.none(), st.none()),
        st.tuples(st.just("acknowledge"), st.none(), st.none()),
        st.tuples(st.just("mask"), CHIPS, MASKS),
        st.tuples(st.just("end"), CHIPS, st.booleans()),
        st.tuples(st.just("end_specific"), CHIPS, LEVELS),
        st.tuples(st.just("lowest"), CHIPS, LEVELS),
        st.tuples(st.just("special"), CHIPS, st.booleans()),
        st.tuples(st.just("levels"), CHIPS, st.integers(0, 255)),
        st.tuples(st.just("poll"), CHIPS, st.none()),
    ),
    min_size=20,
    max_size=100,
)


class Chip:
    """One 8259A as sets of IR numbers, and `order`, the highest priority first."""

    def __init__(self, automatic, nested):
        self.lines, self.edges, self.level, self.masked, self.service = set(), set(), set(), set(), set()
        self.order = list(range(8))
        self.special = False
        self.automatic, self.nested = automatic, nested

    @property
    def requests(self):
        return self.edges | self.lines & self.level

    def drive(self, ir, high):
        if high and ir not in self.lines:
            self.lines.add(ir)
            self.edges.add(ir)
        elif not high:
            self.lines.discard(ir)
            self.edges.discard(ir)

    def blocks(self, ir):
        return ir in self.service and not (self.special and ir in self.masked)

    def asking(self):
        for ir in self.order:
            wants = ir in self.requests and ir not in self.masked
            if self.blocks(ir):
                return ir if wants and self.nested and ir == CASCADE else None
            if wants:
                return ir
        return None

    def take(self):
        ir = self.asking()
        if ir is not None:
            self.edges.discard(ir)
            if not self.automatic:
                self.service.add(ir)
        return ir

    def put_last(self, ir):
        at = self.order.index(ir) + 1
        self.order = self.order[at:] + self.order[:at]


class Pair:
    """The dumb model of two of them."""

    def __init__(self, automatic, nested):
        self.chips = (Chip(automatic, nested), Chip(automatic, False))

    def line(self, irq, high):
        self.chips[irq // 8].drive(irq % 8, high)

    def acknowledge(self, *_):
        ir = self.chips[MASTER].take()
        if ir != CASCADE:
            return 0x20 + (7 if ir is None else ir)
        ir = self.chips[SLAVE].take()
        self.chips[MASTER].drive(CASCADE, False)
        return 0x28 + (7 if ir is None else ir)

    def mask(self, chip, bits):
        self.chips[chip].masked = members(bits)

    def end(self, chip, rotate):
        for ir in self.chips[chip].order:
            if self.chips[chip].blocks(ir):
                self.chips[chip].service.discard(ir)
                if rotate:
                    self.chips[chip].put_last(ir)
                return

    def end_specific(self, chip, ir):
        self.chips[chip].service.discard(ir)

    def lowest(self, chip, ir):
        self.chips[chip].put_last(ir)

    def special(self, chip, on):
        self.chips[chip].special = on

    def levels(self, chip, bits):
        chosen = members(bits & (0xF8, 0xDE)[chip])
        left = self.chips[chip].level - chosen  # becoming edge triggered keeps a request that stands
        self.chips[chip].edges |= left & self.chips[chip].lines
        self.chips[chip].level = chosen

    def poll(self, chip, _):
        ir = self.chips[chip].take()
        if chip == SLAVE:
            self.chips[MASTER].drive(CASCADE, False)
        return 0 if ir is None else 0x80 | ir

    def settle(self):
        self.chips[MASTER].drive(CASCADE, self.chips[SLAVE].asking() is not None)


def members(bits):
    return {ir for ir in range(8) if bits >> ir & 1}


def poll(p, chip, _):
    pic8259.write(p, chip, 0, 0x0C)
    return pic8259.read(p, chip, 0)


CHIP = {
    "line": pic8259.set_line,
    "acknowledge": lambda p, *_: pic8259.acknowledge(p),
    "mask": lambda p, chip, bits: pic8259.write(p, chip, 1, bits),
    "end": lambda p, chip, rotate: pic8259.write(p, chip, 0, 0xA0 if rotate else 0x20),
    "end_specific": lambda p, chip, ir: pic8259.write(p, chip, 0, 0x60 | ir),
    "lowest": lambda p, chip, ir: pic8259.write(p, chip, 0, 0xC0 | ir),
    "special": lambda p, chip, on: pic8259.write(p, chip, 0, 0x68 if on else 0x48),
    "levels": pic8259.write_elcr,
    "poll": poll,
}


def fresh(automatic, nested):
    p = np.zeros(1, PIC)[0]
    pic8259.reset(p)
    for chip, wiring in ((MASTER, 0x04), (SLAVE, 0x02)):
        pic8259.write(p, chip, 0, 0x11)
        for value in (0x20 + 8 * chip, wiring, 0x01 | automatic << 1 | nested << 4):
            pic8259.write(p, chip, 1, value)
    return p


@LAW
@given(OPERATIONS, st.booleans(), st.booleans())
def test_the_pair_follows_the_priorities(operations, automatic, nested):
    p, model = fresh(automatic, nested), Pair(automatic, nested)
    for name, first, second in operations:
        expected = getattr(model, name)(first, second)
        model.settle()
        assert CHIP[name](p, first, second) == expected
        assert pic8259.output(p) == (model.chips[MASTER].asking() is not None)
        for chip in (MASTER, SLAVE):
            assert members(int(p["irr"][chip])) == model.chips[chip].requests
            assert members(int(p["isr"][chip])) == model.chips[chip].service


@LAW
@given(st.lists(st.tuples(st.sampled_from(["read", "write", "line"]), CHIPS, st.integers(0, 255))))
def test_any_accesses_leave_a_chip_that_answers(accesses):
    p = fresh(False, False)
    for what, bit, value in accesses:
        if what == "write":
            pic8259.write(p, value & 1, bit, value)
        elif what == "line":
            pic8259.set_line(p, value & 15, bit)
        else:
            assert 0 <= pic8259.read(p, value & 1, bit) <= 255
        assert 0 <= pic8259.acknowledge(p) <= 255
