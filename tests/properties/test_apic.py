"""Law: a local APIC does what the manual's rules say, whatever is done to it in whatever order.

The judge is a model of sets, and of a timer ticked one cycle after the other (SDM vol. 3A, 12.5 and 12.8).
It shares no code with the chip, and looks at it through its registers only.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mksim.hw import lapic

TPR, APR, PPR, EOI, SVR, ESR, ICR = 0x80, 0x90, 0xA0, 0xB0, 0xF0, 0x280, 0x300
ISR, TMR, IRR = 0x100, 0x180, 0x200
LVT_TIMER, LVT_ERROR, INITIAL, CURRENT, DIVIDE = 0x320, 0x370, 0x380, 0x390, 0x3E0
MASKED = 0x10000
ONE_SHOT, PERIODIC, DEADLINE = 0, 1, 2
DIVISORS = {0b1011: 1, 0b0000: 2, 0b0001: 4, 0b0010: 8, 0b0011: 16, 0b1000: 32, 0b1001: 64, 0b1010: 128}


class Timer:
    """12.5.4, tick by tick."""

    def __init__(self) -> None:
        self.mode, self.divisor = ONE_SHOT, 2
        self.initial = self.count = self.phase = self.tsc = 0

    def tick(self, now: int) -> bool:
        """One cycle passes, and it is `now`: say whether the timer reached zero."""
        if self.mode == DEADLINE:
            return self.reach(now)
        if self.count == 0:
            return False
        self.phase += 1
        if self.phase < self.divisor:
            return False
        self.phase = 0
        self.count -= 1
        if self.count > 0:
            return False
        self.count = self.initial if self.mode == PERIODIC else 0
        return True

    def reach(self, now: int) -> bool:
        due = self.tsc != 0 and now >= self.tsc
        if due:
            self.tsc = 0
        return due

    def load(self, count: int) -> None:
        if self.mode != DEADLINE:
            self.initial = self.count = count
            self.phase = 0

    def divide(self, divisor: int) -> None:
        self.divisor, self.phase = divisor, 0

    def switch(self, mode: int) -> None:
        if DEADLINE in (mode, self.mode) and mode != self.mode:
            self.initial = self.count = self.phase = self.tsc = 0
        self.mode = mode


class Apic:
    """The rest, as sets of vectors."""

    def __init__(self) -> None:
        self.requested: set[int] = set()
        self.serving: set[int] = set()
        self.level: set[int] = set()
        self.tpr = self.detected = self.esr = 0
        self.spurious, self.enabled = 0xFF, False
        self.masked = {LVT_TIMER: True, LVT_ERROR: True}
        self.vector = {LVT_TIMER: 0, LVT_ERROR: 0}
        self.timer = Timer()

    @property
    def ppr(self) -> int:
        serving = max(self.serving, default=0)
        return self.tpr if self.tpr // 16 >= serving // 16 else serving // 16 * 16

    @property
    def apr(self) -> int:
        serving, wanted = max(self.serving, default=0) // 16, max(self.requested, default=0) // 16
        if self.tpr // 16 >= wanted and self.tpr // 16 > serving:
            return self.tpr
        return max(self.tpr // 16, serving, wanted) * 16

    @property
    def deliverable(self) -> int:
        return max((vector for vector in self.requested if vector // 16 > self.ppr // 16), default=-1)

    def receive(self, vector: int, level: bool) -> bool:
        if not self.enabled:
            return False
        if vector < 16:
            self.err(0x40)
            return False
        self.requested.add(vector)
        (self.level.add if level else self.level.discard)(vector)
        return True

    def err(self, error: int) -> None:
        """Errors interrupt once, until ESR is written."""
        first = self.detected == 0
        self.detected |= error
        if first:
            self.fire(LVT_ERROR)

    def fire(self, lvt: int) -> None:
        if not self.masked[lvt]:
            self.receive(self.vector[lvt], False)

    def acknowledge(self) -> int:
        vector = self.deliverable
        if vector < 0:
            return self.spurious
        self.requested.remove(vector)
        self.serving.add(vector)
        return vector

    def eoi(self) -> int | None:
        """Return the vector that I/O APICs hear of."""
        if not self.serving:
            return None
        vector = max(self.serving)
        self.serving.remove(vector)
        return vector if vector in self.level else None

    def enable(self, enabled: bool, spurious: int) -> None:
        self.enabled, self.spurious = enabled, spurious
        if not enabled:
            self.masked = dict.fromkeys(self.masked, True)

    def program(self, lvt: int, vector: int, masked: bool) -> None:
        self.vector[lvt], self.masked[lvt] = vector, masked or not self.enabled


LAW = settings(deadline=None, derandomize=True)  # the first call may compile

few = [0x00, 0x0F, 0x10, 0x1F, 0x20, 0x21, 0x2F, 0x30, 0x3F, 0x40, 0x41, 0xEF, 0xF0, 0xFF]
vectors = st.sampled_from(few) | st.integers(0, 255)
cycles = st.integers(0, 40) | st.integers(0, 600)
counts = st.integers(0, 9) | st.integers(0, 100)
mostly = st.sampled_from([True, True, True, False])
modes = st.sampled_from([ONE_SHOT, PERIODIC, DEADLINE])
codes = st.sampled_from(sorted(DIVISORS))


class LocalApicObeysTheManual(RuleBasedStateMachine):
    """The board's part is played as the engine plays it: `expire` is called when the deadline has come."""

    def __init__(self) -> None:
        super().__init__()
        self.apic = np.zeros(1, lapic.LAPIC)[0]
        lapic.power_up(self.apic, 3, False)
        self.model = Apic()
        self.now = 0

    @initialize(vector=vectors, error=vectors, mode=modes, count=counts, code=codes)
    def set_up(self, vector: int, error: int, mode: int, count: int, code: int) -> None:
        self.software_enable(True, 0xFF)
        self.program_error(error, False)
        self.program_timer(vector, False, mode)
        self.divide(code)
        self.load(count)

    def read(self, offset: int) -> int:
        return int(lapic.read(self.apic, offset, self.now))

    def write(self, offset: int, value: int) -> int:
        return int(lapic.write(self.apic, offset, value, self.now))

    def bitmap(self, register: int) -> set[int]:
        bits = sum(self.read(register + 16 * word) << 32 * word for word in range(8))
        return {vector for vector in range(256) if bits >> vector & 1}

    @rule(vector=vectors, level=st.booleans())
    def receive(self, vector: int, level: bool) -> None:
        assert bool(lapic.accept(self.apic, vector, level)) == self.model.receive(vector, level)

    @rule()
    def acknowledge(self) -> None:
        assert lapic.acknowledge(self.apic) == self.model.acknowledge()

    @rule()
    def end_of_interrupt(self) -> None:
        heard = self.model.eoi()
        assert self.write(EOI, 0) == (lapic.NOTHING if heard is None else lapic.EOI)
        assert heard is None or self.apic["eoi_vector"] == heard

    @rule(burst=st.lists(vectors | st.integers(0, 15), max_size=6))
    def a_burst_each_served_at_once(self, burst: list[int]) -> None:
        for vector in burst:
            self.receive(vector, False)
            self.acknowledge()
            self.end_of_interrupt()

    @rule(tpr=vectors)
    def task_priority(self, tpr: int) -> None:
        self.write(TPR, tpr)
        self.model.tpr = tpr

    @rule(enabled=mostly, spurious=vectors)
    def software_enable(self, enabled: bool, spurious: int) -> None:
        self.write(SVR, enabled << 8 | spurious)
        self.model.enable(enabled, spurious)

    @rule(vector=vectors, masked=st.booleans())
    def program_error(self, vector: int, masked: bool) -> None:
        self.write(LVT_ERROR, masked * MASKED | vector)
        self.model.program(LVT_ERROR, vector, masked)

    @rule(vector=vectors, masked=st.booleans(), mode=modes)
    def program_timer(self, vector: int, masked: bool, mode: int) -> None:
        self.write(LVT_TIMER, mode << 17 | masked * MASKED | vector)
        self.model.timer.switch(mode)
        self.model.program(LVT_TIMER, vector, masked)

    @rule(count=counts)
    def load(self, count: int) -> None:
        self.write(INITIAL, count)
        self.model.timer.load(count)

    @rule(code=codes)
    def divide(self, code: int) -> None:
        self.write(DIVIDE, code)
        self.model.timer.divide(DIVISORS[code])

    @rule(ahead=st.integers(-20, 300))
    def tsc_deadline(self, ahead: int) -> None:
        deadline = max(self.now + ahead, 0)
        lapic.write_tsc_deadline(self.apic, deadline, self.now)
        if self.model.timer.mode == DEADLINE:
            self.model.timer.tsc = deadline
            if self.model.timer.reach(self.now):
                self.model.fire(LVT_TIMER)
            self.elapse()

    @rule(duration=cycles)
    def time_passes(self, duration: int) -> None:
        self.tick(duration)
        self.elapse()

    @rule(duration=cycles, data=st.data())
    def a_write_comes_before_the_expiry_is_noticed(self, duration: int, data: st.DataObject) -> None:
        self.tick(duration)
        late = (
            lambda: self.software_enable(data.draw(st.booleans()), 0xFF),
            lambda: self.program_timer(data.draw(vectors), data.draw(st.booleans()), data.draw(modes)),
            lambda: self.load(data.draw(counts)),
            lambda: self.divide(data.draw(codes)),
            lambda: self.tsc_deadline(data.draw(st.integers(-20, 300))),
        )
        data.draw(st.sampled_from(late))()

    def tick(self, duration: int) -> None:
        for _ in range(duration):
            self.now += 1
            if self.model.timer.tick(self.now):
                self.model.fire(LVT_TIMER)

    def elapse(self) -> None:
        if self.apic["deadline"] <= self.now:
            assert lapic.expire(self.apic, self.now)
            assert self.apic["deadline"] > self.now

    @rule(vector=vectors)
    def send_with_any_vector(self, vector: int) -> None:
        assert self.write(ICR, 0x4000 | vector) == lapic.SEND
        if vector < 16:
            self.model.err(0x20)

    @rule()
    def show_errors(self) -> None:
        self.write(ESR, 0)
        self.model.esr, self.model.detected = self.model.detected, 0

    @precondition(lambda self: len(self.model.requested) > 3)
    @rule()
    def init(self) -> None:
        lapic.init_reset(self.apic)
        self.model = Apic()

    @invariant()
    def registers_agree(self) -> None:
        model = self.model
        assert self.bitmap(IRR) == model.requested
        assert self.bitmap(ISR) == model.serving
        assert self.bitmap(TMR) == model.level
        assert (self.read(PPR), self.read(APR)) == (model.ppr, model.apr)
        assert self.read(ESR) == model.esr

    @invariant()
    def the_core_sees_the_right_vector(self) -> None:
        assert lapic.highest(self.apic) == self.model.deliverable

    @invariant()
    def the_timer_agrees(self) -> None:
        timer = self.model.timer
        assert self.read(INITIAL) == timer.initial
        assert self.read(CURRENT) == (0 if timer.mode == DEADLINE else timer.count)
        assert self.apic["tsc_deadline"] == timer.tsc


