"""A virtio network device: its registers, its flows, and the frames on their way to it. Virtio 1.1, 5.1.

Left out: checksum and segmentation offloads, merged receive buffers, filters (it takes every frame that its
network brings), VLANs, announcements.

All arguments are int64.
"""

import numpy as np

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.spec import virtio_net as spec

# fmt: off
FRAME = np.dtype([
    ("arrives",  np.int64),
    ("sender",   np.int64),                 # number of the device
    ("length",   np.int64),
    ("data",     np.uint8, spec.HEADER + spec.FRAME_MAX),   # as a driver sends it: see spec
])

NIC = np.dtype([
    ("mac",      np.uint8, spec.MAC_SIZE),
    ("network",  np.int64),                 # number of the switch it is plugged into, from 1 on
    ("owner",    np.int64),                 # the kernel it acts for
    ("place",    np.int64),                 # of its function
    ("offers",   np.int64),                 # pairs of queues, and of those the driver's choice
    ("pairs",    np.int64),
    ("frames",   np.int64),                 # the first of its places among all frames in flight
    ("first",    np.int64),                 # of those, which arrives next, and how many there are
    ("flying",   np.int64),
    ("arrives",  np.int64),                 # when that one does, or NEVER; and when the last one does
    ("busy",     np.int64),
    ("flows",    np.uint8, spec.FLOWS),     # by which pair each was last sent
    ("sent",     np.int64),                 # frames
    ("received", np.int64),
    ("crowded",  np.int64),                 # lost: too many were in flight
    ("missed",   np.int64),                 # lost: the driver had no room for them
    ("broken",   np.int64),                 # sent, but no frame, or not to be read
    ("control",  np.uint8, spec.CONTROL_SIZE),
    ("outgoing", FRAME),
])

STATION = np.dtype([
    ("network",  np.int64),
    ("address",  np.int64),
    ("port",     np.int64),                 # number of the device behind which it is, plus 1; 0: none
])
# fmt: on

_GROUP = 1  # the first bit on the wire: an address of several


@native
def features(n: np.void) -> int:
    """Return what it offers."""
    offered = spec.MAC | spec.STATUS
    return offered | spec.CONTROL | spec.PAIRS if n["offers"] > 1 else offered


@native
def queues(n: np.void) -> int:
    """Return how many queues it has."""
    return 2 * n["offers"] + 1 if n["offers"] > 1 else 2


@native
def reset(n: np.void) -> None:
    """Reset, as by its driver. What is on its way to it arrives, and is lost if nobody takes it."""
    n["pairs"] = 1
    n["flows"][:] = 0


@native
def power_up(n: np.void) -> None:
    """Power on: nothing is on its way."""
    reset(n)
    n["first"] = n["flying"] = n["busy"] = 0
    n["arrives"] = NEVER
    n["sent"] = n["received"] = n["crowded"] = n["missed"] = n["broken"] = 0


@native
def read_config(n: np.void, offset: int, size: int) -> int:
    """Read the device configuration."""
    value = np.int64(0)
    for byte in range(size):
        value |= _byte(n, offset + byte) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba


@native
def _byte(n: np.void, at: int) -> int:
    if at < spec.MAC_SIZE:
        return np.int64(n["mac"][at])  # type: ignore[return-value]
    if at == spec.STATUS_AT:
        return spec.LINK_UP
    return n["offers"] if at == spec.PAIRS_AT else 0


@native
def control(n: np.void, readable: int) -> int:
    """Do the command in `control`, and return its acknowledgement."""
    chosen = np.int64(n["control"][2]) | np.int64(n["control"][3]) << 8
    asked = readable == spec.CONTROL_SIZE and n["control"][0] == spec.CONTROL_PAIRS
    if not asked or n["control"][1] != spec.CONTROL_PAIRS_SET or not 0 < chosen <= n["offers"]:
        return spec.CONTROL_ERROR
    n["pairs"] = chosen
    return spec.CONTROL_OK


# --- flows


