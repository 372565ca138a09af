"""The scorecard: every cell is a run, and these are what they come to."""

from collections.abc import Mapping

import pytest

from mksim.machine.reading import read_layout
from mksim.observe.scorecard import ATTACKS, CONFIG, FIELD_PAGES, PROTECTIONS, Affected, Cell, cells

HARMLESS = {"SMI", "BAR over another's", "MSR: the clock", "triple fault", "board reset"}
"""What this machine has no way to do to others: see docs/scorecard.md."""
BLINDED = {"read memory", "write memory", "execute memory", "I/O APIC entry", "device registers"}
"""What takes a mapping of what is another's."""
BY_DMA = {"DMA read", "DMA write", "flood of DMA", "DMA over its image"}
SILENT = {"MSR: the clock", "triple fault", "board reset"}
"""Attempts that reach for nobody else's."""


@pytest.fixture(scope="module")
def card() -> Mapping[tuple[str, str], Cell]:
    told: list[str] = []
    measured = {(cell.attack, cell.protection): cell for cell in cells(read_layout(CONFIG), told.append)}
    assert len(told) == len(measured) == len(ATTACKS) * len(PROTECTIONS)
    return measured


def hit(card: Mapping[tuple[str, str], Cell], protection: str) -> set[str]:
    return {attack for attack in ATTACKS if card[attack, protection].affected}


def test_guard_stops_everything_and_everything_was_tried(card) -> None:
    assert hit(card, "guard") == set()
    assert {attack for attack in ATTACKS if not card[attack, "guard"].violations} == SILENT


def test_trust_stops_nothing_that_a_machine_can_do(card) -> None:
    assert hit(card, "trust") == set(ATTACKS) - HARMLESS


def test_a_blindfold_is_no_protection_from_oneself_alone(card) -> None:
    assert hit(card, "blind") == hit(card, "trust") - BLINDED


def test_an_iommu_stops_devices_and_nobody_else(card) -> None:
    assert hit(card, "iommu") == hit(card, "trust") - BY_DMA
    assert hit(card, "iommu+remapping") == hit(card, "iommu") - {"forged MSI", "flood of MSIs"}


def test_how_much_is_affected(card) -> None:
    for attack in ("read memory", "write memory", "DMA read", "DMA write", "flood of DMA"):
        assert card[attack, "trust"].affected == Affected(pages=FIELD_PAGES)
    assert card["IPI", "trust"].affected == Affected(cores=1)
    assert card["IPI to all others", "trust"].affected == Affected(cores=2)
    assert card["I/O APIC entry", "trust"].affected == Affected(devices=("I/O APIC 0",))
    assert set(card["legacy chips", "trust"].affected.devices) >= {"8259", "8254", "RTC", "HPET"}
