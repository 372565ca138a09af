import re

import pytest

from mksim.boot.symbols import read_symbols
from mksim.debug.target import REGISTERS
from mksim.machine.alone import alone
from tests.debug.talking import Client, undisturbed
from tests.guest.booting import BUILT, scenario_layout

RING = int(read_symbols(scenario_layout("pingpong").kernel("ping").image.raw).addresses[
    read_symbols(scenario_layout("pingpong").kernel("ping").image.raw).indices["ring"]
])  # fmt: skip


def number(name: str) -> bytes:
    return b"%x" % [register.name for register in REGISTERS].index(name)


def test_a_machine_stands_at_its_reset_vector() -> None:
    client = Client()
    assert client.ask(b"?") == b"T05thread:p1.1;"
    assert client.register("rip") == 0xFFFFFFF0
    assert client.ask(b"mfffffff0,2") not in (b"", b"E0e")


def test_kernels_are_inferiors_and_cores_are_threads() -> None:
    client = Client()
    assert client.ask(b"qfThreadInfo") == b"mp1.1,p2.2"
    assert client.ask(b"qsThreadInfo") == b"l"
    assert bytes.fromhex(client.ask(b"qThreadExtraInfo,p2.2").decode()).startswith(b"pong: core 1")
    assert client.ask(b"Hgp2.-1") == b"OK"
    assert client.ask(b"qC") == b"QCp2.2"
    assert client.ask(b"Tp2.1") == b"E03"


def test_the_target_description_is_complete_and_comes_in_parts() -> None:
    client, text = Client(), b""
    while (part := client.ask(b"qXfer:features:read:target.xml:%x,100" % len(text))) != b"l":
        text += part[1:]
        if part[:1] == b"l":
            break
    assert text.count(b"<reg ") == len(REGISTERS)
    assert b"</target>" in text


def test_a_breakpoint_stops_before_its_instruction_and_leaves_memory_alone() -> None:
    client = Client()
    assert client.ask(b"Z0,%x,1" % RING) == b"OK"
    assert client.ask(b"vCont;c") == b"T05thread:p1.1;swbreak:;"
    assert client.register("rip") == RING
    assert client.ask(b"m%x,1" % RING) == b"55"  # push %rbp
    assert client.finish() == undisturbed()


def test_a_step_is_one_instruction() -> None:
    client = Client()
    client.ask(b"Z1,%x,1" % RING)
    assert client.ask(b"c") == b"T05thread:p1.1;hwbreak:;"
    stack = client.register("rsp")
    assert client.ask(b"vCont;s:p1.1;c") == b"T05thread:p1.1;"
    assert (client.register("rip"), client.register("rsp")) == (RING + 1, stack - 8)
    assert client.finish() == undisturbed()


def test_a_step_from_a_breakpoint_does_not_stop_at_it_again() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    client.ask(b"s")
    assert client.register("rip") == RING + 1
    assert client.ask(b"c") == b"T05thread:p1.1;swbreak:;"
    assert client.register("rip") == RING


def test_a_range_is_stepped_through_without_a_stop() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    assert client.ask(b"vCont;r%x,%x:p1.1;c" % (RING, RING + 0x40)) == b"T05thread:p1.1;"
    assert not RING <= client.register("rip") < RING + 0x40
    assert client.finish() == undisturbed()


def test_breakpoints_are_of_one_kernel() -> None:
    client = Client()
    client.ask(b"Hgp2.2")
    client.ask(b"Z0,%x,1" % RING)  # in ping it is a function, in pong not
    client.ask(b"Hgp1.1")
    client.ask(b"Z0,%x,1" % RING)
    assert client.ask(b"c").startswith(b"T05thread:p1.1;")


def test_a_watchpoint_stops_behind_the_store() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    client.ask(b"z0,%x,1" % RING)
    stack = client.register("rsp") - 8
    assert client.ask(b"Z2,%x,8" % stack) == b"OK"
    assert client.ask(b"c") == b"T05thread:p1.1;watch:%x;" % stack
    assert client.register("rip") == RING + 1
    saved = int.from_bytes(bytes.fromhex(client.ask(b"m%x,8" % stack).decode()), "little")
    assert saved == client.register("rbp")
    assert client.finish() == undisturbed()


def test_a_step_over_hlt_ends_with_the_core_asleep_and_the_next_in_its_handler() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    client.ask(b"z0,%x,1" % RING)
    assert "sleeps in HLT" not in client.command("kernels").splitlines()[2]
    while "ping: core 0 sleeps in HLT" not in client.command("kernels"):
        client.ask(b"vCont;s:p1.1;c")
    asleep = client.register("rip")
    client.ask(b"vCont;s:p1.1;c")
    symbols = read_symbols(scenario_layout("pingpong").kernel("ping").image.raw)
    vectors = int(symbols.addresses[symbols.indices["vectors"]])
    assert asleep != client.register("rip")
    assert 0 <= client.register("rip") - vectors < 16 * 256
    assert client.finish() == undisturbed()


def test_an_ipi_is_seen_in_flight_and_followed_to_its_handler() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    client.ask(b"z0,%x,1" % RING)
    assert client.command("ipi") == "nothing is in flight\n"
    client.command("step-ipi")
    assert client.ask(b"vCont;c") == b"T05thread:p2.2;"
    symbols = read_symbols(scenario_layout("pingpong").kernel("pong").image.raw)
    assert client.register("rip") == int(symbols.addresses[symbols.indices["vectors"]]) + 16 * 0x40
    assert client.finish() == undisturbed()


