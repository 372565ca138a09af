"""The local APIC: resets, priorities, the life of an interrupt, errors, local vectors."""

import numpy as np
import pytest

from mksim.clock.time import NEVER
from mksim.hw import lapic
from tests.hw.lapic_guest import (
    APR,
    CMCI,
    DFR,
    DISABLED,
    EOI,
    ESR,
    EXTINT,
    ICR,
    ICR2,
    ID,
    ILLEGAL_REGISTER,
    INIT,
    IRR,
    ISR,
    LDR,
    LVT0,
    LVT1,
    LVTERR,
    LVTPC,
    LVTS,
    LVTT,
    LVTTHMR,
    MASKED,
    NMI,
    PPR,
    RECEIVE_ILLEGAL,
    RRD,
    SEND_ILLEGAL,
    SMI,
    SVR,
    TDCR,
    TMCCT,
    TMICT,
    TMR,
    TPR,
    VERSION,
    X2APIC,
    errors,
    power_up,
    read,
    started,
    vectors,
    write,
    x2apic,
)


@pytest.fixture
def apic() -> np.void:
    return started()


class TestReset:
    """12.4.7"""

    @pytest.mark.parametrize(
        ("offset", "value"),
        [
            (ID, 0x0700_0000), (VERSION, 0x0005_0014), (TPR, 0), (PPR, 0), (LDR, 0), (DFR, 0xFFFF_FFFF),
            (SVR, 0xFF), (ESR, 0), (ICR, 0), (ICR2, 0), (TMICT, 0), (TMCCT, 0), (TDCR, 0),
            *((lvt, MASKED) for lvt in LVTS), *((offset, 0) for offset in range(ISR, ESR, 16)),
        ],
    )  # fmt: skip
    def test_registers_after_power_up(self, offset: int, value: int) -> None:
        assert read(power_up(7), offset) == value

    @pytest.mark.parametrize(("bsp", "base"), [(True, 0xFEE00900), (False, 0xFEE00800)])
    def test_only_the_bsp_says_that_it_is(self, bsp: bool, base: int) -> None:
        assert power_up(bsp=bsp)["base"] == base

    def test_nothing_is_pending_and_no_timer_armed(self) -> None:
        apic = power_up()
        assert lapic.highest(apic) == -1
        assert apic["deadline"] == NEVER

    def test_power_up_forgets_whatever_was_there(self) -> None:
        apic = np.frombuffer(b"\x5a" * lapic.LAPIC.itemsize, lapic.LAPIC).copy()[0]
        lapic.power_up(apic, 3, False)
        assert apic == power_up(3)

    def test_init_keeps_id_and_base_only(self) -> None:
        apic = started(9)
        for offset in (TPR, LDR, TMICT, TDCR, ICR, ICR2, *LVTS):
            write(apic, offset, 0xFF00_0041)
        write(apic, DFR, 0)
        lapic.accept(apic, 0x99, True)
        lapic.init_reset(apic)
        assert apic == power_up(9)

    def test_init_leaves_x2apic_mode_alone(self) -> None:
        apic = x2apic(9)
        lapic.init_reset(apic)
        assert apic["base"] == X2APIC
        assert lapic.read_msr(apic, 0x80D, 0) == (True, 1 << 9)


class TestSoftwareDisabled:
    """12.4.7.2"""

    def test_takes_no_interrupts(self) -> None:
        apic = power_up()
        assert not lapic.accept(apic, 0x40, False)
        assert vectors(apic, IRR) == set()

    def test_keeps_what_was_pending(self, apic: np.void) -> None:
        lapic.accept(apic, 0x40, False)
        write(apic, SVR, 0xFF)
        assert lapic.highest(apic) == 0x40

    @pytest.mark.parametrize("lvt", LVTS)
    def test_masks_local_vectors_and_keeps_them_masked(self, apic: np.void, lvt: int) -> None:
        write(apic, lvt, 0x41)
        assert read(apic, lvt) == 0x41
        write(apic, SVR, 0xFF)
        write(apic, lvt, 0x42)
        assert read(apic, lvt) == MASKED | 0x42
        write(apic, SVR, 0x1FF)
        assert read(apic, lvt) == MASKED | 0x42

    def test_still_sends(self) -> None:
        assert write(power_up(), ICR, 0x4041) == lapic.SEND


