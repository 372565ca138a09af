import struct
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from mksim.boot.formats import parse_image, read_image
from mksim.boot.image import Protocol, Relocation
from mksim.errors import FileError, ImageError
from mksim.fabric.ownership import Rights
from mksim.spec.span import Span
from tests import images
from tests.images import elf, load, note


def test_a_pvh_image_is_entered_where_its_note_says():
    image = parse_image(images.pvh(base=0x1000000, size=0x3000, entry=0x1000002))
    assert image.protocol is Protocol.PVH
    assert image.entry == 0x1000002
    assert image.span == Span(0x1000000, 0x3000)
    assert bytes(image.segments[0].data) == images.CODE
    assert image.segments[0].rights == Rights.ALL
    assert image.relocation is None


def test_linux_writes_the_entry_as_eight_bytes():
    notes = note(18, struct.pack("<Q", 0x1000000))
    assert parse_image(elf([load(0x1000000), notes])).entry == 0x1000000


@pytest.mark.parametrize(
    ("values", "relocation"),
    [
        ((), Relocation(align=0x200000, minimum=0, maximum=0xFFFFFFFF)),
        ((0x1000,), Relocation(align=0x1000, minimum=0, maximum=0xFFFFFFFF)),
        ((0x200000, 0x1000000), Relocation(align=0x200000, minimum=0x1000000, maximum=0xFFFFFFFF)),
        ((0x2000, 0x5000, 0x7FFF), Relocation(align=0x2000, minimum=0x5000, maximum=0x7FFF)),
    ],
)
def test_what_the_relocation_note_leaves_out_has_defaults(values, relocation):
    assert parse_image(images.pvh(reloc=values)).relocation == relocation


@pytest.mark.parametrize("values", [(0, 0, 0), (0x1800, 0, 1 << 31), (0x800, 0, 1 << 31), (0x1000, 2, 1)])
def test_a_relocation_note_that_makes_no_sense_is_an_error(values):
    with pytest.raises(ImageError, match="relocation note"):
        parse_image(images.pvh(reloc=values))


def test_notes_of_others_are_passed_over():
    notes = [note(18, b"\1\2", name=b"GNU\0"), note(18, struct.pack("<I", 0x1000000)), note(6, b"Linux\0")]
    assert parse_image(elf([load(0x1000000), *notes])).entry == 0x1000000


def test_segments_are_ordered_by_physical_address_and_know_their_virtual_one():
    programs = [load(0x200000, virtual=0xFFFFFFFF80200000), load(0x100000, virtual=0xFFFFFFFF80100000)]
    image = parse_image(elf([*programs, note(18, struct.pack("<I", 0x100000))]))
    assert [segment.span.base for segment in image.segments] == [0x100000, 0x200000]
    assert image.segments[0].virtual == 0xFFFFFFFF80100000


@pytest.mark.parametrize("bits", [32, 64])
def test_multiboot_takes_elf_of_either_width(bits):
    image = parse_image(images.multiboot_elf(base=0x100000, bits=bits))
    assert image.protocol is Protocol.MULTIBOOT
    assert image.entry == 0x10000C
    assert image.span == Span(0x100000, 0x1000)


def test_a_multiboot_entry_may_be_virtual():
    program = load(0x100000, images.multiboot_header(0) + images.CODE, virtual=0xC0100000)
    assert parse_image(elf([program], entry=0xC010000C, bits=32)).entry == 0x10000C


def test_multiboot_addresses_say_where_a_flat_file_goes():
    image = parse_image(b"\0" * 64 + images.multiboot_flat(base=0x100040))
    assert image.entry == 0x100060
    assert image.span == Span(0x100040, 36 + 0x100)
    assert bytes(image.segments[0].data[-4:]) == images.CODE


def test_a_wish_for_a_video_mode_is_no_obstacle():
    header = images.multiboot_header(1 << 16 | 7, 0x100000, 0x100000, 0, 0, 0x100030, 0, 1024, 768, 32)
    assert parse_image(header + images.CODE).entry == 0x100030


def test_segments_need_not_begin_on_pages():
    program = load(0x100234, images.multiboot_header(0) + images.CODE, size=0x123)
    image = parse_image(elf([program, load(0x100400)], entry=0x100240, bits=32))
    assert [segment.span for segment in image.segments] == [Span(0x100234, 0x123), Span(0x100400, 0x1000)]


