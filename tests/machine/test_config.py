from dataclasses import replace

import pytest

from mksim.errors import ConfigError
from mksim.fabric.ownership import FIRMWARE, NOBODY, SHARED, Rights, Signal
from mksim.machine.config import Ending, Expect, Protection, TripleFault
from mksim.machine.deeds import ownership
from mksim.spec.span import Span
from tests.machine.config_files import kernel

TWO = kernel("ping") + kernel("pong")


def test_two_lines_make_a_kernel_and_the_rest_has_defaults(folder):
    layout = folder.read(kernel("ping"))
    assert layout.memory == 256 << 20
    assert layout.apic_ids == (0,)
    assert (layout.rate, layout.latency, layout.seed, layout.until) == (10**9, 1000, 1, None)
    assert layout.protection is Protection.GUARD
    assert layout.on_triple_fault is TripleFault.KERNEL
    assert layout.expected_violations == 0
    ping = layout.kernel("ping")
    assert (ping.id, ping.cores, ping.boot_core) == (0, (0,), 0)
    assert ping.expect == Expect(ending=Ending.EXIT, code=0)
    assert (ping.restarts, ping.restart_after) == (0, 10**6)


def test_every_key_is_heard(folder):
    layout = folder.read(
        """
        [machine]
        memory = "64M"
        apic_ids = [0, 2, 4, 6]
        protection = "trust"
        seed = 42
        latency = "2us"
        rate = "500M"
        on_triple_fault = "machine"
        ioapics = 2
        until = "1.5s"
        [kernel.ping]
        image = "movable.elf"
        memory = ["0x1000000-0x1ffffff", "4M"]
        cores = [3, 1]
        cmdline = "quiet"
        console = "com7"
        ports = ["0x60-0x64", 0x300]
        legacy = false
        ioapic = 1
        modules = ["initrd", "initrd root=ram"]
        expect = "exit 7"
        restarts = 3
        restart_after = "1us"
        [kernel.pong]
        image = "movable.elf"
        memory = "2M"
        expect = "triple fault"
        [[window]]
        name = "ring"
        memory = "64K"
        rights = { ping = "rw", pong = "r" }
        watch = true
        [[doorbell]]
        from = "ping"
        to = "pong"
        vector = "0x40-0x4f"
        [[doorbell]]
        from = "*"
        to = "*"
        vector = "nmi"
        [expect]
        violations = "any"
        """
    )
    assert (layout.memory, layout.apic_ids, layout.seed, layout.ioapics) == (64 << 20, (0, 2, 4, 6), 42, 2)
    assert (layout.rate, layout.latency, layout.until) == (500_000_000, 1000, 750_000_000)
    assert (layout.protection, layout.on_triple_fault) == (Protection.TRUST, TripleFault.MACHINE)
    assert layout.expected_violations is None
    ping, pong = layout.kernels
    assert (ping.cores, ping.boot_core) == ((3, 1), 3)
    assert pong.cores == (0,)
    assert ping.memory == (Span(0x1000000, 0x1000000), Span(0x200000, 0x400000))
    assert (ping.console.base, ping.console.irq, ping.console.name) == (0x1010, None, "com7")
    assert (ping.legacy, ping.ioapic, pong.legacy, pong.ioapic) == (False, 1, False, None)
    assert [module.cmdline for module in ping.modules] == ["initrd", "initrd root=ram"]
    assert (ping.expect.code, ping.restarts, ping.restart_after) == (7, 3, 500)
    assert pong.expect == Expect(ending=Ending.TRIPLE_FAULT)
    window = layout.windows[0]
    assert (window.name, window.span.size, window.watch) == ("ring", 0x10000, True)
    assert window.rights == {"ping": Rights.R | Rights.W, "pong": Rights.R}
    rings = [(bell.sender, bell.receiver, bell.vectors, bell.signals) for bell in layout.doorbells]
    assert rings == [
        ("ping", "pong", range(0x40, 0x50), Signal.NONE),
        ("ping", "pong", range(0), Signal.NMI),
        ("pong", "ping", range(0), Signal.NMI),
    ]


