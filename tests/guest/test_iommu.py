"""The IOMMU of one kernel that serves another; and of Linux, which translates, remaps, and nothing faults."""

from pathlib import Path

import pytest

from tests.conftest import needs_guest
from tests.guest.booting import boot_scenario
from tests.guest.stock import boot_linux, sayings

TABLES = """
[[device]]
name = "vda"
kind = "disk"
owner = "linux"
file = "{file}"

[iommu]
owner = "{owner}"
interrupt_remapping = {remapping}
"""
TRANSLATES = "DMAR: Intel(R) Virtualization Technology for Directed I/O"
REMAPS = "DMAR-IR: Enabled IRQ remapping in x2apic mode"


def test_a_kernel_serves_another(tmp_path: Path) -> None:
    run = boot_scenario("iommu", tmp_path)
    assert run.code == 0, run.console
    assert run.crossings == {}
    assert run.console["keeper"].splitlines()[-1] == "3 requests served, 1 refused, 3 attempts told of"
    told = [(fault["kind"], fault["where"], fault["reason"]) for fault in run.faults]
    assert told == [
        ("read", "0x3000", "page not readable"),
        ("write", "0x1000", "page not writable"),
        ("read", "0x1000", "page not readable"),
    ]


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("image", "cores", "owner", "cmdline"),
    [
        ("vmlinuz", 1, "linux", "intel_iommu=on disk=make"),
        ("vmlinuz", 2, "each", "intel_iommu=on iommu.strict=1 disk=make"),
        ("vmlinuz", 2, "linux", "intel_iommu=on iommu=pt disk=make"),
    ],
)
def test_linux_drives_the_iommu(image: str, cores: int, owner: str, cmdline: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(16 << 20))
    more = TABLES.format(file=disk, owner=owner, remapping="true")
    run = boot_linux(tmp_path, image=image, cores=cores, cmdline=cmdline, more=more)
    console = run.console["linux"]
    assert run.code == 0, console
    assert TRANSLATES in console
    assert REMAPS in console
    assert sayings(console)[-2].endswith("the file is whole")
    assert run.summary["iommu"]["faults"] == 0
    assert "fault" not in "".join(line for line in console.splitlines() if "DMAR" in line)
    assert run.crossings == {}


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
def test_linux_knows_nothing_of_the_firmwares(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(16 << 20))
    more = TABLES.format(file=disk, owner="firmware", remapping="false")
    run = boot_linux(tmp_path, cmdline="disk=make", more=more)
    console = run.console["linux"]
    assert run.code == 0, console
    assert "DMAR" not in console
    assert sayings(console)[-2].endswith("the file is whole")
    assert run.summary["iommu"]["faults"] == 0
