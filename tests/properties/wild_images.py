"""Images after accidents, and boots of them: `python -m tests.properties.wild_images SEED COUNT` in its own process.

A good image of each format, of the tests and of kernels/, has bytes and words replaced, parts cut out or put in;
or its code is noise.
"""

import json
import struct
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

from mksim.errors import ConfigError
from mksim.machine.alone import alone
from mksim.machine.machine import Machine
from tests import images

BUILT = Path(__file__).parents[2] / "build/kernels"
KERNELS = (
    "hello/hello.elf",
    "tests/multiboot.elf",
    "tests/stranger.bin",
    "tests/hostile.elf",
    "tests/endings.elf",
)
INSTRUCTIONS = 100_000
WORDS = [0, 1, 0xFFF, 0x1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFF000, (1 << 64) - 1]
HEADERS = 0x400
"""Bytes at the start of a file in which most accidents happen: they are what a loader believes."""


def good() -> list[bytes]:
    """Return an image of each kind: tiny ones whose every byte counts, and real kernels."""
    tiny = [
        images.movable(),
        images.pvh(),
        images.elf(
            [images.load(0x100000), images.load(0x200000), images.note(18, struct.pack("<I", 0x100000))]
        ),
        images.multiboot_elf(bits=32),
        images.multiboot_elf(bits=64),
        images.multiboot_flat(),
        images.bzimage(),
    ]
    return tiny + [(BUILT / name).read_bytes() for name in KERNELS]


def noise(random: Random) -> bytes:
    """Return a good image with noise for code."""
    code = random.randbytes(0x800)
    return random.choice(
        [
            images.elf([images.load(0x100000, code), images.note(18, struct.pack("<I", 0x100000))]),
            images.multiboot_header(1 << 16, 0x100000, 0x100000, 0, 0, 0x100020) + code,
            images.bzimage(code=code),
        ]
    )


def damaged(random: Random, data: bytes) -> bytes:
    """Return an image after one to eight accidents."""
    image = bytearray(data)
    for _ in range(random.randint(1, 8)):
        end = max(min(len(image), HEADERS) if random.random() < 0.8 else len(image), 1)
        at = random.randrange(end)
        match random.randrange(6):
            case 0 | 1:
                image[at : at + 1] = random.randbytes(1)
            case 2:
                del image[at : at + random.randint(1, 64)]
            case 3:
                image[at:at] = random.randbytes(random.randint(1, 16))
            case _:
                size = random.choice([2, 4, 8])
                at &= ~(size - 1)
                word = random.choice([random.choice(WORDS), random.getrandbits(64)]) % (1 << 8 * size)
                image[at : at + size] = word.to_bytes(size, "little")
    return bytes(image)


def boot(image: Path, random: Random) -> str:
    """Boot an image, and return what became of it."""
    options = {"memory": random.choice([4, 16, 64]) << 20, "cores": random.choice([1, 1, 2])}
    options["cmdline"] = random.choice(["", "storm", "init-itself", "exit=1"])
    try:
        layout = alone(image, **options)
    except ConfigError:
        return "refused"
    machine = Machine(layout, seed=random.getrandbits(30))
    machine.board.machine["guard"] = random.randrange(2)
    while (outcome := machine.run(instructions=INSTRUCTIONS, until=10**8)) is None:
        pass
    return machine.lives[0].reason or outcome.name


def resident() -> int:
    """Return the MiB of memory that this process has in use."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS"))


def main(seed: int, count: int) -> None:
    """Boot so many images, and print how often what happened and how much memory it took."""
    random, seeds = Random(seed), good()
    fates: Counter[str] = Counter()
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        for _ in range(count):
            drawn = noise(random) if random.random() < 0.3 else damaged(random, random.choice(seeds))
            path.write_bytes(drawn)
            fates[boot(path, random)] += 1
            sizes.append(resident())
    print(json.dumps({"fates": fates, "early": max(sizes[: count // 4]), "late": max(sizes)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
