"""A guest cannot hurt the host: each of these once brought mksim down, or got past its guard."""

from pathlib import Path

import pytest

from tests.guest.booting import BUILT, Run, boot

ATTACKS = {
    # on the command line     protection  how the kernel ends
    "no-stack":              ("guard", "triple fault", None),
    "no-ist":                ("guard", "exit", 74),
    "no-gate-stack":         ("guard", "triple fault", None),
    "init-itself":           ("guard", "halt", None),
    "run-anothers":          ("guard", "machine check", None),
    "end-and-run-anothers":  ("guard", "exit", 5),
    "end-and-store-to-rom":  ("trust", "exit", 6),
    "start-nobodys":         ("trust", "exit", 1),
    "storm":                 ("guard", "", None),
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
image = "{BUILT / "tests/hostile.elf"}"
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
