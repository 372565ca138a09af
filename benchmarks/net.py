"""How many frames does a virtio network take? 1500 bytes each, one at a time, to and fro, and interrupts."""

from dataclasses import replace
from pathlib import Path

from benchmarks import qemu
from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import OURS, Rates, Row, compare
from mksim.machine.devices import Device, Kind

IMAGE = Path("build/kernels/bench/net.elf")
COUNT, QEMU_COUNT, REPEATS = 100_000, 20_000, 3
PEER = "QEMU -M q35"


def rows() -> list[Row]:
    return [compare("network packets", "1/s", measure(), PEER, 1.0)]


def measure(count: int = COUNT, repeats: int = REPEATS) -> Rates:
    """Return packets per second of processor time."""
    rates: Rates = {OURS: []}
    for _ in range(repeats):
        rates[OURS].append(count / ours(count))
        if qemu.installed():
            rates.setdefault(PEER, []).append(QEMU_COUNT / theirs())
    return rates


def ours(count: int) -> float:
    nics = tuple(Device(name=f"nic{n}", kind=Kind.NIC, owner="sender", slot=n + 1) for n in range(2))
    return finish(started(replace(layout_of("net", sender=f"count={count}"), devices=nics))).cpu


def theirs() -> float:
    options = ["-M", "q35", "-accel", "tcg,thread=single"]
    for number in range(2):
        options += ["-netdev", f"hubport,id=port{number},hubid=0"]
        options += ["-device", f"virtio-net-pci,netdev=port{number},disable-legacy=on"]
    return qemu.run(IMAGE, f"count={QEMU_COUNT}", *options).cpu