def test_in_flight_means_who_whom_what_and_when() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    while (shown := client.command("ipi")) == "nothing is in flight\n":
        client.ask(b"vCont;s:p1.1;c")
    row = shown.splitlines()[1]
    match = re.fullmatch(r"ping core 0 +pong core 1 +0x40 +fixed +(\d+) +(\d+)", row)
    assert match
    assert int(match[2]) - int(match[1]) == scenario_layout("pingpong").latency


def test_what_is_written_is_there_and_what_cannot_be_written_is_refused() -> None:
    client = Client()
    assert client.ask(b"P0=efbeadde00000000") == b"OK"
    assert client.register("rax") == 0xDEADBEEF
    assert client.ask(b"P%s=1100000000000000" % number("cr0")) == b"E16"
    assert client.ask(b"M200000,4:01020304") == b"OK"
    assert client.ask(b"m200000,4") == b"01020304"
    assert client.ask(b"Xffff0000,1:\x01") == b"E0e"
    assert client.ask(b"mfee00000,4") == b"E0e"


def test_the_walk_of_an_address_names_the_owner_of_every_step() -> None:
    client = Client()
    client.ask(b"Z0,%x,1" % RING)
    client.ask(b"c")
    lines = client.command(f"walk {RING:#x}").splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == ["level 4", "level 3", "level 2", "level 1"]
    assert all(line.endswith("of ping") for line in lines)
    assert client.command("walk 0x7fffffff0000").splitlines()[-1] == "0x7fffffff0000 is nowhere"


def test_kernels_end_as_inferiors_do() -> None:
    client = Client()
    replies = [client.ask(b"c"), client.ask(b"c")]
    assert sorted(replies) == [b"W00;process:1", b"W00;process:2"]
    assert client.machine.digest() == undisturbed()
    assert client.ask(b"qfThreadInfo") == b"l"


@pytest.mark.parametrize(
    "packet",
    [b"Z", b"Z0", b"Z0,,1", b"Z9,0,1", b"m", b"m1", b"mx,y", b"M0,4:0", b"P", b"P0=", b"pffff", b"H", b"Hg",
     b"vCont;", b"vCont;x", b"vCont;s:p9.9", b"vFile:open", b"vFile:pread:9,1,1", b"qXfer:", b"qRcmd,",
     b"qRcmd,z", b"X0,1:", b"T", b"\xff\xfe", b"D;zz", b"vAttach;",
     b"c123", b"qXfer:features:read:target.xml:0"],
)  # fmt: skip
def test_nonsense_is_refused_and_changes_nothing(packet: bytes) -> None:
    client = Client()
    answer = client.protocol.answer(packet)
    assert answer is not None
    assert not client.protocol.running
    assert client.finish() == undisturbed()


def test_an_image_can_be_read_for_its_symbols_and_nothing_else_can() -> None:
    client = Client()
    name = client.ask(b"qXfer:exec-file:read:2:0,1000")[1:]
    assert name.endswith(b"pong.elf")
    assert client.ask(b"vFile:open:%s,0,0" % name.hex().encode()) == b"F0"
    assert client.ask(b"vFile:pread:0,4,0") == b"F4;\x7fELF"
    assert client.ask(b"vFile:open:%s,0,0" % b"/etc/passwd".hex().encode()) == b"F-1,2"
    assert client.ask(b"vFile:close:0") == b"F0"
    assert client.ask(b"vFile:pread:0,4,0") == b"F-1,9"


def test_a_violation_is_caught_behind_its_block_and_told() -> None:
    client = Client("rogue")
    assert client.command("catch violation").endswith("without a grant\n")
    assert client.ask(b"c").startswith(b"T05thread:p")
    assert client.machine.ledger.violations == 1
    told = client.monitor_caught()
    assert re.fullmatch(r"rogue, core \d: \w+ 0x[0-9a-f]+ of victim, a violation, rip 0x[0-9a-f]+\n", told)
    client.command("catch nothing")
    assert client.finish() == undisturbed("rogue")


def test_messages_are_caught_one_by_one() -> None:
    client = Client()
    client.command("catch ipi")
    for number in range(1, 4):
        client.ask(b"c")
        assert client.machine.ledger.total == number
    assert client.ask(b"bc").startswith(b"T05thread:p")
    assert client.machine.ledger.total == 2
    assert "violation | ipi" in client.command("catch everything")
    client.command("catch nothing")
    assert client.finish() == undisturbed()


def test_an_ipi_between_cores_of_one_kernel_is_followed_too() -> None:
    kernel = alone(BUILT / "tests" / "ipi.elf", cores=4, memory=16 << 20).kernels[0]
    client = Client(alone(BUILT / "tests" / "ipi.elf", cores=4, memory=16 << 20))
    symbols = read_symbols(kernel.image.raw)
    main, vectors = (int(symbols.addresses[symbols.indices[name]]) for name in ("main", "vectors"))
    client.ask(b"Z0,%x,1" % main)
    client.ask(b"c")
    client.ask(b"z0,%x,1" % main)
    client.command("step-ipi")
    assert client.ask(b"c").startswith(b"T05thread:p1.")
    assert 0 <= client.register("rip") - vectors < 16 * 256


def test_physical_memory_is_watched_whoever_it_is() -> None:
    client = Client()
    table = scenario_layout("pingpong").windows[0].span
    told = client.command(f"watch-physical {table.base:#x} {table.size} write")
    assert told == f"stops behind: write of {table.base:#x}, {table.size} bytes, of shared\n"
    seen = set()
    for _ in range(12):
        seen.add(client.ask(b"c"))
        assert client.debugger.on_engine(client.debugger.core)
    assert seen == {b"T05thread:p1.1;", b"T05thread:p2.2;"}
    assert client.command("watch-physical nothing") == "watches nothing\n"
    assert client.finish() == undisturbed()
