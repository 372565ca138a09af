"""How many requests does a virtio disk take? Reads of 4 KiB, one after the other, an interrupt each."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import qemu
from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import OURS, Rates, Row, compare
from mksim.machine.devices import Device, Kind

IMAGE = Path("build/kernels/bench/disk.elf")
COUNT, QEMU_COUNT, REPEATS = 100_000, 20_000, 3
SIZE = 1 << 20
PEER = "QEMU -M q35"


def rows() -> list[Row]:
    return [compare("disk requests", "1/s", measure(), PEER, 1.0)]


def measure(count: int = COUNT, repeats: int = REPEATS) -> Rates:
    """Return requests per second of processor time."""
    rates: Rates = {OURS: []}
    with tempfile.NamedTemporaryFile() as file:
        file.write(contents())
        file.flush()
        for _ in range(repeats):
            rates[OURS].append(count / ours(Path(file.name), count))
            if qemu.installed():
                rates.setdefault(PEER, []).append(QEMU_COUNT / theirs(file.name))
    return rates


def contents() -> bytes:
    """Return a disk whose sectors begin with their numbers."""
    words = np.zeros((SIZE // 512, 128), "<u4")
    words[:, 0] = np.arange(len(words))
    return words.tobytes()


def ours(file: Path, count: int) -> float:
    device = Device(name="disk", kind=Kind.DISK, owner="reader", slot=1, file=file, size=SIZE)
    return finish(started(replace(layout_of("disk", reader=f"count={count}"), devices=(device,)))).cpu


def theirs(file: str) -> float:
    drive = f"file={file},format=raw,if=none,id=disk,snapshot=on"
    device = "virtio-blk-pci,drive=disk,disable-legacy=on"
    options = ("-M", "q35", "-accel", "tcg,thread=single", "-drive", drive, "-device", device)
    return qemu.run(IMAGE, f"count={QEMU_COUNT}", *options).cpu
