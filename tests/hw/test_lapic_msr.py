"""The local APIC's MSRs: IA32_APIC_BASE and x2APIC mode."""

import numpy as np
import pytest

from mksim.hw import lapic
from tests.hw.lapic_guest import (
    DISABLED,
    INVALID,
    LVTT,
    PERIODIC,
    RECEIVE_ILLEGAL,
    SEND_ILLEGAL,
    TMICT,
    TPR,
    X2APIC,
    XAPIC,
    power_up,
    started,
    write,
    x2apic,
)


@pytest.fixture
def apic() -> np.void:
    return started()


MODES = {"xapic": XAPIC, "x2apic": X2APIC, "disabled": DISABLED, "invalid": INVALID}
LEGAL = {
    "xapic": {"xapic", "x2apic", "disabled"},
    "x2apic": {"x2apic", "disabled"},
    "disabled": {"disabled", "xapic"},
}


def brought_to(mode: str) -> np.void:
    apic = started(5)
    assert lapic.write_base(apic, MODES[mode])
    return apic


class TestApicBase:
    """12.4.4, figure 12-27"""

    @pytest.mark.parametrize("before", LEGAL)
    @pytest.mark.parametrize("after", MODES)
    def test_transitions(self, before: str, after: str) -> None:
        apic = brought_to(before)
        legal = after in LEGAL[before]
        assert lapic.write_base(apic, MODES[after]) == legal
        assert apic["base"] == MODES[after if legal else before]

    @pytest.mark.parametrize("bit", [0, 7, 9, 40, 52, 62])
    def test_reserved_bits(self, apic: np.void, bit: int) -> None:
        assert not lapic.write_base(apic, XAPIC | 1 << bit)
        assert apic["base"] == XAPIC

    def test_the_sign_bit_is_reserved(self, apic: np.void) -> None:
        assert not lapic.write_base(apic, XAPIC | -1 << 63)

    def test_the_page_may_move(self, apic: np.void) -> None:
        assert lapic.write_base(apic, 0xFF_0000_0800)

    def test_disabled_comes_back_as_after_reset(self, apic: np.void) -> None:
        lapic.accept(apic, 0x41, False)
        write(apic, LVTT, 0x30)
        write(apic, TMICT, 100)
        lapic.write_base(apic, DISABLED)
        assert not lapic.globally_enabled(apic)
        lapic.write_base(apic, XAPIC)
        assert apic == power_up()

    def test_into_x2apic_mode_the_state_stays(self, apic: np.void) -> None:
        lapic.accept(apic, 0x41, False)
        write(apic, TPR, 0x20)
        lapic.write_base(apic, X2APIC)
        assert lapic.x2apic(apic)
        assert lapic.highest(apic) == 0x41
        assert lapic.read_msr(apic, 0x808, 0) == (True, 0x20)


# Table 12-6: what may be read, and which bits may be written
READABLE = {
    0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, *range(0x810, 0x828), 0x828, 0x830,
    *range(0x832, 0x838), 0x838, 0x839, 0x83E,
}  # fmt: skip
WRITABLE = {
    0x808: 0xFF, 0x80B: 0, 0x80F: 0x1FF, 0x828: 0, 0x832: 0x710FF, 0x833: 0x117FF, 0x834: 0x117FF,
    0x835: 0x1F7FF, 0x836: 0x1F7FF, 0x837: 0x110FF, 0x838: 0xFFFF_FFFF, 0x83E: 0xB, 0x83F: 0xFF,
}  # fmt: skip


class TestX2apicRegisters:
    """12.12.1"""

    @pytest.mark.parametrize("make", [started, lambda: brought_to("disabled")])
    def test_there_are_none_in_other_modes(self, make: type) -> None:
        apic = make()
        for index in range(0x800, 0x900):
            assert lapic.read_msr(apic, index, 0) == (False, 0)
            assert lapic.write_msr(apic, index, 0, 0) == lapic.GP

    def test_readable_ones(self) -> None:
        apic = x2apic()
        assert {index for index in range(0x800, 0x900) if lapic.read_msr(apic, index, 0)[0]} == READABLE

    def test_writable_ones(self) -> None:
        apic = x2apic()
        written = {index for index in range(0x800, 0x900) if lapic.write_msr(apic, index, 0, 0) != lapic.GP}
        assert written == {*WRITABLE, 0x830}

    @pytest.mark.parametrize(("index", "writable"), WRITABLE.items())
    def test_reserved_bits(self, index: int, writable: int) -> None:
        accepted = 0
        for bit in range(64):
            value = (1 << bit) - (1 << 64 if bit == 63 else 0)
            if lapic.write_msr(x2apic(), index, value, 0) != lapic.GP:
                accepted |= 1 << bit
        assert accepted == writable

    def test_reserved_bits_of_the_icr(self) -> None:
        reserved = {13, 16, 17, *range(20, 32)}
        for bit in range(63):
            action = lapic.write_msr(x2apic(), 0x830, 1 << bit, 0)
            assert action == (lapic.GP if bit in reserved else lapic.SEND)

    def test_a_refused_write_changes_nothing(self) -> None:
        apic = x2apic()
        before = apic.copy()
        lapic.write_msr(apic, 0x80F, 0x2FF, 0)
        lapic.write_msr(apic, 0x830, 0x2041, 0)
        assert apic == before

    def test_the_icr_is_one_register(self) -> None:
        apic = x2apic()
        assert lapic.write_msr(apic, 0x830, 0x1234_5678 << 32 | 0x4041, 0) == lapic.SEND
        assert lapic.read_msr(apic, 0x830, 0) == (True, 0x1234_5678 << 32 | 0x4041)
        assert lapic.icr_destination(apic, apic["icr"]) == 0x1234_5678

    def test_ids_are_wide(self) -> None:
        apic = x2apic(0x1234)
        assert lapic.read_msr(apic, 0x802, 0) == (True, 0x1234)
        assert lapic.read_msr(apic, 0x80D, 0) == (True, 0x123_0010)

    def test_self_ipi(self) -> None:
        apic = x2apic()
        lapic.accept(apic, 0x41, True)
        assert lapic.write_msr(apic, 0x83F, 0x41, 0) == lapic.NOTHING
        assert lapic.acknowledge(apic) == 0x41
        assert lapic.write_msr(apic, 0x80B, 0, 0) == lapic.NOTHING  # edge, so no broadcast

    def test_self_ipi_with_an_illegal_vector(self) -> None:
        apic = x2apic()
        lapic.write_msr(apic, 0x83F, 0x0F, 0)
        assert lapic.write_msr(apic, 0x828, 0, 0) == lapic.NOTHING
        assert lapic.read_msr(apic, 0x828, 0) == (True, SEND_ILLEGAL | RECEIVE_ILLEGAL)

    def test_eoi_of_a_level_is_broadcast(self) -> None:
        apic = x2apic()
        lapic.accept(apic, 0x41, True)
        lapic.acknowledge(apic)
        assert lapic.write_msr(apic, 0x80B, 0, 0) == lapic.EOI

    def test_a_bad_register_is_gp_not_an_error(self) -> None:
        apic = x2apic()
        lapic.read_msr(apic, 0x800, 0)
        lapic.write_msr(apic, 0x8FF, 1, 0)
        assert apic["errors"] == 0

    def test_the_timer(self) -> None:
        apic = x2apic()
        lapic.write_msr(apic, 0x832, PERIODIC | 0x31, 0)
        lapic.write_msr(apic, 0x838, 50, 7)
        assert lapic.read_msr(apic, 0x839, 11) == (True, 48)
        assert apic["deadline"] == 107
