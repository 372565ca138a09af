"""A guest cannot hurt the host: it does not die, hang or grow, whatever a kernel does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guest.booting import BUILT, Run, boot

HOSTILE = BUILT / "tests/hostile.elf"

ATTACKS = {
    # on the command line     protection  how the kernel ends
    "no-stack":              ("guard", "exit", 77),
    "no-ist":                ("guard", "exit", 77),
    "no-gate-stack":         ("guard", "exit", 77),
    "init-itself":           ("guard", "halt", None),
    "run-anothers":          ("guard", "machine check", None),
    "end-and-run-anothers":  ("guard", "exit", 5),
    "end-and-store-to-rom":  ("trust", "exit", 6),
    "start-nobodys":         ("trust", "exit", 1),
    "storm":                 ("guard", "", None),
    # what it does with page tables and modes that are none
    "high-cr3 n=0":          ("guard", "triple fault", None),
    "high-cr3 n=2":          ("guard", "exit", 77),
    "high-cr3 n=4":          ("guard", "exit", 77),
    "high-cr3 n=6":          ("guard", "exit", 77),
    # a 41st address bit is #GP, 64 + 13; strings without end: machine check, 64 + 18, or page fault, 64 + 14
    "rep-stos to=0x800000":                    ("guard", "exit", 82),
    "rep-stos to=0xfec00000":                  ("guard", "exit", 82),
    "rep-movs from=0x200000 to=0x800000":      ("guard", "exit", 82),
    "rep-movs from=0xc0000000 to=0x500000":    ("guard", "exit", 82),
    "rep-cmps from=0x800000 to=0x900000":      ("guard", "exit", 82),
    "rep-ins to=0x800000":                     ("guard", "exit", 82),
    "rep-outs from=0x800000":                  ("guard", "exit", 82),
    "rep-outs from=0x200000":                  ("guard", "", None),
    "rep-outs from=0xffff0000":                ("guard", "exit", 78),
    "rep-stos to=0xffff0000":                  ("trust", "exit", 78),
    "rep-stos to=0x900000":                    ("trust", "", None),
    "rep-stos to=0xfee00000":                  ("trust", "", None),
    "rep-movs from=0x800000 to=0x500000":      ("trust", "", None),
    "rep-ins to=0x900000":                     ("trust", "", None),
    "rep-outs from=0x900000":                  ("trust", "", None),
}  # fmt: skip


def attack(name: str, protection: str, into: Path) -> Run:
    config = into / "hostile.toml"
    config.write_text(
        f"""
[machine]
memory = "16M"
cores = 2
protection = "{protection}"
until = "2ms"

[kernel.hostile]
image = "{HOSTILE}"
memory = ["4M"]
cmdline = "{name}"
"""
    )
    return boot(config, into)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str, tmp_path: Path) -> None:
    protection, reason, code = ATTACKS[name]
    run = attack(name, protection, tmp_path)
    assert (run.reasons["hostile"], run.exits["hostile"]) == (reason, code), run.console["hostile"]
    assert run.summary["virtual_ns"] <= 2_100_000


def test_nothing_foreign_runs_without_machine_checks(tmp_path: Path) -> None:
    run = attack("run-anothers", "guard", tmp_path)
    assert [(violation["act"], violation["where"]) for violation in run.summary["violations"]] == [
        ("execute", "0x800000")
    ]


@pytest.mark.parametrize("seed", range(1, 13))
def test_control_registers_at_random_end_the_kernel_alone(seed: int, tmp_path: Path) -> None:
    run = attack(f"control-registers n={seed}", "guard", tmp_path)
    assert run.reasons["hostile"] in ("triple fault", "machine check", "exit", "halt")


FLOODS = """
import sys
from pathlib import Path
from mksim.machine.alone import alone
from mksim.machine.machine import Machine

machine = Machine(alone(Path(sys.argv[1]), memory=16 << 20, cmdline=sys.argv[2]))
machine.consoles.append(lambda written: None)
for until in (int(sys.argv[3]), 2 * int(sys.argv[3])):
    while (outcome := machine.run(until=until)) is None:
        pass
    assert outcome.name == "LIMIT", machine.lives[0].reason
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line for line in status if line.startswith("VmRSS")))
"""

FLOOD_LIMIT = 8
"""MiB that twice as much of a flood may take more than the first half, which fills all bounds."""


@pytest.mark.parametrize(
    ("cmdline", "until"),
    [("flood-console", 2_000_000), ("flood-console port=0xe9", 2_000_000), ("flood-code", 2_000_000)],
)
def test_a_flood_takes_no_more_memory_the_longer_it_lasts(cmdline: str, until: int) -> None:
    command = [sys.executable, "-c", FLOODS, str(HOSTILE), cmdline, str(until)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    first, last = (int(size) >> 10 for size in re.findall(r"VmRSS:\s+(\d+) kB", done.stdout))
    assert last - first <= FLOOD_LIMIT
