"""The PCI transport of a virtio device, with up to QUEUES_MAX queues: Virtio 1.1, 4.1.4.

Left out: the legacy interface, access by VIRTIO_PCI_CAP_PCI_CFG, changes of the configuration.

All arguments are int64.
"""

import numpy as np

from mksim.clock.time import NEVER
from mksim.compiled import native
from mksim.hw import msix
from mksim.hw.msix import MSIX
from mksim.hw.virtqueue import CHAIN
from mksim.spec import virtio as spec

# fmt: off
QUEUE = np.dtype([
    ("size",            np.int64),
    ("entry",           np.int64),      # of MSI-X, or NO_ENTRY
    ("enabled",         np.int64),
    ("table",           np.int64),      # addresses
    ("driver",          np.int64),
    ("device",          np.int64),
    ("seen",            np.int64),      # of what the driver made available, modulo 2^16
    ("used",            np.int64),      # of what was given back, likewise
])

VIRTIO = np.dtype([
    ("offered",         np.int64),      # features
    ("accepted",        np.int64),
    ("feature_select",  np.int64),
    ("driver_select",   np.int64),
    ("status",          np.int64),
    ("isr",             np.int64),
    ("config_entry",    np.int64),      # of MSI-X, or NO_ENTRY
    ("queue_select",    np.int64),
    ("count",           np.int64),      # of queues
    ("queues",          QUEUE, spec.QUEUES_MAX),
    ("messages",        MSIX),
    ("kicked",          np.int64),      # bit per queue: its driver has notified the device
    ("due",             np.int64),      # when the device looks at those, or NEVER
    ("takes",           np.int64),      # cycles from a notification to then
    ("failed",          np.int64),      # 1: the ring at hand makes no sense, or cannot be reached
    ("chain",           CHAIN),         # the one at hand
    ("staged",          np.uint8, spec.STAGE),  # what DMA brings, until it is known to be whole
])
# fmt: on


@native
def power_up(v: np.void, offered: int, queues: int, takes: int) -> None:
    """Power on: it offers features, has so many queues, and looks at one `takes` cycles after a kick."""
    v["offered"], v["count"], v["takes"] = offered | spec.VERSION_1 | spec.INDIRECT_TABLES, queues, takes
    msix.reset(v["messages"], queues + 1)
    reset(v)


@native
def reset(v: np.void) -> None:
    """Reset, as by a driver's write of 0 to the status."""
    v["accepted"] = v["feature_select"] = v["driver_select"] = v["status"] = v["isr"] = 0
    v["config_entry"], v["queue_select"] = spec.NO_ENTRY, 0
    v["kicked"], v["due"], v["failed"] = 0, NEVER, 0
    for number in range(v["count"]):
        queue = v["queues"][number]
        queue["size"], queue["entry"] = spec.SIZE_MAX, spec.NO_ENTRY
        queue["enabled"] = queue["table"] = queue["driver"] = queue["device"] = 0
        queue["seen"] = queue["used"] = 0


@native
def runs(v: np.void) -> bool:
    """Tell whether the driver has set the device up, and nothing has gone wrong since."""
    return v["status"] & (spec.DRIVER_OK | spec.NEEDS_RESET) == spec.DRIVER_OK


@native
def works(v: np.void, number: int) -> bool:
    """Tell whether the device runs, and a queue of its is enabled."""
    return runs(v) and 0 <= number < v["count"] and v["queues"][number]["enabled"] != 0


@native
def has(v: np.void, feature: int) -> bool:
    """Tell whether the driver has accepted a feature."""
    return v["accepted"] & feature != 0


@native
def notify(v: np.void, number: int, now: int) -> None:
    """The driver has made something available in a queue."""
    if works(v, number):
        v["kicked"] |= 1 << number
        v["due"] = min(v["due"], now + v["takes"])


@native
def take_kicked(v: np.void) -> int:
    """Return the lowest queue that is to be looked at, and forget it; -1 if there is none."""
    for number in range(v["count"]):
        if v["kicked"] >> number & 1:
            v["kicked"] &= ~(1 << number)
            return number
    v["due"] = NEVER
    return -1


@native
def fail(v: np.void) -> None:
    """Give up: the driver has to reset the device (§ 2.1.2)."""
    v["status"] |= spec.NEEDS_RESET
    v["isr"] |= spec.ISR_CONFIG
    msix.post(v["messages"], v["config_entry"])


@native
def finish(v: np.void, number: int) -> None:
    """Ask for the interrupt of a queue."""
    v["isr"] |= spec.ISR_QUEUE
    msix.post(v["messages"], v["queues"][number]["entry"])


@native
def take_isr(v: np.void) -> int:
    """Read the ISR status, which clears it."""
    value, v["isr"] = v["isr"], 0
    return value


# --- common configuration


@native
def register_at(offset: int) -> int:
    """Return where the register begins that a byte is of."""
    if offset < spec.CONFIG_ENTRY:
        return offset & ~3
    if offset in (spec.STATUS, spec.GENERATION):
        return offset
    return offset & ~1 if offset < spec.QUEUE_TABLE else offset & ~7


