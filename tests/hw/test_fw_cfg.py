"""The firmware configuration device: select a key, read its bytes."""

import numpy as np
import pytest

from mksim.hw import fw_cfg
from mksim.hw.fw_cfg import FW_CFG, ITEM

DATA = np.frombuffer(b"QEMU\x02\x00\x01\x00\x00\x00hers", np.uint8)
ITEMS = np.array([(0, 0, 4), (5, 4, 2), (1, 6, 4), (0, 10, 4)], ITEM)
"""The first three are one kernel's, the last is another's."""


@pytest.fixture
def f():
    record = np.zeros(1, FW_CFG)[0]
    record["count"] = 3
    fw_cfg.reset(record)
    return record


def take(f, key, count):
    fw_cfg.select(f, ITEMS, key)
    return bytes(int(fw_cfg.read(f, DATA)) for _ in range(count))


def test_it_is_recognised_by_its_signature_and_id(f):
    assert take(f, 0, 4) == b"QEMU"
    assert take(f, 1, 4) == b"\x01\x00\x00\x00"


def test_behind_an_items_end_are_zeros(f):
    assert take(f, 5, 5) == b"\x02\0\0\0\0"


def test_selecting_starts_over(f):
    assert take(f, 0, 2) == b"QE"
    assert take(f, 0, 4) == b"QEMU"


def test_a_key_without_an_item_is_empty(f):
    assert take(f, 0x19, 4) == bytes(4)


def test_the_bit_for_writing_does_not_change_the_key(f):
    assert take(f, 0x4000, 4) == b"QEMU"


def test_nothing_is_selected_after_power_on(f):
    assert fw_cfg.read(f, DATA) == 0


def test_another_kernels_items_are_its_own():
    record = np.zeros(1, FW_CFG)[0]
    record["first"], record["count"] = 3, 1
    assert take(record, 0, 5) == b"hers\0"
    assert take(record, 5, 1) == b"\0"
