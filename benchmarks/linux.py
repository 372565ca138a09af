"""From launch to init's last line: Debian's Linux on mksim, start-up included, and on QEMU.

Rounds are judged by processor time, of which a busy host takes nothing away; nobody here uses two threads.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import qemu
from benchmarks.rows import Row

GUESTS = Path("build/guests")
KERNEL, INITRD = GUESTS / "vmlinuz", GUESTS / "initramfs.cpio.gz"
LAST = b"init: all well"
CORES = (1, 4)
REPEATS = 3
PLAIN, ICOUNT = "QEMU thread=single", "QEMU -icount"
GOALS = {PLAIN: 1.25, ICOUNT: 0.6}

CONFIG = """
[machine]
memory = "576M"
[kernel.linux]
image = "{kernel}"
modules = ["{initrd}"]
memory = "512M"
cores = {cores}
cmdline = "{cmdline}"
expect = "power off"
"""


def rows() -> Iterator[Row]:
    """Yield a row for each number of cores and peer; none where the images were not fetched."""
    if not KERNEL.exists():
        print("no stock kernels; they are fetched by: make guests", file=sys.stderr)
        return
    for cores in CORES:
        peers = [PLAIN, ICOUNT] if cores == 1 else [PLAIN]  # with four, -icount hangs
        rounds = [_round(cores, peers) for _ in range(REPEATS)]
        ours = median(mine for mine, _ in rounds)
        for peer in peers:
            ratio = median(mine / theirs[peer] for mine, theirs in rounds) if qemu.installed() else None
            yield Row(
                name=f"Linux to init's end, {cores} core(s)", value=ours, unit="s", better="lower", peer=peer,
                ratio=ratio, goal=GOALS[peer],
            )  # fmt: skip


def _round(cores: int, peers: list[str]) -> tuple[float, dict[str, float]]:
    return boot_seconds(cores), {peer: _theirs(cores, peer) for peer in peers} if qemu.installed() else {}


def _cmdline(cores: int) -> str:
    return f"console=ttyS0 cpus={cores}"


@contextmanager
def config(cores: int) -> Iterator[str]:
    """Have a config with one Linux on so many cores in a file, and give its name."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(CONFIG.format(
            kernel=KERNEL.resolve(), initrd=INITRD.resolve(), cores=cores, cmdline=_cmdline(cores)
        ))  # fmt: skip
        file.flush()
        yield file.name


def boot_seconds(cores: int, *options: str) -> float:
    """Return the processor time of a Linux on mksim up to init's last line."""
    with config(cores) as name:
        return _seconds([sys.executable, "-m", "mksim", "boot", name, *options])


def _theirs(cores: int, peer: str) -> float:
    how = ["-icount", "shift=0,sleep=off"] if peer == ICOUNT else []
    board = ["-accel", "tcg,thread=single", "-cpu", "Haswell", "-smp", str(cores), "-m", "512", *how]
    board += ["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]
    images = ["-kernel", str(KERNEL), "-initrd", str(INITRD), "-append", _cmdline(cores)]
    return _seconds([qemu.QEMU, *board, *images])


def _seconds(command: list[str]) -> float:
    """Return the processor time of a process up to init's last line; RuntimeError if that never comes."""
    pipe = subprocess.PIPE
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=nowhere, stdout=pipe, stderr=nowhere) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if LAST in line:
                seconds = qemu.processor_time(process.pid)
                process.stdout.read()
                return seconds
    raise RuntimeError(f"{command[0]} ended without {LAST.decode()!r}")
