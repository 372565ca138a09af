"""Networks between kernels: tiny drivers, and two of Debian's Linux with its own."""

from pathlib import Path

import pytest

from mksim.machine.machine import Machine
from mksim.machine.reading import read_layout
from mksim.machine.snapshot import restore, take
from tests.conftest import needs_guest
from tests.guest.booting import BUILT, Run, boot, boot_scenario, boot_variant
from tests.guest.stock import sayings
from tests.guest.test_stock import claim_all_well

TIMES = 50

PAIR = """
[machine]
memory = "32M"
until = "1s"

[kernel.asker]
image = "{image}"
memory = "4M"
cmdline = "asks times={times}"

[kernel.answerer]
image = "{image}"
memory = "4M"
cmdline = "times={times}"

[[device]]
name = "left"
kind = "nic"
owner = "asker"

[[device]]
name = "right"
kind = "nic"
owner = "answerer"
{more}
"""

STRANGER = """
[[device]]
name = "elsewhere"
kind = "nic"
owner = "answerer"
network = "other"
"""


def pair(into: Path, more: str = "", times: int = TIMES) -> Path:
    config = into / "pair.toml"
    config.write_text(PAIR.format(image=BUILT / "tests/nic.elf", times=times, more=more))
    return config


def boot_pair(into: Path, more: str = "", times: int = TIMES) -> Run:
    return boot(pair(into, more, times), into)


def test_frames_go_to_and_fro_as_granted_crossings(tmp_path: Path) -> None:
    run = boot_pair(tmp_path, STRANGER)
    assert run.code == 0, run.console
    assert f"{TIMES} answers" in run.console["asker"]
    assert run.violations == 0
    assert run.crossings == {("asker", "frame", "answerer"): TIMES, ("answerer", "frame", "asker"): TIMES}


def test_the_same_frames_the_same_digest(tmp_path: Path) -> None:
    runs = [boot_pair(tmp_path) for _ in range(2)]
    assert runs[0].summary["digest"] == runs[1].summary["digest"]


def test_on_another_network_nobody_answers(tmp_path: Path) -> None:
    config = pair(tmp_path, times=1)
    config.write_text(config.read_text().replace('"left"', '"left"\nnetwork = "apart"').replace("1s", "2ms"))
    run = boot(config, tmp_path)
    assert run.code == 3
    assert run.crossings == {}


def test_a_snapshot_with_a_frame_in_flight(tmp_path: Path) -> None:
    layout = read_layout(pair(tmp_path))
    one, other = Machine(layout), Machine(layout)
    until = 100_000
    while not one.board.nics["flying"].any():
        until += 100
        one.run(until=until)
    shot = take(one)
    one.run()
    digest = one.digest()
    for machine in (other, one):
        restore(machine, shot)
        assert machine.board.nics["flying"].sum() == 1
        machine.run()
        assert machine.digest() == digest
        assert [life.exit_code for life in machine.lives] == [0, 0]


def claim_io(run: Run, megabytes: int) -> None:
    """Both disks are whole, and what birch fetched has the sum that amber told."""
    assert run.code == 0, run.console
    said = {name: sayings(run.console[name]) for name in ("amber", "birch")}
    for kernel, words in said.items():
        claim_all_well(run, kernel)
        assert "disk: ext4, 24 files are whole, and so is one more" in words
    assert {"hwrng: 64 bytes of virtio_rng.0", "hvc: e198818c87e533b7"} <= set(said["amber"])
    assert any(words.startswith(f"net: served {megabytes} MiB") for words in said["amber"])
    assert any(words.startswith("net: fetched") for words in said["birch"])
    assert {act for _, act, _ in run.crossings} <= {"in", "out", "frame"}
    assert run.violations == run.summary["iommu"]["faults"] == 0
    assert "DMAR: Intel(R) Virtualization Technology for Directed I/O" in run.console["amber"]


@needs_guest("vmlinuz", "initramfs.cpio.gz", "drivers.cpio", "ext4.img")
@pytest.mark.slow
def test_two_linux_with_disks_and_a_network(tmp_path: Path) -> None:
    claim_io(boot_scenario("stock", tmp_path, config="io.toml"), 4)


@needs_guest("vmlinuz", "initramfs.cpio.gz", "drivers.cpio", "ext4.img")
@pytest.mark.slow
def test_a_hundred_megabytes_over_the_network(tmp_path: Path) -> None:
    claim_io(boot_variant("stock", tmp_path, "serve=4", "serve=96", config="io.toml"), 96)
