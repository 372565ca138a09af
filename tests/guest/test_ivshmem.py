"""Two kernels that share memory, and ring each other by ivshmem devices."""

from pathlib import Path

from tests.guest.booting import BUILT, Run, boot

TIMES = 20

PEERS = """
[machine]
memory = "32M"
until = "1s"

[kernel.one]
image = "{image}"
memory = "4M"
cmdline = "times={times}"

[kernel.other]
image = "{image}"
memory = "4M"
cmdline = "times={times}"

[[window]]
name = "common"
memory = "64K"
rights = {{ one = "rw", other = "rw" }}

[[device]]
name = "left"
kind = "ivshmem"
owner = "one"
window = "common"

[[device]]
name = "right"
kind = "ivshmem"
owner = "other"
window = "{window}"
"""


def boot_peers(into: Path, window: str = "common") -> Run:
    config = into / "peers.toml"
    config.write_text(PEERS.format(image=BUILT / "tests/ivshmem.elf", times=TIMES, window=window))
    return boot(config, into)


def test_peers_ring_each_other(tmp_path: Path) -> None:
    run = boot_peers(tmp_path)
    assert run.code == 0, run.console
    assert run.console == dict.fromkeys(("one", "other"), f"{TIMES} rings\n")
    rings = TIMES + 2  # and two new states
    assert run.crossings == {("one", "doorbell", "other"): rings, ("other", "doorbell", "one"): rings}
    assert run.violations == 0


def test_the_same_rings_the_same_digest(tmp_path: Path) -> None:
    runs = [boot_peers(tmp_path) for _ in range(2)]
    assert runs[0].summary["digest"] == runs[1].summary["digest"]
