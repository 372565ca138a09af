from pathlib import Path

import pytest

from mksim.boot.image import Protocol
from mksim.errors import ConfigError
from mksim.machine.alone import alone
from mksim.machine.config import Layout, Protection
from mksim.machine.deeds import ownership
from mksim.spec.memmap import FIRMWARE_RAM, HIGH_DRAM, LOW_DRAM_END, PAGE
from mksim.spec.span import Span
from tests import images

MIB = 1 << 20


def board(folder: Path, image: bytes, **options: object) -> Layout:
    path = folder / "image.bin"
    path.write_bytes(image)
    return alone(path, **options)


def test_a_kernel_alone_owns_all_memory_and_all_chips(tmp_path):
    layout = board(tmp_path, images.movable(), cores=3, memory=64 * MIB)
    kernel = layout.kernels[0]
    assert (layout.memory, layout.apic_ids, layout.protection) == (64 * MIB, (0, 1, 2), Protection.TRUST)
    assert (kernel.cores, kernel.legacy, kernel.ioapic, kernel.console.name) == ((0, 1, 2), True, 0, "com1")
    deeds = ownership(layout)
    dram = [Span(0, LOW_DRAM_END), Span(HIGH_DRAM, 63 * MIB)]
    assert all((deeds.pages[span.pages] == 0).all() for span in dram)
    assert sum(span.size for span in kernel.owned) == sum(span.size for span in dram)


def test_it_starts_its_other_cores_from_above_the_first_page(tmp_path):
    assert board(tmp_path, images.movable()).kernels[0].low_page == Span(0x1000, PAGE)
    linux = board(tmp_path, images.bzimage()).kernels[0]
    assert linux.low_page == Span(0x10000, 0x8000)


def test_what_a_multiboot_kernel_is_told_lies_low_and_its_modules_behind_it(tmp_path):
    (tmp_path / "a").write_bytes(bytes(5000))
    module = f"{tmp_path / 'a'} one"
    image = images.multiboot_elf(base=HIGH_DRAM)
    kernel = board(tmp_path, image, cmdline="x=1", modules=[module, module]).kernels[0]
    assert kernel.arguments == "image.bin x=1"
    assert kernel.parameters is not None
    assert Span(0x9000, FIRMWARE_RAM - 0x9000).holds(kernel.parameters)
    behind = [HIGH_DRAM + 0x1000, HIGH_DRAM + 0x3000]
    assert [one.span for one in kernel.modules] == [Span(base, 5000) for base in behind]
    other = board(tmp_path, images.movable(), modules=[module]).kernels[0]
    assert (other.arguments, other.parameters) == ("", None)
    assert other.modules[0].span.end > other.tables.base - PAGE


def test_an_image_may_lie_in_low_memory_but_not_where_the_firmware_works(tmp_path):
    layout = board(tmp_path, images.multiboot_flat(base=0x8000))
    assert layout.kernels[0].image.protocol is Protocol.MULTIBOOT
    assert layout.kernels[0].entry == 0x8020
    with pytest.raises(ConfigError, match=r"--kernel: segment 0x80000-0x80123 does not fit"):
        board(tmp_path, images.multiboot_flat(base=0x80000))


@pytest.mark.parametrize(
    ("image", "options", "text"),
    [
        (b"MZ", {}, "image.bin: --kernel: .*: no format that mksim boots"),
        (images.pvh(base=0x40000000), {}, "image.bin: --kernel: segment 0x40000000-0x40000fff does not fit"),
        (images.pvh(), {"memory": 2 * MIB}, "--kernel: segment 0x1000000-0x1000fff does not fit"),
        (images.pvh(), {"cmdline": "\n"}, "--cmdline: is"),
        (images.pvh(), {"cores": 0}, "--cores: is 0"),
        (images.pvh(), {"modules": ["absent"]}, "--initrd, --module: absent: No such file"),
    ],
)
def test_what_is_wrong_is_told_by_option(tmp_path, image, options, text):
    with pytest.raises(ConfigError, match=text):
        board(tmp_path, image, **options)


def test_a_config_may_give_a_lone_kernel_low_memory_but_not_one_of_two(folder):
    low = '["0x100000-0xffffff", "0-0x9ffff"]'
    table = '[kernel.{}]\nimage = "movable.elf"\nmemory = {}\n'
    assert folder.problems(table.format("a", low)) == []
    told = folder.problems(table.format("a", low) + table.format("b", '"2M"'))
    assert [key for key, _ in told] == ["kernel.a.memory"] * 2
    assert folder.problems(table.format("a", low) + "restarts = 1\n")
    assert folder.problems(table.format("a", low) + "cores = [1]\n")
