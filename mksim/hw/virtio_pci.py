"""The PCI transport of a virtio device with one queue: Virtio 1.1, 4.1.4.

Left out: the legacy interface, access by VIRTIO_PCI_CAP_PCI_CFG, changes of the configuration.

All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import virtio as spec

# fmt: off
VIRTIO = np.dtype([
    ("offered",         np.int64),      # features
    ("accepted",        np.int64),
    ("feature_select",  np.int64),
    ("driver_select",   np.int64),
    ("status",          np.int64),
    ("isr",             np.int64),
    ("config_entry",    np.int64),      # of MSI-X, or NO_ENTRY
    ("queue_select",    np.int64),
    ("size",            np.int64),      # of the queue
    ("queue_entry",     np.int64),
    ("enabled",         np.int64),
    ("table",           np.int64),      # addresses
    ("driver",          np.int64),
    ("device",          np.int64),
    ("seen",            np.int64),      # of what the driver made available, modulo 2^16
    ("used",            np.int64),      # of what was given back, likewise
])
# fmt: on


@native
def reset(v: np.void, offered: int) -> None:
    """Power on, or a driver's write of 0 to the status."""
    v["offered"] = offered
    v["accepted"] = v["feature_select"] = v["driver_select"] = v["status"] = v["isr"] = 0
    v["config_entry"] = v["queue_entry"] = spec.NO_ENTRY
    v["size"] = spec.SIZE_MAX
    v["queue_select"] = v["enabled"] = v["table"] = v["driver"] = v["device"] = v["seen"] = v["used"] = 0


@native
def runs(v: np.void) -> bool:
    """Tell whether the driver has set everything up, and nothing has gone wrong since."""
    ready = v["status"] & (spec.DRIVER_OK | spec.NEEDS_RESET) == spec.DRIVER_OK
    return ready and v["enabled"] != 0


@native
def fail(v: np.void) -> None:
    """Give up: the driver has to reset the device (§ 2.1.2)."""
    v["status"] |= spec.NEEDS_RESET
    v["isr"] |= spec.ISR_CONFIG


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
        return 1
    if at == spec.STATUS:
        return v["status"]
    if at == spec.QUEUE_SELECT:
        return v["queue_select"]
    return _read_queue(v, at) if v["queue_select"] == 0 else 0


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
def _read_queue(v: np.void, at: int) -> int:
    if at == spec.QUEUE_SIZE:
        return v["size"]
    if at == spec.QUEUE_ENTRY:
        return v["queue_entry"]
    if at == spec.QUEUE_ENABLE:
        return v["enabled"]
    if at == spec.QUEUE_TABLE:
        return v["table"]
    if at == spec.QUEUE_DRIVER:
        return v["driver"]
    return v["device"] if at == spec.QUEUE_DEVICE else 0


@native
def write(v: np.void, offset: int, size: int, value: int) -> None:
    """Write the common configuration; a part of a register leaves the rest of it."""
    at = register_at(offset)
    if size < 8:
        shift, mask = 8 * (offset - at), (1 << 8 * size) - 1
        value = _read(v, at) & ~(mask << shift) | (value & mask) << shift
    if at == spec.STATUS:
        _write_status(v, value & 0xFF)
    elif at < spec.CONFIG_ENTRY:
        _write_features(v, at, value)
    elif at == spec.CONFIG_ENTRY:
        v["config_entry"] = value & 0xFFFF
    elif at == spec.QUEUE_SELECT:
        v["queue_select"] = value & 0xFFFF
    elif v["queue_select"] == 0:
        _write_queue(v, at, value)


@native
def _write_status(v: np.void, value: int) -> None:
    """Take a new status: 0 resets. FEATURES_OK stays away if the driver asks for what is not offered."""
    if value == 0:
        reset(v, v["offered"])
        return
    if v["accepted"] & ~v["offered"] or not v["accepted"] & spec.VERSION_1:
        value &= ~spec.FEATURES_OK
    v["status"] = value | v["status"] & spec.NEEDS_RESET


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
def _write_queue(v: np.void, at: int, value: int) -> None:
    """Set the queue up; once it is enabled, only a reset changes where it is."""
    if at == spec.QUEUE_ENTRY:
        v["queue_entry"] = value & 0xFFFF
    elif v["enabled"] == 0:
        _place_queue(v, at, value)


@native
def _place_queue(v: np.void, at: int, value: int) -> None:
    if at == spec.QUEUE_SIZE:
        size = value & 0xFFFF
        if 0 < size <= spec.SIZE_MAX and size & (size - 1) == 0:
            v["size"] = size
    elif at == spec.QUEUE_ENABLE:
        v["enabled"] = value & 1
    elif at == spec.QUEUE_TABLE:
        v["table"] = value & ~15
    elif at == spec.QUEUE_DRIVER:
        v["driver"] = value & ~1
    elif at == spec.QUEUE_DEVICE:
        v["device"] = value & ~3