@native
def flow(data: np.ndarray, length: int) -> int:
    """Return which flow a frame is of, the same in both directions: by addresses, and ports of TCP or UDP."""
    at, mixed = spec.HEADER, np.int64(0)
    for byte in range(spec.MAC_SIZE):
        mixed += np.int64(data[at + byte] ^ data[at + spec.MAC_SIZE + byte])
    options = data[at + spec.HEAD] & 0xF
    plain = (
        length >= spec.HEADER + spec.HEAD + 24 and data[at + 12] == 8 and data[at + 13] == 0 and options == 5
    )
    if plain and data[at + 23] in (6, 17):
        for byte in (34, 35):
            mixed += np.int64(data[at + byte] ^ data[at + byte + 2]) * 3
    return mixed % spec.FLOWS  # type: ignore[return-value]


@native
def pair_of(n: np.void, frame: np.void) -> int:
    """Return the pair of queues that a frame goes to: which its flow was last sent by (§ 5.1.6.5.5)."""
    pair = np.int64(n["flows"][flow(frame["data"], frame["length"])])
    return pair if pair < n["pairs"] else np.int64(0)  # type: ignore[return-value]


# --- frames in flight


@native
def is_frame(readable: int) -> bool:
    """Tell whether so many bytes, header included, can be a frame."""
    return spec.HEADER + spec.HEAD <= readable <= spec.HEADER + spec.FRAME_MAX


@native
def seal(frame: np.void, length: int) -> None:
    """Write the header that its receiver finds: without offloads it says that the frame is in one buffer."""
    frame["length"] = length
    frame["data"][: spec.HEADER] = 0
    frame["data"][spec.BUFFERS_AT] = 1


@native
def next_frame(n: np.void) -> int:
    """Return the place of the frame that arrives next; there must be one."""
    return n["frames"] + n["first"]


@native
def carry(n: np.void, frames: np.ndarray, sent: np.void, sender: int, soonest: int, takes: int) -> bool:
    """Put a frame on its way to a device; False if too many are. It arrives behind those before it."""
    if n["flying"] >= spec.IN_FLIGHT:
        n["crowded"] += 1
        return False
    frame = frames[n["frames"] + (n["first"] + n["flying"]) % spec.IN_FLIGHT]
    n["busy"] = max(n["busy"], soonest) + takes
    frame["arrives"], frame["sender"], frame["length"] = n["busy"], sender, sent["length"]
    frame["data"][: sent["length"]] = sent["data"][: sent["length"]]
    if n["flying"] == 0:
        n["arrives"] = n["busy"]
    n["flying"] += 1
    return True


@native
def land(n: np.void, frames: np.ndarray) -> None:
    """Forget the frame that has arrived."""
    n["first"] = (n["first"] + 1) % spec.IN_FLIGHT
    n["flying"] -= 1
    n["arrives"] = frames[next_frame(n)]["arrives"] if n["flying"] > 0 else NEVER


# --- switches


@native
def address(data: np.ndarray, at: int) -> int:
    """Return an address in a frame: of its destination at 0, of its source at 6."""
    value = np.int64(0)
    for byte in range(spec.MAC_SIZE):
        value = value << 8 | np.int64(data[spec.HEADER + at + byte])
    return value  # type: ignore[return-value]  # signed, for numba


@native
def is_group(data: np.ndarray) -> bool:
    """Tell whether a frame is for several."""
    return data[spec.HEADER] & _GROUP != 0


@native
def _station(stations: np.ndarray, network: int, address: int) -> np.void:
    mixed = (address ^ address >> 24 ^ network * 31) * 0x2545F491
    return stations[mixed >> 16 & spec.STATIONS - 1]


@native
def learn(stations: np.ndarray, network: int, address: int, port: int) -> None:
    """Remember behind which device an address is: where a frame came from. Another's place may be taken."""
    station = _station(stations, network, address)
    station["network"], station["address"], station["port"] = network, address, port + 1


@native
def port_of(stations: np.ndarray, network: int, address: int) -> int:
    """Return behind which device an address is; -1 if that is not known, and the frame goes to all."""
    station = _station(stations, network, address)
    known = station["network"] == network and station["address"] == address
    return station["port"] - 1 if known else -1