LocalApicObeysTheManual.TestCase.settings = settings(LAW, max_examples=150, stateful_step_count=40)
TestLocalApicObeysTheManual = LocalApicObeysTheManual.TestCase


ids = st.integers(0, 0x3F) | st.integers(0, 0xFFFF)


@LAW
@given(apic_id=ids, destination=ids | st.sampled_from([0xFF, 0xFFFF_FFFF]))
def test_physical_destinations_name_one_core_or_all(apic_id: int, destination: int) -> None:
    for mode, everybody in ((0x800, {0xFF, 0xFFFF_FFFF}), (0xC00, {0xFFFF_FFFF})):
        apic = at(apic_id, mode)
        assert lapic.matches(apic, destination, False) == (destination in everybody | {apic_id})


@LAW
@given(ldr=st.integers(0, 255), destination=st.integers(0, 255), flat=st.booleans())
def test_xapic_logical_destinations(ldr: int, destination: int, flat: bool) -> None:
    apic = at(5, 0x800)
    lapic.write(apic, 0xD0, ldr << 24, 0)
    lapic.write(apic, 0xE0, 0xF << 28 if flat else 0, 0)
    members = {("bit", bit) for bit in range(8) if ldr >> bit & 1}
    named = {("bit", bit) for bit in range(8) if destination >> bit & 1}
    if not flat:
        members = {(ldr // 16, bit) for bit in range(4) if ldr >> bit & 1}
        named = {(destination // 16, bit) for bit in range(4) if destination >> bit & 1}
    assert lapic.matches(apic, destination, True) == (destination == 0xFF or bool(members & named))


@LAW
@given(apic_id=ids, cluster=st.integers(0, 0xFFF), bits=st.integers(0, 0xFFFF), near=st.booleans())
def test_x2apic_logical_destinations(apic_id: int, cluster: int, bits: int, near: bool) -> None:
    cluster = apic_id // 16 if near else cluster
    named = {cluster * 16 + bit for bit in range(16) if bits >> bit & 1}
    assert lapic.matches(at(apic_id, 0xC00), cluster << 16 | bits, True) == (apic_id in named)


def at(apic_id: int, mode: int) -> np.void:
    apic = np.zeros(1, lapic.LAPIC)[0]
    lapic.power_up(apic, apic_id, False)
    assert lapic.write_base(apic, 0xFEE00000 | mode)
    return apic


writes = st.tuples(st.integers(0, 0xFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 1 << 40))


@LAW
@given(st.lists(writes, max_size=40))
def test_no_write_to_the_page_does_any_harm(program: list[tuple[int, int, int]]) -> None:
    apic, now = at(1, 0x800), 0
    for offset, value, duration in program:
        now += duration
        lapic.expire(apic, now)
        assert lapic.write(apic, offset, value, now) in (lapic.NOTHING, lapic.SEND, lapic.EOI)
        assert 0 <= lapic.read(apic, offset, now) < 1 << 32
        assert apic["deadline"] > now
        assert lapic.highest(apic) < 256


msrs = st.integers(0x800, 0x8FF) | st.sampled_from(
    [0x808, 0x80B, 0x80F, 0x828, 0x830, 0x832, 0x838, 0x83E, 0x83F]
)
values = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 0x7FFFF)


@LAW
@given(st.lists(st.tuples(msrs, values), max_size=40))
def test_an_msr_reads_as_it_was_written_or_refuses(program: list[tuple[int, int]]) -> None:
    apic = at(1, 0xC00)
    lapic.write_msr(apic, 0x80F, 0x1FF, 0)
    for index, value in program:
        before = apic.copy()
        action = lapic.write_msr(apic, index, value, 0)
        if action == lapic.GP:
            assert apic == before
        elif index in (0x808, 0x80F, 0x830):
            assert lapic.read_msr(apic, index, 0) == (True, value & ~(0x1000 if index == 0x830 else 0))
