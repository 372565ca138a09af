"""Real gdb, unmodified, sees all kernels at once and steps from one into the other."""

import re
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.debug.gdb import debug
from tests.debug.talking import undisturbed
from tests.guest.booting import ROOT

pytestmark = needs("gdb")
PINGPONG = ROOT / "kernels" / "pingpong" / "config.toml"


def line_of(file: str, text: str) -> int:
    lines = (ROOT / "kernels" / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def frames(backtrace: str) -> list[str]:
    """Return each frame's function and source line."""
    rows = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(.*\) at (\S+)$", backtrace, re.MULTILINE)
    return [" ".join(row) for row in rows]


def test_across_an_ipi_from_the_store_to_the_handler(tmp_path: Path) -> None:
    ring = line_of("pingpong/ping.c", "ring(bell);")
    store = line_of("lib/lapic.c", "page[reg / 4] = value;")
    sending = line_of("lib/lapic.c", "lapic_write(APIC_ICR, icr);")
    done = debug(
        PINGPONG, tmp_path,
        [
            "info inferiors",
            f"tbreak ping.c:{ring}", "continue",
            f"tbreak lapic.c:{store} if reg == 0x300", "continue", "bt", "monitor ipi",
            "stepi", "monitor ipi", "step-ipi", "bt", "info threads",
            "thread 1.1", "bt",
        ],
    )  # fmt: skip
    assert re.search(r"process 1 .*ping\.elf", done[0])
    assert re.search(r"process 2 .*pong\.elf", done[0])
    assert f"main () at kernels/pingpong/ping.c:{ring}" in done[2]
    assert frames(done[5]) == [
        f"lapic_write kernels/lib/lapic.c:{store}",
        f"lapic_send kernels/lib/lapic.c:{sending}",
        f"main kernels/pingpong/ping.c:{ring}",
    ]
    assert "nothing is in flight" in done[6]
    assert re.search(r"^ping core 0 +pong core 1 +0x40 +fixed", done[8], re.MULTILINE)
    assert "Switching to Thread 2.2" in done[9]
    assert [frame.split(":")[0] for frame in frames(done[10])] == [
        "vectors kernels/lib/vectors.S",
        "wait_interrupt kernels/pingpong/../lib/x86.h",
        "next kernels/pingpong/pingpong.h",
        "main kernels/pingpong/pong.c",
    ]
    assert "ping: core 0 sleeps in HLT" in done[11]
    assert "pong: core 1 runs" in done[11]
    assert frames(done[13])[-1] == f"main kernels/pingpong/ping.c:{ring + 1}"
    assert done.code == 0
    assert done.digest == undisturbed()


def test_watchpoints_conditions_and_finish(tmp_path: Path) -> None:
    done = debug(
        PINGPONG, tmp_path,
        ["break ping.c:11 if n == 3", "continue", "print n", "watch rung", "continue", "continue", "bt 1",
         "delete", "finish", "kill"],
    )  # fmt: skip
    assert "= 3" in done[2]
    assert "Hardware watchpoint 2: rung" in done[3]
    assert "Old value = 0" in done[4]
    assert "New value = 1" in done[4]
    assert "awake" in done[4]
    assert "Old value = 1" in done[5]
    assert "New value = 0" in done[5]
    assert "interrupted" in done.machine


@pytest.mark.parametrize("command", ["kill", "monitor kernels", "detach"])
def test_however_gdb_leaves_the_machine_ends_as_it_should(command: str, tmp_path: Path) -> None:
    done = debug(PINGPONG, tmp_path, [command])
    assert ("interrupted" in done.machine) == (command == "kill")
    assert (done.digest == undisturbed()) == (command != "kill")
