import re

from mksim.machine.drawing import COLUMNS, draw, parts, picture, ranges, regions
from tests.machine.config_files import kernel

CONFIG = (
    kernel("ping", cores="2", serial='"com3"', modules='["initrd"]')
    + kernel("pong", image='"fixed.elf"', memory='"4M"', expect='"power off"')
    + '[machine]\nmemory = "64M"\napic_ids = [0, 1, 8]\n'
    + '[[window]]\nname = "ring"\nmemory = "64K"\nrights = { ping = "rw", pong = "r" }\n'
    + '[[doorbell]]\nfrom = "ping"\nto = "pong"\nvector = "0x40-0x4f"\n'
    + '[[doorbell]]\nfrom = "pong"\nto = "ping"\nvector = "nmi"\n'
    + '[[wire]]\nbetween = ["ping:com3", "pong:com2"]\n'
)


def test_every_part_is_a_line_to_grep_for(folder):
    lines = list(parts(folder.read(CONFIG)))
    assert [line.split()[:2] for line in lines[1:]] == [
        ["kernel", "ping"],
        ["kernel", "pong"],
        ["window", "ring"],
        ["doorbell", "ping"],
        ["doorbell", "pong"],
        ["wire", "ping:com3"],
    ]
    assert "cores=0-1 apic_ids=0-1 memory=0x1000-0x1fff,0x200000-0x3fffff" in lines[1]
    assert "cores=2 apic_ids=8 " in lines[2]
    assert "entry=0x1000000 protocol=pvh console=com2 ports=0x2f8-0x2ff ioapic=none" in lines[2]
    assert 'expect="power off"' in lines[2]
    assert "memory=0x100000-0x10ffff ping=rw pong=r" in lines[3]
    assert "to=pong sends=0x40-0x4f" in lines[4]
    assert "to=ping sends=nmi" in lines[5]
    assert "to=pong:com2" in lines[6]
    assert "console=com1 serial=com3 ports=0x20-0x21" in lines[1]


def test_the_map_leaves_no_byte_out_and_names_none_twice(folder):
    layout = folder.read(CONFIG)
    at = 0
    for region in regions(layout):
        assert region.span.base == at
        at = region.span.end
    assert at == layout.memory


def test_the_map_says_what_memory_is_used_for(folder):
    text = "\n".join(ranges(folder.read(CONFIG)))
    for line in (
        "0x00000000-0x00000fff       4K  % firmware     interrupt vectors",
        "0x000f0000-0x000fffff      64K  - board        ROM",
        "0x00100000-0x0010ffff      64K  = shared       window ring: ping rw, pong r",
        "0x00200000-0x00200fff       4K  a ping         image",
        "0x003ee000-0x003ef3ff      5K  a ping         module initrd",
        "0x003f0000-0x003fffff      64K  a ping         firmware's tables for it",
        "0x01000000-0x0100ffff      64K  b pong         image",
    ):
        assert re.sub(" +", " ", line) in re.sub(" +", " ", text)


def test_the_picture_is_to_scale(folder):
    layout = folder.read(CONFIG)
    rows = [row for row in picture(layout) if "|" in row]
    cell = layout.memory // 1024
    row_of_pong = next(row for row in rows if row.startswith("0x01000000"))
    cells = row_of_pong.split("|")[1]
    assert cells == "b" * (0x400000 // cell) + "." * (COLUMNS - 0x400000 // cell)
    assert rows[0].split("|")[1][16] == "="
    assert rows[-1].endswith("and so on to 0x3ffffff")


def test_the_largest_layout_is_drawn(folder):
    many = "".join(kernel(f"k{index}", memory='"1M"') for index in range(255))
    lines = list(draw(folder.read('[machine]\nmemory = "3G"\n' + many)))
    assert len([line for line in lines if line.startswith("kernel")]) == 255
    assert max(map(len, (line for line in lines if "|" in line))) < 120
