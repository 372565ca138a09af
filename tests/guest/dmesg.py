"""What Linux says of this machine and not of QEMU's, and the other way round.

`python -m tests.guest.dmesg vmlinuz 2` boots an image from build/guests with two processors on both,
and prints the lines of trouble in the kernel's log that only one has: "<" QEMU's, ">" mksim's. Numbers do
not count.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import GUESTS
from tests.guest.stock import boot_linux

MEMORY = "256M"
ATTEMPTS = 3
"""On QEMU 7.2, on a busy host, Linux 6.12 panics now and then."""
STAMP = re.compile(r"^\[ *\d+\.\d+\] ")
NUMBER = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|-?\d+")
TROUBLE = re.compile(
    r"warn|error|fail|bug|unable|unstable|stall|watchdog|calibrat|cannot|can't|not |no |timed out|unexpected"
    r"|skip|ignor|disabl|invalid|mismatch|mark",
    re.IGNORECASE,
)


def log(console: str) -> dict[str, str]:
    """Return the lines of a kernel's log, by what they say without numbers."""
    lines = (STAMP.sub("", line.strip()) for line in console.splitlines() if STAMP.match(line))
    return {NUMBER.sub("#", line): line for line in lines}


def on_qemu(image: str, cores: int) -> str:
    """Boot on QEMU, as much like `boot_linux` as it can be; return the console."""
    command = [
        "qemu-system-x86_64", "-m", MEMORY, "-smp", str(cores), "-display", "none", "-monitor", "none",
        "-serial", "stdio", "-no-reboot", "-nic", "none", "-vga", "none", "-kernel", str(GUESTS / image),
        "-initrd", str(GUESTS / "initramfs.cpio.gz"), "-append", f"console=ttyS0 cpus={cores} panic=-1",
    ]  # fmt: skip
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, capture_output=True, check=True, timeout=120)
        console = done.stdout.decode(errors="replace")
        if "init: all well" in console:
            break
    return console


def on_mksim(image: str, cores: int) -> str:
    """Boot here; return the console."""
    with TemporaryDirectory() as into:
        return boot_linux(Path(into), image=image, cores=cores, memory="200M").console["linux"]


def differing(image: str, cores: int, words: re.Pattern[str]) -> Iterator[str]:
    """Yield the lines with a word that only one log has."""
    theirs, ours = log(on_qemu(image, cores)), log(on_mksim(image, cores))
    yield from (f"< {line}" for key, line in theirs.items() if key not in ours and words.search(line))
    yield from (f"> {line}" for key, line in ours.items() if key not in theirs and words.search(line))


if __name__ == "__main__":
    everything = "--all" in sys.argv
    name, processors = [word for word in sys.argv[1:] if word != "--all"]
    print(*differing(name, int(processors), re.compile("") if everything else TROUBLE), sep="\n")