class TestPriorities:
    """12.8.3"""

    def test_the_highest_vector_comes_first(self, apic: np.void) -> None:
        for vector in (0x31, 0x92, 0x91, 0x55):
            lapic.accept(apic, vector, False)
        assert [int(lapic.acknowledge(apic)), int(lapic.highest(apic))] == [0x92, -1]
        lapic.eoi(apic)
        assert lapic.highest(apic) == 0x91

    @pytest.mark.parametrize(
        ("tpr", "deliverable"), [(0x00, 0x45), (0x3F, 0x45), (0x40, -1), (0x50, -1), (0xFF, -1)]
    )
    def test_task_priority_holds_back_its_class_and_below(
        self, apic: np.void, tpr: int, deliverable: int
    ) -> None:
        lapic.accept(apic, 0x45, False)
        write(apic, TPR, tpr)
        assert lapic.highest(apic) == deliverable

    def test_a_higher_class_nests(self, apic: np.void) -> None:
        lapic.accept(apic, 0x45, False)
        lapic.acknowledge(apic)
        lapic.accept(apic, 0x4F, False)
        assert lapic.highest(apic) == -1
        lapic.accept(apic, 0x50, False)
        assert lapic.acknowledge(apic) == 0x50
        assert vectors(apic, ISR) == {0x45, 0x50}

    @pytest.mark.parametrize(
        ("tpr", "serving", "ppr"),
        [(0x00, 0x45, 0x40), (0x3F, 0x45, 0x40), (0x42, 0x45, 0x42), (0x67, 0x45, 0x67), (0x67, None, 0x67)],
    )
    def test_processor_priority(self, apic: np.void, tpr: int, serving: int | None, ppr: int) -> None:
        if serving is not None:
            lapic.accept(apic, serving, False)
            lapic.acknowledge(apic)
        write(apic, TPR, tpr)
        assert read(apic, PPR) == ppr

    @pytest.mark.parametrize(
        ("tpr", "serving", "wanted", "apr"),
        [
            (0x23, None, None, 0x23), (0x23, None, 0x2F, 0x23), (0x23, None, 0x31, 0x30),
            (0x23, 0x22, None, 0x20), (0x23, 0x45, 0x31, 0x40),
            (0x00, None, None, 0x00), (0x80, 0x45, 0x91, 0x90),
        ],
    )  # fmt: skip
    def test_arbitration_priority(
        self, apic: np.void, tpr: int, serving: int | None, wanted: int | None, apr: int
    ) -> None:
        if serving is not None:
            lapic.accept(apic, serving, False)
            lapic.acknowledge(apic)
        write(apic, TPR, tpr)
        if wanted is not None:
            lapic.accept(apic, wanted, False)
        assert lapic.arbitration_priority(apic) == read(apic, APR) == apr

    def test_tpr_is_eight_bits(self, apic: np.void) -> None:
        write(apic, TPR, 0xFFFF_FF37)
        assert read(apic, TPR) == 0x37