def test_an_end_of_zero_means_all_of_the_file():
    image = parse_image(images.multiboot_header(1 << 16, 0x100000, 0x100000, 0, 0, 0x100020) + bytes(100))
    assert image.span == Span(0x100000, 132)


def test_a_header_beyond_the_first_8192_bytes_is_none():
    assert parse_image(bytes(8192 - 32) + images.multiboot_flat()[:32] + b"\xf4" * 4)
    with pytest.raises(ImageError, match="no format"):
        parse_image(bytes(8188) + images.multiboot_flat())


def test_pvh_comes_before_multiboot():
    program = load(0x100000, images.multiboot_header(0) + images.CODE)
    image = parse_image(elf([program, note(18, struct.pack("<I", 0x100000))], entry=0x100000))
    assert image.protocol is Protocol.PVH


ENTRY = note(18, struct.pack("<I", 0x100000))
WRONG = {
    "an empty file": b"",
    "neither ELF, nor": b"#!/bin/sh\n",
    "truncated: only 7 bytes": b"\x7fELF\2\1\1",
    "truncated: ELF header": elf([])[:40],
    "little-endian": b"\x7fELF\2\2\1" + elf([])[7:],
    "e_machine is 40": elf([load(0x100000)], machine=40),
    "an object file": elf([load(0x100000)], kind=1),
    "without the PVH note": elf([load(0x100000)]),
    "program header 0": elf([load(0x100000), ENTRY])[:70],
    "beyond the end of the file": elf([ENTRY, load(0x100000, bytes(64))])[:-1],
    "nothing to load": elf([ENTRY]),
    "overlap": elf([load(0x100000), load(0x100FFF), ENTRY]),
    "below 0x100000000": elf([load(0x100000), load(1 << 40, size=1 << 42), ENTRY]),
    "holds 0x20 bytes in 0x10 of memory": elf([load(0x100000, bytes(32), size=16), ENTRY]),
    "outside all that is loaded": elf([load(0x200000), ENTRY]),
    "has 3 bytes instead of 4 or 8": elf([load(0x100000), note(18, b"abc")]),
    "flags 0x8": images.multiboot_header(8) + bytes(64),
    "gives no addresses": images.multiboot_header(3) + bytes(64),
    "are missing": images.multiboot_header(1 << 16),
    "at 0x100000 loads it at 0x100004, behind": images.multiboot_header(
        1 << 16, 0x100000, 0x100004, 0, 0, 0x100004
    ) + bytes(64),
    "ends the bss at 0x100040": images.multiboot_header(
        1 << 16, 0x100000, 0x100000, 0, 0x100040, 0x100000
    ) + bytes(64),

    "puts bytes": images.multiboot_header(1 << 16, 0x200000, 0x100000, 0, 0, 0x200000) + bytes(64),
    "truncated: its setup header": bytes(0x202) + b"HdrS" + bytes(64),
    "truncated: its kernel begins": images.bzimage()[:0x400],
    "older than 2.12": images.bzimage(version=0x20B),
    "a 32-bit Linux": images.bzimage(xloadflags=0),
    "a zImage": images.bzimage(loadflags=0),
    "but the file ends": images.bzimage(syssize=0x10000),
    "its setup header wants 0x10": images.bzimage(init_size=0x10),
    "to be aligned to 0x3": images.bzimage(kernel_alignment=3),
}


@pytest.mark.parametrize("text", WRONG)
def test_an_image_that_cannot_be_loaded_says_why(text):
    with pytest.raises(ImageError, match=text):
        parse_image(WRONG[text])


def test_terabytes_of_zeros_are_refused_without_being_made():
    with pytest.raises(ImageError, match="0x100000-0xffff00fffff does not lie below"):
        parse_image(elf([load(0x100000, size=(1 << 44) - (1 << 28)), ENTRY]))


def test_files_that_are_none_are_errors(tmp_path: Path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (tmp_path, tmp_path / "absent", loop, Path("/dev/zero"), Path("a\0b"), Path("x" * 5000)):
        with pytest.raises(FileError):
            read_image(path)


def test_an_independent_reader_sees_the_same_segments():
    data = elf([load(0x100000, bytes(300), size=0x2000), load(0x200000), ENTRY], entry=0x100000)
    segments = {
        (segment["p_paddr"], segment["p_memsz"], segment.data())
        for segment in ELFFile(BytesIO(data)).iter_segments("PT_LOAD")
    }
    ours = parse_image(data).segments
    assert {(s.span.base, s.span.size, bytes(s.data)) for s in ours} == segments
