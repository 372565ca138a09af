"""Virtio network devices, and the switches between them. Virtio 1.1, 5.1.6; IEEE 802.1D on switches.

A frame leaves when the device looks at its queue, and arrives no sooner than a message between kernels would:
frames in flight are ordered by when they arrive, and those at once by when they were sent. Whoever is on the
same network has agreed to be reached by it, so a frame to another kernel is a granted crossing.
"""

import numpy as np
from numba import carray

from mksim.clock.time import scale
from mksim.compiled import native
from mksim.engine.crossings import FRAME as FRAME_ACT
from mksim.engine.crossings import cross_dma
from mksim.engine.entry import outlined
from mksim.engine.qemu import pointer
from mksim.engine.records import MACHINE, happen
from mksim.engine.virtqueue import conclude, gather, give_back, scatter, take, usable, waiting
from mksim.hw import virtio_net, virtio_pci
from mksim.hw.pci_config import FUNCTION
from mksim.hw.virtio_net import FRAME, NIC, STATION
from mksim.hw.virtio_pci import VIRTIO
from mksim.spec import virtio_net as spec

_SECOND = 1_000_000_000


@native
def nic_of(machine: np.void, unit: int) -> np.void:
    """Return the record of network device number `unit`."""
    return carray(pointer(machine["nics"]), machine["n_nics"], NIC)[unit]


@native
def frames_of(machine: np.void) -> np.ndarray:
    """Return the places of all frames in flight."""
    return carray(pointer(machine["frames"]), machine["n_frames"], FRAME)


@native
def stations_of(machine: np.void) -> np.ndarray:
    """Return what the switches have learnt."""
    return carray(pointer(machine["stations"]), spec.STATIONS, STATION)


@outlined(MACHINE, FUNCTION, VIRTIO)
def serve_nic(machine: np.void, f: np.void, v: np.void, which: int, now: int) -> None:
    """Look at a queue that was notified: send, or do commands. Room to receive is looked for by frames."""
    n = nic_of(machine, f["unit"])
    commands = which == 2 * n["offers"] if virtio_pci.has(v, spec.PAIRS) else which == 2
    if not commands and which & 1 == 0:
        return
    done = 0
    for _ in range(waiting(machine, f, v, which, now)):
        if not take(machine, f, v, which, now):
            break
        written = command(machine, f, v, n, now) if commands else send(machine, f, v, n, which >> 1, now)
        if v["failed"] == 0:
            give_back(machine, f, v, which, written, now)
            done += 1
    conclude(machine, f, v, which, done, now)


@native
def command(machine: np.void, f: np.void, v: np.void, n: np.void, now: int) -> int:
    """Do the command that the chain at hand holds."""
    chain = v["chain"]
    size = min(chain["readable"], spec.CONTROL_SIZE)
    n["control"][:] = 0
    if chain["writable"] < 1 or not gather(machine, f, v, 0, n["control"].ctypes.data, size, now):
        v["failed"] = 1
        return 0
    v["staged"][0] = virtio_net.control(n, chain["readable"])
    if not scatter(machine, f, v, 0, v["staged"].ctypes.data, 1, now):
        v["failed"] = 1
    return 1


@native
def send(machine: np.void, f: np.void, v: np.void, n: np.void, pair: int, now: int) -> int:
    """Send the frame that the chain at hand holds. What is none, or not to be read, is lost."""
    frame, size = n["outgoing"], v["chain"]["readable"]
    if not virtio_net.is_frame(size) or not gather(machine, f, v, 0, frame["data"].ctypes.data, size, now):
        n["broken"] += 1
        return 0
    virtio_net.seal(frame, size)
    n["flows"][virtio_net.flow(frame["data"], size)] = pair
    n["sent"] += 1
    switch(machine, f, n, now)
    return 0


@native
def switch(machine: np.void, f: np.void, n: np.void, now: int) -> None:
    """Carry what a device sends to the one its destination is behind, else to all others of its network."""
    stations, frame = stations_of(machine), n["outgoing"]
    virtio_net.learn(stations, n["network"], virtio_net.address(frame["data"], spec.MAC_SIZE), f["unit"])
    port = np.int64(-1)
    if not virtio_net.is_group(frame["data"]):
        port = virtio_net.port_of(stations, n["network"], virtio_net.address(frame["data"], 0))
    takes = scale(spec.BYTE_NS * frame["length"], machine["rate"], _SECOND)
    for unit in range(machine["n_nics"]):
        other = nic_of(machine, unit)
        if other["network"] != n["network"] or unit == f["unit"] or (port >= 0 and unit != port):
            continue
        flies = virtio_net.carry(other, frames_of(machine), frame, f["unit"], now + machine["latency"], takes)
        if flies and other["owner"] != n["owner"]:
            record(machine, n, other, frame["length"], now)


@native
def record(machine: np.void, n: np.void, other: np.void, size: int, now: int) -> None:
    """Write a frame to another kernel's device into the ledger."""
    cross_dma(machine, n["owner"], n["place"], now, FRAME_ACT, other["place"], size, other["owner"], True)


@outlined(MACHINE, FUNCTION, VIRTIO)
def receive(machine: np.void, f: np.void, v: np.void, now: int) -> None:
    """Hand the driver what has arrived, as far as it has made room for it."""
    n, frames = nic_of(machine, f["unit"]), frames_of(machine)
    while n["arrives"] <= now:
        frame = frames[virtio_net.next_frame(n)]
        happen(machine, (now << 20) ^ (frame["sender"] << 12) ^ frame["length"])
        if hand_over(machine, f, v, frame, 2 * virtio_net.pair_of(n, frame), now):
            n["received"] += 1
        else:
            n["missed"] += 1
        virtio_net.land(n, frames)


@native
def hand_over(machine: np.void, f: np.void, v: np.void, frame: np.void, which: int, now: int) -> bool:
    """Write a frame to the next buffer of a queue; tell whether it got there."""
    if not usable(f, v, which):
        return False
    size, whole, done = frame["length"], False, 0
    if waiting(machine, f, v, which, now) > 0 and take(machine, f, v, which, now):
        if v["chain"]["writable"] >= size:
            whole = scatter(machine, f, v, 0, frame["data"].ctypes.data, size, now)
        give_back(machine, f, v, which, size if whole else np.int64(0), now)
        done = 1
    conclude(machine, f, v, which, done, now)
    return whole and v["failed"] == 0
