"""The formats that only mksim knows: what a reader may rely on."""

import subprocess
import sys

import pytest

from mksim.spec import acpi, partition
from mksim.spec.cheader import fields
from mksim.spec.memmap import FIRMWARE_STACKS, LOW_DRAM_END, PARTITION_TABLE_SIZE


def test_mkpt_begins_as_every_acpi_table() -> None:
    head = list(fields(partition.MKPT))[: len(acpi.TABLE.names or ())]
    assert head == list(fields(acpi.TABLE))


def test_every_core_has_room_for_a_stack() -> None:
    assert (LOW_DRAM_END - FIRMWARE_STACKS) // partition.CORES_MAX == 512


def test_a_large_machine_fits() -> None:
    kernels = 64 * (partition.KERNEL.itemsize + partition.SPAN.itemsize + 64)
    neighbours = (
        64 * 4 * (partition.DOORBELL.itemsize + partition.WINDOW.itemsize + 2 * partition.GRANT.itemsize)
    )
    assert (
        partition.HEADER.itemsize + 256 * partition.CORE.itemsize + kernels + neighbours
        < PARTITION_TABLE_SIZE
    )


@pytest.mark.parametrize("name", list(partition.STRUCTS))
def test_no_holes(name: str) -> None:
    layout, comment = partition.STRUCTS[name]
    assert comment.endswith((".", "?"))
    end = 0
    for _, kind, offset in fields(layout):
        assert offset == end
        end = offset + kind.itemsize
    assert end == layout.itemsize


def test_the_module_prints_its_header() -> None:
    command = [sys.executable, "-m", "mksim.spec.partition"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "struct mkpt_doorbell {" in said
    assert "#define PARTITION_MAGIC 0x74706b6d" in said
