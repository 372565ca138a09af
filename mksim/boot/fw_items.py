"""What a kernel reads from its firmware configuration device (spec/fw_cfg.py): itself, as on its own PC."""

from collections.abc import Iterator, Mapping, Sequence

from mksim.boot.layout import Kernel
from mksim.spec import fw_cfg as spec
from mksim.spec.memmap import HIGH_DRAM


def items(kernel: Kernel, apic_ids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield key and bytes of each item; `apic_ids` are of the kernel's own cores."""
    cmdline = kernel.arguments.encode() + b"\0"
    yield spec.KEY_SIGNATURE, b"QEMU"
    yield spec.KEY_ID, _number(spec.ID_TRADITIONAL, 4)
    yield spec.KEY_RAM_SIZE, _number(ram_size(kernel), 8)
    yield spec.KEY_NOGRAPHIC, _number(not kernel.vga, 2)
    yield spec.KEY_CPUS, _number(len(kernel.cores), 2)
    yield spec.KEY_CPUS_MAX, _number(min(max(apic_ids) + 1, 0xFFFF), 2)
    if kernel.modules:
        yield spec.KEY_INITRD_ADDRESS, _number(kernel.modules[0].span.base, 4)
        yield spec.KEY_INITRD_SIZE, _number(kernel.modules[0].span.size, 4)
    yield spec.KEY_CMDLINE_SIZE, _number(len(cmdline), 4)
    yield spec.KEY_CMDLINE_DATA, cmdline
    yield from files({"etc/e820": memory_map(kernel)})


def files(contents: Mapping[str, bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the directory of files, and the files."""
    directory = len(contents).to_bytes(4, "big")
    for key, (name, data) in enumerate(contents.items(), spec.KEY_FIRST_FILE):
        directory += spec.FILE.pack(len(data), key, 0, name.encode())
        yield key, data
    yield spec.KEY_DIRECTORY, directory


def memory_map(kernel: Kernel) -> bytes:
    """Return the kernel's memory as QEMU tells its firmware, ACPI's tables not cut out of it."""
    return b"".join(spec.E820_ENTRY.pack(span.base, span.size, spec.E820_RAM) for span in kernel.memory)


def ram_size(kernel: Kernel) -> int:
    """Return the size of a kernel's memory. That from 1 MiB on counts from 0, as on a PC: it has a hole."""
    high = [span for span in kernel.memory if span.base >= HIGH_DRAM]
    hole = HIGH_DRAM if any(span.base == HIGH_DRAM for span in high) else 0
    return hole + sum(span.size for span in high)


def _number(value: int, size: int) -> bytes:
    return int(value).to_bytes(size, "little")