@native
def read(v: np.void, offset: int, size: int) -> int:
    """Read the common configuration."""
    at = register_at(offset)
    return _read(v, at) >> (8 * (offset - at)) & ((1 << 8 * size) - 1 if size < 8 else -1)


@native
def _read(v: np.void, at: int) -> int:
    if at < spec.CONFIG_ENTRY:
        return _read_features(v, at)
    if at == spec.CONFIG_ENTRY:
        return v["config_entry"]
    if at == spec.QUEUES:
        return v["count"]
    if at == spec.STATUS:
        return v["status"]
    if at == spec.QUEUE_SELECT:
        return v["queue_select"]
    return _read_queue(v["queues"][v["queue_select"]], at) if v["queue_select"] < v["count"] else 0


@native
def _read_features(v: np.void, at: int) -> int:
    if at == spec.FEATURE_SELECT:
        return v["feature_select"]
    if at == spec.DRIVER_SELECT:
        return v["driver_select"]
    if at == spec.FEATURES:
        return _half(v["offered"], v["feature_select"])
    return _half(v["accepted"], v["driver_select"])


@native
def _half(features: int, select: int) -> int:
    return features >> (32 * select) & 0xFFFFFFFF if select < 2 else 0


@native
def _read_queue(q: np.void, at: int) -> int:
    if at == spec.QUEUE_SIZE:
        return q["size"]
    if at == spec.QUEUE_ENTRY:
        return q["entry"]
    if at == spec.QUEUE_ENABLE:
        return q["enabled"]
    if at == spec.QUEUE_TABLE:
        return q["table"]
    if at == spec.QUEUE_DRIVER:
        return q["driver"]
    return q["device"] if at == spec.QUEUE_DEVICE else 0


@native
def write(v: np.void, offset: int, size: int, value: int) -> bool:
    """Write the common configuration, or a part of a register of it; tell whether that resets."""
    at = register_at(offset)
    if size < 8:
        shift, mask = 8 * (offset - at), (1 << 8 * size) - 1
        value = _read(v, at) & ~(mask << shift) | (value & mask) << shift
    if at == spec.STATUS:
        return _write_status(v, value & 0xFF)
    if at < spec.CONFIG_ENTRY:
        _write_features(v, at, value)
    elif at == spec.CONFIG_ENTRY:
        v["config_entry"] = _entry(v, value & 0xFFFF)
    elif at == spec.QUEUE_SELECT:
        v["queue_select"] = value & 0xFFFF
    elif v["queue_select"] < v["count"]:
        _write_queue(v, v["queues"][v["queue_select"]], at, value)
    return False


@native
def _entry(v: np.void, value: int) -> int:
    """Return an entry of MSI-X that a driver names, or NO_ENTRY if there is none (§ 4.1.5.1.2.2)."""
    return value if value < v["messages"]["count"] else spec.NO_ENTRY


@native
def _write_status(v: np.void, value: int) -> bool:
    """Take a new status: 0 resets. FEATURES_OK stays away if the driver asks for what is not offered."""
    if value == 0:
        reset(v)
        return True
    if v["accepted"] & ~v["offered"] or not v["accepted"] & spec.VERSION_1:
        value &= ~spec.FEATURES_OK
    v["status"] = value | v["status"] & spec.NEEDS_RESET
    return False


@native
def _write_features(v: np.void, at: int, value: int) -> None:
    if at == spec.FEATURE_SELECT:
        v["feature_select"] = value & 0xFFFFFFFF
    elif at == spec.DRIVER_SELECT:
        v["driver_select"] = value & 0xFFFFFFFF
    elif at == spec.DRIVER_FEATURES and v["driver_select"] < 2 and not v["status"] & spec.FEATURES_OK:
        shift = 32 * v["driver_select"]
        v["accepted"] = v["accepted"] & ~(0xFFFFFFFF << shift) | (value & 0xFFFFFFFF) << shift


@native
def _write_queue(v: np.void, q: np.void, at: int, value: int) -> None:
    """Set a queue up; once it is enabled, only a reset changes where it is."""
    if at == spec.QUEUE_ENTRY:
        q["entry"] = _entry(v, value & 0xFFFF)
    elif q["enabled"] == 0:
        _place_queue(q, at, value)


@native
def _place_queue(q: np.void, at: int, value: int) -> None:
    if at == spec.QUEUE_SIZE:
        size = value & 0xFFFF
        if 0 < size <= spec.SIZE_MAX and size & (size - 1) == 0:
            q["size"] = size
    elif at == spec.QUEUE_ENABLE:
        q["enabled"] = value & 1
    elif at == spec.QUEUE_TABLE:
        q["table"] = value & ~15
    elif at == spec.QUEUE_DRIVER:
        q["driver"] = value & ~1
    elif at == spec.QUEUE_DEVICE:
        q["device"] = value & ~3
