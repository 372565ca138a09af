"""Virtio block devices: a tiny driver that also tells lies, and Debian's Linux with its own."""

from pathlib import Path

import pytest

from tests.conftest import needs_guest
from tests.guest.booting import Run, boot_claim
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


@needs_guest("vmlinuz", "initramfs.cpio.gz", "modules.cpio")
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