def test_images_that_move_go_to_their_memory_and_take_the_entry_along(folder):
    ping, pong = folder.read(TWO).kernels
    assert ping.memory[0].base == 0x200000
    assert (ping.entry, pong.entry) == (ping.memory[0].base, pong.memory[0].base)
    assert pong.load_offset == pong.memory[0].base - 0x1000000


def test_images_that_cannot_move_have_their_memory_put_around_them(folder):
    layout = folder.read(
        kernel("first", memory='"16M"')
        + kernel("fixed", image='"fixed.elf"', memory='"4M"')
        + kernel("multi", image='"multiboot.elf"', memory='"1M"')
    )
    assert layout.kernel("fixed").memory == (Span(0x1000000, 0x400000),)
    assert layout.kernel("multi").memory == (Span(0x100000, 0x100000),)
    assert layout.kernel("fixed").load_offset == 0
    assert layout.kernel("first").memory == (Span(0x1400000, 0x1000000),)


def test_tables_modules_and_image_share_a_kernels_memory_without_overlap(folder):
    ping = folder.read(kernel("ping", modules='["initrd", "initrd 2"]')).kernels[0]
    parts = [ping.tables, *(module.span for module in ping.modules)]
    parts += [segment.span.moved(ping.load_offset) for segment in ping.image.segments]
    assert ping.tables == Span(ping.memory[0].end - 0x10000, 0x10000)
    for index, part in enumerate(parts):
        assert ping.memory[0].holds(part)
        assert not any(part.overlaps(other) for other in parts[index + 1 :])
    assert all(module.span.base % 0x1000 == 0 for module in ping.modules)
    assert ping.modules[0].data == bytes(range(256)) * 20


def test_cores_are_given_around_those_that_are_named(folder):
    layout = folder.read(kernel("a", cores="2") + kernel("b", cores="[1, 4]") + kernel("c"))
    assert [k.cores for k in layout.kernels] == [(0, 2), (1, 4), (3,)]
    assert len(layout.apic_ids) == 5


def test_consoles_are_given_around_those_that_are_named(folder):
    layout = folder.read(
        kernel("a") + kernel("b", console='"com1"') + kernel("c", console='"none"') + kernel("d")
    )
    names = [k.console.name if k.console else None for k in layout.kernels]
    assert names == ["com2", "com1", None, "com3"]


def test_further_uarts_are_not_given_as_consoles_and_take_wires(folder):
    layout = folder.read(
        kernel("a", serial='["com1", "com9"]')
        + kernel("b", console='"com3"', serial='"com4"')
        + '[[wire]]\nbetween = ["a:com9", "b:com3"]\n[[wire]]\nbetween = ["a:com1", "a:com2"]'
    )
    names = [[uart.name for uart in kernel.uarts] for kernel in layout.kernels]
    assert names == [["com2", "com1", "com9"], ["com3", "com4"]]
    ends = [[str(end) for end in wire.ends] for wire in layout.wires]
    assert ends == [["a:com9", "b:com3"], ["a:com1", "a:com2"]]


def test_the_first_kernel_has_the_chips_of_which_there_is_one(folder):
    ping, pong = folder.read(TWO).kernels
    assert (ping.legacy, ping.ioapic, pong.legacy, pong.ioapic) == (True, 0, False, None)


def test_the_screen_goes_with_the_legacy_chips_unless_somebody_asks(folder):
    assert [k.vga for k in folder.read(TWO).kernels] == [True, False]
    assert [k.vga for k in folder.read(kernel("ping") + kernel("pong", vga="true")).kernels] == [False, True]
    layout = folder.read(kernel("ping", vga="false") + kernel("pong"))
    assert layout.screen_owner is None


