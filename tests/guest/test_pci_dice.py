"""A kernel that throws dice at its devices: neither the host nor, under guard, its neighbour is hurt."""

from pathlib import Path

import pytest

from tests.guest.booting import BUILT, Run, boot

CONFIG = """
[machine]
memory = "32M"
cores = 2
until = "20s"

[kernel.dice]
image = "{built}/tests/pci_dice.elf"
memory = "0x800000-0xbfffff"
cmdline = "acts={acts} seed={seed} neighbour=0x1000000"

[kernel.neighbour]
image = "{built}/stock/witness.elf"
memory = "0x1000000-0x13fffff"
cmdline = "seconds=1"

[[device]]
name = "toy"
kind = "edu"
owner = "dice"

[[device]]
name = "disk"
kind = "disk"
owner = "dice"
file = "{disk}"

[[device]]
name = "neighbours"
kind = "edu"
owner = "neighbour"

[expect]
violations = "any"
"""


def throw(into: Path, seed: int, acts: int, *options: str) -> Run:
    config, disk = into / "dice.toml", into / "disk.img"
    disk.write_bytes(bytes(64 * 512))
    config.write_text(CONFIG.format(built=BUILT, seed=seed, acts=acts, disk=disk))
    return boot(config, into, *options)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_under_guard_it_ends_and_the_neighbour_keeps_what_it_has(seed: int, tmp_path: Path) -> None:
    run = throw(tmp_path, seed, 20_000)
    assert run.code == 0, run.console
    assert {act for _, act, _ in run.crossings} == {"dma_read", "dma_write"}
    assert "0 strays, 32768 words as they were" in run.console["neighbour"]
    assert "some of them interrupted" in run.console["dice"]


def test_under_trust_it_may_hurt_whoever_it_likes_but_the_host(tmp_path: Path) -> None:
    run = throw(tmp_path, 4, 20_000, "--trust")
    assert run.summary["outcome"] in ("ended", "limit")
    assert run.violations > 100
