"""Kernels that throw dice, one after the other in one process: `python -m tests.guest.dice trust fatal 1 9`.

Prints a JSON object: how each seed's kernel ended, and how much this process has grown since the first.
"""

import gc
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.guest.booting import BUILT, Run, boot

CONFIG = """
[machine]
memory = "32M"
cores = 3
protection = "{protection}"
until = "{until}"

[kernel.dice]
image = "{image}"
memory = ["8M"]
cmdline = "{cmdline} seed={seed}"
expect = "any"

[kernel.watch]
image = "{image}"
memory = ["4M"]
cmdline = "witness=1000000"

[expect]
violations = "any"
"""

UNTIL = {True: "4ms", False: "2s"}
"""Fatal acts are over at once, but for a core that then runs what is no code, ever so slowly."""


def throw(protection: str, cmdline: str, seed: int, into: Path) -> Run:
    """Boot one that throws dice, and one that watches over its own memory."""
    config = into / "dice.toml"
    config.write_text(
        CONFIG.format(
            protection=protection,
            until=UNTIL[cmdline == "fatal"],
            image=BUILT / "tests/fuzz.elf",
            cmdline=cmdline,
            seed=seed,
        )
    )
    return boot(config, into)


def resident() -> int:
    """Return the KiB of memory that this process has."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def main() -> None:
    """Print how the seeds' kernels ended."""
    protection, cmdline, first, past = sys.argv[1:]
    ends, sizes = [], []
    for seed in range(int(first), int(past)):
        with TemporaryDirectory() as into:
            run = throw(protection, cmdline, seed, Path(into))
        gc.collect()  # a machine has references that go round
        ends.append((run.reasons["dice"], run.exits["dice"], run.exits["watch"]))
        sizes.append(resident())
    print(json.dumps({"ends": ends, "grown_kib": sizes[-1] - sizes[0]}))


if __name__ == "__main__":
    main()
