"""Interrupt messages: what an ICR says, and who is meant."""

import numpy as np
import pytest

from mksim.hw import lapic
from tests.hw.lapic_guest import DFR, DISABLED, ICR, ICR2, LDR, read, started, write, x2apic


@pytest.fixture
def apic() -> np.void:
    return started()


class TestIcr:
    """12.6.1"""

    def test_the_low_half_sends(self, apic: np.void) -> None:
        assert write(apic, ICR2, 0x0500_0000) == lapic.NOTHING
        assert write(apic, ICR, 0x4041) == lapic.SEND
        icr = apic["icr"]
        assert lapic.icr_destination(apic, icr) == 5
        assert lapic.icr_vector(icr) == 0x41
        assert (read(apic, ICR2), read(apic, ICR)) == (0x0500_0000, 0x4041)

    def test_reserved_bits_do_not_stick(self, apic: np.void) -> None:
        write(apic, ICR2, 0xFFFF_FFFF)
        write(apic, ICR, 0xFFFF_FFFF)
        assert (read(apic, ICR2), read(apic, ICR)) == (0xFF00_0000, 0x000C_CFFF)

    def test_delivery_status_is_the_boards(self, apic: np.void) -> None:
        write(apic, ICR, 0x4041)
        apic["sending"] = 1
        assert read(apic, ICR) == 0x5041
        apic["sending"] = 0
        assert read(apic, ICR) == 0x4041

    @pytest.mark.parametrize(
        ("icr", "mode", "level", "trigger", "shorthand", "logical"),
        [
            (0x0000_4041, 0, True, False, 0, False),
            (0x0000_0941, 1, False, False, 0, True),
            (0x0004_4441, 4, True, False, 1, False),
            (0x0008_C500, 5, True, True, 2, False),
            (0x000C_4608, 6, True, False, 3, False),
        ],
    )
    def test_fields(
        self, icr: int, mode: int, level: bool, trigger: bool, shorthand: int, logical: bool
    ) -> None:
        assert lapic.icr_mode(icr) == mode
        assert lapic.icr_level(icr) == level
        assert lapic.icr_trigger(icr) == trigger
        assert lapic.icr_shorthand(icr) == shorthand
        assert lapic.icr_logical(icr) == logical

    def test_the_xapic_broadcast_is_made_wide(self, apic: np.void) -> None:
        write(apic, ICR2, 0xFF00_0000)
        assert lapic.icr_destination(apic, apic["icr"]) == 0xFFFF_FFFF

    def test_x2apic_destinations_are_wide(self) -> None:
        apic = x2apic()
        lapic.write_msr(apic, 0x830, -1 << 32 | 0x41, 0)
        assert lapic.icr_destination(apic, apic["icr"]) == 0xFFFF_FFFF
        lapic.write_msr(apic, 0x830, 0xFF << 32 | 0x41, 0)
        assert lapic.icr_destination(apic, apic["icr"]) == 0xFF


class TestDestinations:
    """12.6.2, 12.12.10"""

    @pytest.mark.parametrize("make", [started, x2apic])
    @pytest.mark.parametrize("apic_id", [0, 1, 6, 0x10, 0xFE])
    def test_physical_is_the_id(self, make: type, apic_id: int) -> None:
        apic = make(apic_id)
        heard = [destination for destination in range(0xFF) if lapic.matches(apic, destination, False)]
        assert heard == [apic_id]

    @pytest.mark.parametrize("logical", [False, True])
    @pytest.mark.parametrize(("make", "narrow"), [(started, True), (x2apic, False)])
    def test_broadcast(self, make: type, narrow: bool, logical: bool) -> None:
        apic = make(0x60)
        assert lapic.matches(apic, 0xFFFF_FFFF, logical)
        assert lapic.matches(apic, 0xFF, logical) == narrow

    def test_an_x2apic_numbered_255_is_not_everybody(self) -> None:
        assert lapic.matches(x2apic(0xFF), 0xFF, False)

    def test_an_id_above_255_is_not_taken_for_its_low_byte(self) -> None:
        apic = started(0x105)
        assert not lapic.matches(apic, 0x05, False)
        assert lapic.matches(apic, 0x105, False)

    def test_flat(self, apic: np.void) -> None:
        write(apic, LDR, 0x2000_0000)
        heard = {bit for bit in range(8) if lapic.matches(apic, 1 << bit, True)}
        assert heard == {5}
        assert lapic.matches(apic, 0x21, True)
        assert not lapic.matches(apic, 0xDF, True)

    def test_an_unset_logical_id_hears_only_broadcasts(self, apic: np.void) -> None:
        assert not any(lapic.matches(apic, destination, True) for destination in range(0xFF))
        assert lapic.matches(apic, 0xFF, True)

    def test_cluster(self, apic: np.void) -> None:
        write(apic, DFR, 0x0FFF_FFFF)
        write(apic, LDR, 0x3400_0000)
        assert lapic.matches(apic, 0x34, True)
        assert lapic.matches(apic, 0x3F, True)
        assert not lapic.matches(apic, 0x3B, True)
        assert not lapic.matches(apic, 0x24, True)
        assert not lapic.matches(apic, 0x04, True)

    def test_a_reserved_model_hears_nothing(self, apic: np.void) -> None:
        write(apic, DFR, 0x7000_0000)
        assert read(apic, DFR) == 0x7FFF_FFFF
        write(apic, LDR, 0xFF00_0000)
        assert not lapic.matches(apic, 0x81, True)

    def test_ldr_keeps_its_upper_byte(self, apic: np.void) -> None:
        write(apic, LDR, 0xFFFF_FFFF)
        assert read(apic, LDR) == 0xFF00_0000

    @pytest.mark.parametrize(
        ("apic_id", "ldr"), [(0, 1), (0x0F, 0x8000), (0x10, 0x1_0001), (0x123, 0x12_0008)]
    )
    def test_x2apic_logical_id_comes_from_the_id(self, apic_id: int, ldr: int) -> None:
        apic = x2apic(apic_id)
        assert lapic.logical_id(apic) == ldr
        assert lapic.matches(apic, ldr, True)
        assert lapic.matches(apic, ldr | 0xFFFF, True)
        assert not lapic.matches(apic, ldr ^ 0x1_0000, True)
        assert not lapic.matches(apic, ldr & 0xFFFF_0000, True)

    def test_without_apic_nothing_is_heard(self, apic: np.void) -> None:
        lapic.write_base(apic, DISABLED)
        assert not lapic.matches(apic, 0, False)
        assert not lapic.matches(apic, 0xFFFF_FFFF, False)

    def test_widen(self) -> None:
        assert [int(lapic.widen(destination)) for destination in (0, 0xFE, 0xFF)] == [0, 0xFE, 0xFFFF_FFFF]