def test_a_kernel_that_asks_for_the_legacy_chips_has_them_instead(folder):
    ping, pong = folder.read(kernel("ping") + kernel("pong", legacy="true")).kernels
    assert (ping.legacy, ping.ioapic, pong.legacy, pong.ioapic) == (False, None, True, 0)


def test_ports_that_every_kernel_has_are_nobodys_to_own(folder):
    ping = folder.read(kernel("ping", ports='["0x60-0x64", "0xf0-0xff"]', console='"none"')).kernels[0]
    owned = {port for ports in ping.owned_ports for port in ports}
    assert {0x61, 0x63, 0xF0, 0xFF} <= owned
    assert not owned & {0x60, 0x64, 0xF4, 0xF7, 0xF8, 0xFB}


def test_each_kernel_gets_a_page_for_sipis_unless_it_has_memory_there(folder):
    b, c = '["0x1000-0x2fff", "2M"]', '["2M", "0x4000-0x4fff"]'
    layout = folder.read(kernel("a") + kernel("b", memory=b) + kernel("c", memory=c))
    assert [k.low_page for k in layout.kernels] == [Span(base, 0x1000) for base in (0x3000, 0x1000, 0x4000)]
    b = layout.kernel("b")
    assert b.memory[1:] == (Span(0x2000, 0x1000),)
    assert b.owned == (Span(0x1000, 0x1000), Span(0x2000, 0x1000), b.memory[0])
    assert len(layout.kernel("c").memory) == 1


def test_of_more_kernels_than_low_pages_those_with_several_cores_get_one(folder):
    layout = folder.read(
        "".join(kernel(f"k{i}", memory='"1M"') for i in range(120)) + kernel("smp", memory='"1M"', cores="2")
    )
    assert layout.kernel("smp").low_page == Span(0x1000, 0x1000)
    assert sum(k.low_page is None for k in layout.kernels) == 10


def test_the_deeds_say_what_the_layout_says(folder):
    layout = folder.read(
        TWO + '[[window]]\nname = "ring"\nmemory = "4K"\nrights = { "*" = "r", ping = "rw" }\n'
        '[[doorbell]]\nfrom = "ping"\nto = "pong"\nvector = 0x40\n'
    )
    deeds = ownership(layout)
    ping, pong = layout.kernels
    window = layout.windows[0].span.base >> 12
    assert deeds.pages[0] == deeds.pages[0x70] == deeds.pages[0x9F] == FIRMWARE
    assert deeds.pages[0xA0] == NOBODY
    assert deeds.pages[pong.low_page.base >> 12] == pong.id
    assert (deeds.pages[ping.memory[0].pages] == ping.id).all()
    assert (deeds.rights[ping.id, ping.memory[0].pages] == Rights.ALL).all()
    assert not deeds.rights[pong.id, ping.memory[0].pages].any()
    assert deeds.pages[window] == SHARED
    assert deeds.rights[:, window].tolist() == [3, 1]
    assert deeds.cores.tolist() == [0, 1]
    assert [deeds.ports[port] for port in (0x20, 0x3F8, 0x2F8, 0xF4, 0x3E8)] == [0, 0, 1, SHARED, NOBODY]
    assert deeds.may_send(0, 1, 0x40)
    assert not deeds.may_send(1, 0, 0x40)


def test_a_layout_that_breaks_a_law_cannot_be_made(folder):
    layout = folder.read(TWO)
    ping, pong = layout.kernels
    thief = replace(pong, memory=ping.memory, load_offset=ping.load_offset)
    with pytest.raises(ConfigError, match=r"kernel\.pong\.memory: pong's memory 0x200000-0x3fffff overlaps"):
        replace(layout, kernels=(ping, thief))
    with pytest.raises(ConfigError, match="does not fit"):
        replace(layout, kernels=(ping, replace(pong, load_offset=0)))
    with pytest.raises(ConfigError, match="no kernel"):
        replace(layout, doorbells=folder.read(kernel("a") + kernel("b") + BELL).doorbells)


BELL = '[[doorbell]]\nfrom = "a"\nto = "b"\nvector = 0x40\n'