class TestLifeOfAnInterrupt:
    """12.8.4, 12.8.5, 12.9"""

    def test_requested_then_in_service_then_gone(self, apic: np.void) -> None:
        assert lapic.accept(apic, 0x61, False)
        assert (vectors(apic, IRR), vectors(apic, ISR)) == ({0x61}, set())
        assert lapic.acknowledge(apic) == 0x61
        assert (vectors(apic, IRR), vectors(apic, ISR)) == (set(), {0x61})
        assert write(apic, EOI, 0) == lapic.NOTHING
        assert vectors(apic, ISR) == set()

    def test_one_may_wait_behind_the_one_in_service(self, apic: np.void) -> None:
        lapic.accept(apic, 0x61, False)
        lapic.acknowledge(apic)
        lapic.accept(apic, 0x61, False)
        lapic.accept(apic, 0x61, False)
        write(apic, EOI, 0)
        assert lapic.acknowledge(apic) == 0x61
        write(apic, EOI, 0)
        assert lapic.highest(apic) == -1

    @pytest.mark.parametrize("vector", [0x10, 0x1F, 0x20, 0x7F, 0x80, 0xFF])
    def test_every_word_of_the_bitmaps(self, apic: np.void, vector: int) -> None:
        lapic.accept(apic, vector, True)
        assert vectors(apic, IRR) == vectors(apic, TMR) == {vector}
        assert lapic.acknowledge(apic) == vector

    def test_nothing_left_is_the_spurious_vector(self, apic: np.void) -> None:
        write(apic, SVR, 0x1EF)
        lapic.accept(apic, 0x45, False)
        write(apic, TPR, 0xF0)
        assert lapic.acknowledge(apic) == 0xEF
        assert (vectors(apic, IRR), vectors(apic, ISR)) == ({0x45}, set())

    def test_eoi_with_nothing_in_service(self, apic: np.void) -> None:
        assert write(apic, EOI, 0) == lapic.NOTHING

    def test_eoi_of_a_level_is_broadcast(self, apic: np.void) -> None:
        lapic.accept(apic, 0x61, True)
        lapic.acknowledge(apic)
        assert write(apic, EOI, 0) == lapic.EOI
        assert apic["eoi_vector"] == 0x61

    def test_the_last_acceptance_decides_the_trigger_mode(self, apic: np.void) -> None:
        lapic.accept(apic, 0x61, True)
        lapic.accept(apic, 0x61, False)
        assert vectors(apic, TMR) == set()

    def test_eoi_broadcast_may_be_suppressed_where_the_version_has_it(self, apic: np.void) -> None:
        write(apic, SVR, 0x11FF)
        assert read(apic, SVR) == 0x1FF
        apic["version"] |= 1 << 24
        write(apic, SVR, 0x11FF)
        assert read(apic, SVR) == 0x11FF
        lapic.accept(apic, 0x61, True)
        lapic.acknowledge(apic)
        assert write(apic, EOI, 0) == lapic.NOTHING


class TestErrors:
    """12.5.3"""

    @pytest.mark.parametrize("vector", [0, 15])
    def test_receiving_an_illegal_vector(self, apic: np.void, vector: int) -> None:
        assert not lapic.accept(apic, vector, False)
        assert errors(apic) == RECEIVE_ILLEGAL
        assert vectors(apic, IRR) == set()

    @pytest.mark.parametrize(("icr", "error"), [
        (0x400F, SEND_ILLEGAL), (0x410F, SEND_ILLEGAL), (0x4010, 0), (0x4400, 0), (0x4500, 0), (0x4608, 0),
    ])  # fmt: skip
    def test_sending_an_illegal_vector(self, apic: np.void, icr: int, error: int) -> None:
        assert write(apic, ICR, icr) == lapic.SEND
        assert errors(apic) == error

    def test_esr_shows_what_was_there_when_it_was_written(self, apic: np.void) -> None:
        lapic.accept(apic, 3, False)
        assert read(apic, ESR) == 0
        assert errors(apic) == RECEIVE_ILLEGAL
        assert read(apic, ESR) == RECEIVE_ILLEGAL
        assert errors(apic) == 0

    @pytest.mark.parametrize(
        "offset", [0x00, 0x10, 0x40, 0x70, CMCI, 0x290, 0x2E0, 0x3A0, 0x3D0, 0x3F0, 0x400, 0xFF0]
    )
    def test_reserved_registers(self, apic: np.void, offset: int) -> None:
        assert read(apic, offset) == 0
        assert errors(apic) == ILLEGAL_REGISTER
        assert write(apic, offset, 0xFFFF_FFFF) == lapic.NOTHING
        assert errors(apic) == ILLEGAL_REGISTER

    @pytest.mark.parametrize("offset", [0x84, 0x108, 0x24C, 0x324, 0x3E8])
    def test_between_registers_is_reserved(self, apic: np.void, offset: int) -> None:
        before = apic.copy()
        assert read(apic, offset) == 0
        write(apic, offset, 0xFFFF_FFFF)
        assert errors(apic) == ILLEGAL_REGISTER
        apic["esr"] = 0
        assert apic == before

    @pytest.mark.parametrize("offset", [ID, VERSION, APR, PPR, RRD, TMCCT, ISR, TMR + 0x70, IRR + 0x30])
    def test_read_only_registers_ignore_writes(self, apic: np.void, offset: int) -> None:
        before = apic.copy()
        assert write(apic, offset, 0xFFFF_FFFF) == lapic.NOTHING
        assert apic == before

    @pytest.mark.parametrize("offset", [EOI, RRD])
    def test_these_read_zero_without_an_error(self, apic: np.void, offset: int) -> None:
        assert read(apic, offset) == 0
        assert errors(apic) == 0

    def test_the_first_error_interrupts(self, apic: np.void) -> None:
        write(apic, LVTERR, 0xFE)
        lapic.accept(apic, 3, False)
        assert lapic.acknowledge(apic) == 0xFE
        write(apic, EOI, 0)
        lapic.accept(apic, 3, False)
        assert lapic.highest(apic) == -1
        write(apic, ESR, 0)
        lapic.accept(apic, 3, False)
        assert lapic.highest(apic) == 0xFE

    def test_an_error_vector_that_is_illegal_itself(self, apic: np.void) -> None:
        write(apic, LVTERR, 0x08)
        read(apic, 0x40)
        assert errors(apic) == ILLEGAL_REGISTER | RECEIVE_ILLEGAL


