"""Virtio block devices: a tiny driver that also tells lies, and Debian's Linux with its own."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mksim.machine.machine import Machine, Outcome
from mksim.machine.reading import read_layout
from mksim.machine.snapshot import restore, take
from tests.conftest import needs_guest
from tests.guest.booting import BUILT, Run, boot_claim, boot_scenario
from tests.guest.stock import boot_linux, sayings
from tests.guest.test_stock import claim_all_well

SECTORS = 64


def tiny_disk(into: Path) -> Path:
    file = into / "tiny.img"
    file.write_bytes(b"the first sector".ljust(SECTORS * 512, b"\0"))
    return file


def boot_disk(into: Path, file: Path, writes: str) -> Run:
    device = f'kind = "disk"\nfile = "{file}"\nwrites = "{writes}"'
    return boot_claim("disk", into, cmdline=f"sectors={SECTORS}", device=device)


@pytest.mark.parametrize("writes", ["kept", "forgotten"])
def test_a_disk_keeps_what_it_is_given_and_its_head(writes: str, tmp_path: Path) -> None:
    file = tiny_disk(tmp_path)
    before = file.read_bytes()
    run = boot_disk(tmp_path, file, writes)
    assert run.code == 0, run.console["claim"]
    assert run.violations == 0
    written = bytes((i * 5 + (i >> 8)) & 0xFF for i in range(2048))
    after = file.read_bytes()
    assert after == (before[:1536] + written + before[3584:] if writes == "kept" else before)


def test_the_same_disk_the_same_digest(tmp_path: Path) -> None:
    file = tiny_disk(tmp_path)
    runs = [boot_disk(tmp_path, file, "forgotten") for _ in range(2)]
    assert runs[0].summary["digest"] == runs[1].summary["digest"]


def test_a_disk_is_reset_with_its_owner(tmp_path: Path) -> None:
    device = f'kind = "disk"\nfile = "{tiny_disk(tmp_path)}"\n[expect]\nviolations = 0'
    restarts = 'dies"\nrestarts = 1\nrestart_after = "1us'
    run = boot_claim("disk", tmp_path, cmdline=f"sectors={SECTORS} {restarts}", device=device)
    assert run.code == 0, run.console["claim"]
    assert "a second life" in run.console["claim"]


WRITER = """
[kernel.writer]
image = "{image}"
memory = "4M"

[[device]]
name = "disk"
kind = "disk"
owner = "writer"
file = "{file}"
writes = "{writes}"
"""


@pytest.mark.parametrize("lines", [1, 17, 150])
def test_acknowledged_writes_are_in_the_file_of_a_killed_machine(lines: int, tmp_path: Path) -> None:
    file, config = tmp_path / "disk.img", tmp_path / "writer.toml"
    file.write_bytes(bytes(200 * 512))
    config.write_text(WRITER.format(image=BUILT / "tests/writer.elf", file=file, writes="kept"))
    command = [sys.executable, "-m", "mksim", "boot", str(config), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        said = [run.stdout.readline() for _ in range(lines)]
        run.kill()
        said += run.stdout.readlines()
    count = sum("sector" in line for line in said)
    assert count >= lines
    assert are_written(file, count)


def are_written(file: Path, count: int) -> bool:
    """Tell whether the first sectors of a file are as writer.c writes them."""
    kept = np.frombuffer(file.read_bytes(), "<u4").reshape(-1, 128)[:count]
    sectors = np.arange(count, dtype=np.uint32)[:, None]
    return bool((kept == sectors * np.uint32(0x10001) + np.arange(128, dtype=np.uint32)).all())


def test_at_any_moment_what_was_acknowledged_is_in_the_file(tmp_path: Path) -> None:
    file, config = tmp_path / "disk.img", tmp_path / "writer.toml"
    file.write_bytes(bytes(200 * 512))
    config.write_text(WRITER.format(image=BUILT / "tests/writer.elf", file=file, writes="kept"))
    machine, dice, said = Machine(read_layout(config)), random.Random(1), bytearray()
    machine.consoles.append(lambda written: said.extend(written["byte"].tobytes()))
    while machine.run(until=machine.now + dice.randrange(1, 20_000)) is Outcome.LIMIT:
        assert are_written(file, said.count(b"sector"))
    assert said.count(b"sector") == 200


def test_a_snapshot_in_the_midst_of_writing(tmp_path: Path) -> None:
    file, config = tmp_path / "disk.img", tmp_path / "writer.toml"
    file.write_bytes(bytes(200 * 512))
    config.write_text(WRITER.format(image=BUILT / "tests/writer.elf", file=file, writes="forgotten"))
    layout = read_layout(config)
    one, other = Machine(layout), Machine(layout)
    one.run(until=1_000_000)
    shot = take(one)
    written = one.board.disk_bytes.copy()
    one.run()
    assert 0 < np.count_nonzero(written) < np.count_nonzero(one.board.disk_bytes)
    for machine in (other, one):
        digest, contents = one.digest(), one.board.disk_bytes.copy()
        restore(machine, shot)
        assert (machine.board.disk_bytes == written).all()
        machine.run()
        assert (machine.digest(), machine.lives[0].exit_code) == (digest, 0)
        assert (machine.board.disk_bytes == contents).all()


@needs_guest("vmlinuz", "initramfs.cpio.gz", "drivers.cpio")
@pytest.mark.slow
def test_linux_makes_a_file_system_and_finds_it_again(tmp_path: Path) -> None:
    file = tmp_path / "linux.img"
    file.write_bytes(bytes(8 << 20))
    for what in ("make", "check"):
        disk = f'[[device]]\nname = "vda"\nkind = "disk"\nowner = "linux"\nfile = "{file}"\nwrites = "kept"\n'
        run = boot_linux(tmp_path, cmdline=f"disk={what}", more=disk)
        claim_all_well(run)
        assert run.violations == 0
        said = sayings(run.console["linux"])[-2]
        assert said.startswith("disk: 16384 sectors")
        assert said.endswith("the file is whole")


@needs_guest("vmlinuz", "initramfs.cpio.gz", "empty.img")
@pytest.mark.slow
def test_two_linux_with_a_disk_each(tmp_path: Path) -> None:
    run = boot_scenario("stock", tmp_path, config="disks.toml")
    assert run.code == 0
    for kernel in ("amber", "birch"):
        claim_all_well(run, kernel)
        assert sayings(run.console[kernel])[-2].endswith("the file is whole")
    assert {act for _, act, _ in run.crossings} <= {"in", "out"}
