"""Kernels that nobody here wrote: Debian's Linux and memtest86+."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import needs_guest
from tests.guest.booting import Run, boot_scenario, boot_variant
from tests.guest.stock import boot_linux, sayings

WORKED = "worked: three pipelines, a hundred forks"
SCENARIO_LIMIT = 15 * 60
"""Seconds of host time for two runs of the scenario, which is far more than they take."""
TROUBLE = ("BUG", "WARNING:", "Oops", "unable to", "detected stall", "timekeeping watchdog", "Call Trace")
"""What Linux says when it thinks little of a machine."""


def uptimes(console: str) -> list[float]:
    """Return the uptime behind each round of work, in seconds."""
    return [float(word.split("up ")[1]) for word in sayings(console) if word.startswith("round ")]


def claim_all_well(run: Run, kernel: str = "linux") -> None:
    console = run.console[kernel]
    assert run.reasons[kernel] == "power off", console
    assert WORKED in sayings(console)
    assert sayings(console)[-1] == "all well"
    assert [line for line in console.splitlines() if any(word in line for word in TROUBLE)] == []


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
def test_one_linux_works_and_switches_itself_off(tmp_path: Path) -> None:
    runs = []
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        runs.append(boot_linux(tmp_path / name))
        assert runs[-1].code == 0
        assert runs[-1].crossings == {}
        claim_all_well(runs[-1])
    assert runs[0].summary["digest"] == runs[1].summary["digest"]
    assert runs[0].console == runs[1].console


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize("cores", [2, 4, 8, 16])
def test_linux_counts_its_processors(cores: int, tmp_path: Path) -> None:
    run = boot_linux(tmp_path, cores=cores)
    assert run.code == 0
    claim_all_well(run)
    assert f"{cores} processors" in sayings(run.console["linux"])[0]


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
def test_linux_changes_the_code_that_its_processors_run(tmp_path: Path) -> None:
    run = boot_linux(tmp_path, cores=2, cmdline="trace=10")
    assert run.code == 0
    claim_all_well(run)
    assert "traced: 10000 calls or more" in sayings(run.console["linux"])


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("cmdline", "why"),
    [
        ("cpus=2", "expected 2 processors"),
        ("devmem=0x1000000", "no access to physical memory: devmem=0x1000000"),  # its own RAM: STRICT_DEVMEM
        ("die=laughing", "still alive after die=laughing"),
        ("wire=ttyS0:whisper", "wire=ttyS0:whisper says neither send nor receive"),
    ],
)
def test_what_did_not_happen_is_not_called_well(cmdline: str, why: str, tmp_path: Path) -> None:
    console = boot_linux(tmp_path, cmdline=cmdline).console["linux"]
    assert sayings(console)[-1] == f"FAILED: {why}"


@needs_guest("vmlinux", "initramfs.cpio.gz")
@pytest.mark.slow
def test_linux_by_its_pvh_entry(tmp_path: Path) -> None:
    run = boot_linux(tmp_path, image="vmlinux", memory="0x1000000-0xcffffff", cores=2)
    assert run.code == 0
    claim_all_well(run)
    assert "2 processors" in sayings(run.console["linux"])[0]


@needs_guest("vmlinuz-newest", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 4])
def test_the_newest_linux(cores: int, tmp_path: Path) -> None:
    run = boot_linux(tmp_path, image="vmlinuz-newest", cores=cores)
    assert run.code == 0
    claim_all_well(run)
    assert f"{cores} processors" in sayings(run.console["linux"])[0]


@needs_guest("vmlinuz", "initramfs.cpio.gz", "memtest86+x64.bin")
@pytest.mark.slow
def test_strangers_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    start = time.monotonic()
    run, again = boot_scenario("stock", tmp_path), boot_scenario("stock", tmp_path / "again")
    assert time.monotonic() - start < SCENARIO_LIMIT
    assert run.code == 0
    assert run.violations == 0
    assert run.summary["digest"] == again.summary["digest"]
    for kernel in ("amber", "birch"):
        claim_all_well(run, kernel)
        assert "2 processors" in sayings(run.console[kernel])[0]
    received, sent = sayings(run.console["amber"])[2], sayings(run.console["birch"])[2]
    assert received.startswith("received 16384 bytes")
    assert sent.startswith("sent 16384 bytes")
    assert received.split("sha256 ")[1] == sent.split("sha256 ")[1]
    assert "Pass:  1        Errors: 0" in run.console["memtest"]
    assert " 0 strays" in run.console["ours"]


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("dying", "ending"), [("die=panic panic=1 reboot=a", "reset"), ("die=reboot reboot=t", "triple fault")]
)
def test_one_linux_dies_and_comes_back(dying: str, ending: str, tmp_path: Path) -> None:
    run = boot_variant("stock", tmp_path, "die=panic panic=1 reboot=a", dying, config="panic.toml")
    assert run.violations == 0
    assert run.reasons == {"steady": "power off", "fragile": ending}
    assert run.summary["kernels"]["fragile"]["restarts"] == 1
    claim_all_well(run, "steady")
    fragile = sayings(run.console["fragile"])
    assert [word for word in fragile if word.startswith(("worked", "dying"))] == 2 * [WORKED, fragile[5]]
    times, deaths = uptimes(run.console["steady"]), [end["when_ns"] / 1e9 for end in run.ends["fragile"]]
    dying = uptimes(run.console["fragile"])[2]
    assert all(0.2 <= later - earlier < 0.4 for earlier, later in pairwise(times))
    assert min(times) < dying < deaths[0] < deaths[1] < max(times)
    assert sum(deaths[0] < time < deaths[1] for time in times) > 5


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
def test_memory_that_linux_was_lied_to_about(tmp_path: Path) -> None:
    run = boot_scenario("stock", tmp_path, config="liar.toml")
    assert run.code == 0
    assert set(run.crossings) == {("linux", "write", "neighbour")}
    trusting = boot_scenario("stock", tmp_path, "--trust", config="liar.toml")
    assert trusting.exits["neighbour"] != 0
    assert trusting.violations > 100_000


@needs_guest("vmlinuz", "initramfs.cpio.gz")
@pytest.mark.slow
@pytest.mark.parametrize(("how", "ending"), [("--guard", "machine check"), ("--trust", "power off")])
def test_a_program_pokes_through_dev_mem(how: str, ending: str, tmp_path: Path) -> None:
    poke = "devmem=0xc3e0000:0x12345678"
    run = boot_variant("stock", tmp_path, "memmap=4M@0xc000000", poke, how, config="liar.toml")
    assert (run.reasons["linux"], run.exits["neighbour"]) == (ending, 0)
    assert run.crossings == {("linux", "write", "neighbour"): 1}