class TestLocalVectors:
    """12.5.1"""

    @pytest.mark.parametrize(("lvt", "writable"), [
        (LVTT, 0x700FF), (LVTTHMR, 0x107FF), (LVTPC, 0x107FF), (LVT0, 0x1A7FF), (LVT1, 0x1A7FF),
        (LVTERR, 0x100FF),
    ])  # fmt: skip
    def test_writable_bits(self, apic: np.void, lvt: int, writable: int) -> None:
        write(apic, lvt, 0xFFFF_FFFF)
        assert read(apic, lvt) == writable

    @pytest.mark.parametrize("index", range(6))
    def test_a_fixed_one_is_requested(self, apic: np.void, index: int) -> None:
        write(apic, LVTS[index], 0x71)
        assert lapic.fire_lvt(apic, index) == -1
        assert lapic.highest(apic) == 0x71

    @pytest.mark.parametrize("index", range(6))
    def test_a_masked_one_is_not(self, apic: np.void, index: int) -> None:
        write(apic, LVTS[index], MASKED | 0x71)
        assert lapic.fire_lvt(apic, index) == -1
        assert lapic.highest(apic) == -1

    @pytest.mark.parametrize("mode", [SMI, NMI, INIT, EXTINT])
    def test_other_modes_are_the_cores_business(self, apic: np.void, mode: int) -> None:
        write(apic, LVT1, mode << 8 | 0x71)
        assert lapic.fire_lvt(apic, 4) == mode
        assert lapic.highest(apic) == -1

    def test_performance_counters_mask_themselves(self, apic: np.void) -> None:
        write(apic, LVTPC, NMI << 8)
        assert lapic.fire_lvt(apic, 2) == NMI
        assert read(apic, LVTPC) == MASKED | NMI << 8
        assert lapic.fire_lvt(apic, 2) == -1

    def test_an_illegal_vector_is_logged_when_it_fires(self, apic: np.void) -> None:
        write(apic, LVT0, 0x0F)
        assert errors(apic) == 0
        lapic.fire_lvt(apic, 3)
        assert errors(apic) == RECEIVE_ILLEGAL

    @pytest.mark.parametrize(("lvt0", "open_"), [
        (EXTINT << 8, True), (EXTINT << 8 | 0x8000, True), (MASKED | EXTINT << 8, False), (0x30, False),
        (NMI << 8, False),
    ])  # fmt: skip
    def test_the_8259_comes_in_by_lint0(self, apic: np.void, lvt0: int, open_: bool) -> None:
        write(apic, LVT0, lvt0)
        assert lapic.lint0_extint(apic) == open_

    def test_the_8259_is_shut_out_after_reset_and_alone_without_apic(self) -> None:
        apic = power_up()
        assert not lapic.lint0_extint(apic)
        lapic.write_base(apic, DISABLED)
        assert lapic.lint0_extint(apic)
