"""Random rings of descriptors against a disk: no host error, no byte outside, and an end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.machine.devices import Device, Kind
from mksim.machine.remapping import Iommu
from tests.engine.rings import DATA, DRIVER_OK, NEEDS_RESET, asleep, lay, look, outside, put, rings, set_up
from tests.machine.guests import HALT, base, machine

SECTORS = 16
MASTER_ABORT, TARGET_ABORT = 0x20, 0x10
"""Of the upper half of a function's status."""


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A disk of the first kernel's."""
    file = tmp_path_factory.mktemp("disk") / "d.img"
    file.write_bytes(bytes(range(256)) * 2 * SECTORS)
    return Device(name="d", kind=Kind.DISK, owner="k0", slot=1, file=file, size=512 * SECTORS)


@pytest.fixture(scope="module")
def sleeping(disk):
    """Two kernels that sleep; the first has a disk."""
    return asleep(machine(HALT, HALT, devices=(disk,)))


HEADER = np.dtype([("kind", "<u4"), ("reserved", "<u4"), ("sector", "<u8")])
headers = st.tuples(
    st.sampled_from([0, 1, 4, 8, 9]), st.just(0), st.one_of(st.integers(0, 17), st.integers(0, (1 << 64) - 1))
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(rings, headers)
def test_whatever_the_ring_says(sleeping, ring, header):
    one, (table, inner, available, count) = sleeping, ring
    disk = set_up(one)
    table[0] = (base(0) + DATA, 16, 1, table[0][3])
    lay(one, table, inner, available, count)
    put(one, base(0) + DATA, HEADER, [header])
    before = outside(one)
    look(one)
    assert (outside(one) == before).all()
    assert int(disk["status"]) in (DRIVER_OK, DRIVER_OK | NEEDS_RESET)
    assert int(disk["queues"][0]["seen"]) == count or int(disk["status"]) & NEEDS_RESET


def test_a_refused_request_is_an_error_and_leaves_the_disk(sleeping):
    one = sleeping
    set_up(one)
    before = one.board.disk_bytes.copy()
    violations = one.ledger.violations
    status = base(0) + DATA + 64
    chain = [(base(0) + DATA, 16, 1, 1), (base(1), 512, 1, 2), (status, 1, 2, 0)]
    lay(one, chain, [], [0], 1)
    put(one, base(0) + DATA, HEADER, [(1, 0, 2)])
    one.board.memory[status] = 0xFF
    look(one)
    assert one.board.memory[status] == 1
    assert (one.board.disk_bytes == before).all()
    assert one.ledger.violations == violations + 1


@pytest.mark.parametrize("iommu", [None, Iommu(owner="each")], ids=["no IOMMU", "one that is off"])
@pytest.mark.parametrize("address", [1 << 62, 1 << 63, (1 << 64) - 8])
def test_where_no_memory_is_and_no_iommu_translates_there_is_a_master_abort(disk, iommu, address):
    one = asleep(machine(HALT, HALT, devices=(disk,), iommu=iommu))
    set_up(one)["queues"][0]["driver"] = np.int64(address - (1 << 64) if address >> 63 else address)
    function = one.board.functions[-1]
    look(one)
    assert int(function["config"][7]) & (MASTER_ABORT | TARGET_ABORT) == MASTER_ABORT
    assert int(one.board.machine["dma_fault_count"][0]) == 0
