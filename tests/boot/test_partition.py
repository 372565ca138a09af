"""The partition table says what the layout says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from mksim.boot.image import Protocol
from mksim.boot.partition import partition_table
from mksim.errors import ConfigError
from mksim.machine.config import Layout
from mksim.spec import partition
from mksim.spec.memmap import PAGE, PARTITION_TABLE_SIZE
from tests.firmware.layouts import layouts, two_kernels

PROTOCOLS = {
    Protocol.PVH: partition.PROTOCOL_PVH,
    Protocol.MULTIBOOT: partition.PROTOCOL_MULTIBOOT,
    Protocol.LINUX: partition.PROTOCOL_LINUX,
}


def header(table: bytes) -> np.void:
    return np.frombuffer(table, partition.HEADER, 1)[0]


def array(table: bytes, name: str, layout: np.dtype) -> np.ndarray:
    offset, count = header(table)[name]
    return np.frombuffer(table, layout, count, offset)


def string(table: bytes, offset: int) -> str:
    start = int(header(table)["strings"]["offset"]) + int(offset)
    return table[start : table.index(b"\0", start)].decode()


@settings(max_examples=60, deadline=None)
@given(layouts())
def test_table_says_what_the_layout_says(layout: Layout) -> None:
    table = partition_table(layout)
    assert header(table)["size"] == len(table)
    assert int(np.frombuffer(table, "<u4").sum(dtype=np.uint64)) % (1 << 32) == 0
    assert header(table)["dram_pages"] == layout.memory // PAGE
    spans = array(table, "spans", partition.SPAN)
    modules = array(table, "modules", partition.MODULE)
    for kernel, entry in zip(layout.kernels, array(table, "kernels", partition.KERNEL), strict=True):
        assert string(table, entry["name"]) == kernel.name
        assert string(table, entry["cmdline"]) == kernel.arguments
        assert (entry["entry"], entry["boot_core"]) == (kernel.entry, kernel.boot_core)
        parameters = kernel.parameters
        told = (parameters.base, parameters.size) if parameters else (0, 0)
        assert (entry["parameters_base"], entry["parameters_size"]) == told
        assert entry["protocol"] == PROTOCOLS[kernel.image.protocol]
        own = spans[entry["first_span"] :][: entry["span_count"]]
        assert own.tolist() == [(span.base, span.size) for span in kernel.memory]
        files = modules[entry["first_module"] :][: entry["module_count"]]
        assert [string(table, file["cmdline"]) for file in files] == [m.cmdline for m in kernel.modules]


@given(layouts())
@settings(max_examples=20, deadline=None)
def test_every_core_names_its_owner(layout: Layout) -> None:
    cores = array(partition_table(layout), "cores", partition.CORE)
    assert cores["apic_id"].tolist() == list(layout.apic_ids)
    for index, owner in enumerate(cores["kernel"]):
        owners = [kernel.id for kernel in layout.kernels if index in kernel.cores]
        assert [owner] == (owners or [partition.NOBODY])


def test_equal_strings_are_stored_once() -> None:
    layout = two_kernels()
    rich, poor = layout.kernels
    module = replace(rich.modules[0], cmdline="x" * 1000)
    kernels = (replace(rich, cmdline="x" * 1000, modules=(module, module)), poor)
    assert len(partition_table(replace(layout, kernels=kernels))) < 2000


def test_nul_ends_a_command_line() -> None:
    layout = two_kernels()
    kernels = (replace(layout.kernels[0], cmdline="seen\0unseen"), layout.kernels[1])
    table = partition_table(replace(layout, kernels=kernels))
    assert string(table, array(table, "kernels", partition.KERNEL)[0]["cmdline"]) == "seen"


def test_too_much_is_the_configs_fault() -> None:
    layout = two_kernels()
    # Each kernel's own tables still hold its command line; the table that holds both does not.
    kernels = tuple(
        replace(kernel, cmdline=kernel.name * (PARTITION_TABLE_SIZE // 2 // len(kernel.name)))
        for kernel in layout.kernels
    )
    with pytest.raises(ConfigError, match=r"^machine\.toml: the partition table has 0x10[0-9a-f]{3} bytes"):
        partition_table(replace(layout, kernels=kernels))


def test_names_that_mkpt_cannot_hold_are_the_configs_fault() -> None:
    layout = two_kernels()
    windows = (replace(layout.windows[0], name="é" * 16),)
    with pytest.raises(ConfigError, match=r"'é{16}' is longer than 31 bytes"):
        partition_table(replace(layout, windows=windows))
