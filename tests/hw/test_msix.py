"""MSI-X: messages that are held back while they are masked."""

import numpy as np
import pytest

from mksim.hw import msix
from mksim.hw.msix import MSIX


@pytest.fixture
def m():
    record = np.zeros(1, MSIX)[0]
    msix.reset(record, 2)
    return record


def test_all_are_masked_after_power_on(m):
    assert [int(msix.read(m, 16 * entry + 12)) for entry in range(2)] == [1, 1]


def test_an_entry_reads_back_but_for_what_is_reserved(m):
    for offset, value in ((16, 0xFEE01000), (20, 0x1), (24, 0x4041), (28, 0xFFFFFFFE)):
        msix.write(m, offset, value)
    assert [int(msix.read(m, offset)) for offset in (16, 20, 24, 28)] == [0xFEE01000, 1, 0x4041, 0]
    assert (int(msix.address(m, 1)), int(msix.data(m, 1))) == (0x1FEE01000, 0x4041)


def test_a_masked_message_waits(m):
    msix.post(m, 1)
    assert msix.take(m) == -1
    assert msix.read(m, 0x800) == 2
    msix.write(m, 28, 0)
    assert msix.take(m) == 1
    assert msix.take(m) == -1
    assert msix.read(m, 0x800) == 0


@pytest.mark.parametrize("entry", [2, 63, 0xFFFF])
def test_an_entry_that_is_not_there_says_nothing(m, entry):
    msix.post(m, entry)
    assert msix.read(m, 0x800) == 0


@pytest.mark.parametrize("offset", [32, 0x800, 0xFFC])
def test_writes_beside_the_table_do_nothing(m, offset):
    before = m.tobytes()
    msix.write(m, offset, 0xFFFFFFFF)
    assert m.tobytes() == before
