"""PCI configuration: the spaces of functions, and the two ways to them. PCI 3.0, PCI Express 2.0; see spec.

A function is bytes, and for each byte what a write can change and what writing ones clears: the rules of the
header, of base addresses and of capabilities are said that way. Here is one function, the host bridge.

Left out: special cycles, type 1 configuration (there are no bridges), effects of a write beyond its bytes.

All arguments are int64; an access is 1, 2 or 4 bytes within a doubleword.
"""

import numpy as np
from numba import njit

from mksim.spec import pci as spec

# fmt: off
FUNCTION = np.dtype([
    ("place",    np.int64),              # bus, device and function as 16 bits
    ("config",   np.uint8, spec.SPACE),
    ("writable", np.uint8, spec.SPACE),  # bits that a write sets
    ("clears",   np.uint8, spec.SPACE),  # bits that writing ones clears
])

PCI = np.dtype([
    ("address", np.int64),               # CONFIG_ADDRESS
])
# fmt: on

_ONES = 0xFFFFFFFF


@njit(cache=True, error_model="numpy")
def reset(p: np.void) -> None:
    """Power on."""
    p["address"] = 0


@njit(cache=True, error_model="numpy")
def read_address(p: np.void) -> int:
    """Return CONFIG_ADDRESS."""
    return p["address"]


@njit(cache=True, error_model="numpy")
def write_address(p: np.void, value: int) -> None:
    """Write CONFIG_ADDRESS, all 32 bits."""
    p["address"] = value & spec.ADDRESS_WRITABLE


@njit(cache=True, error_model="numpy")
def read_data(p: np.void, functions: np.ndarray, lane: int, size: int) -> int:
    """Read CONFIG_DATA from byte `lane` on; ones if the address does not enable it."""
    if not p["address"] & spec.ENABLE:
        return _ones(size)
    return read(functions, _place(p), (p["address"] & spec.REGISTER) + lane, size)


@njit(cache=True, error_model="numpy")
def write_data(p: np.void, functions: np.ndarray, lane: int, size: int, value: int) -> None:
    """Write CONFIG_DATA from byte `lane` on."""
    if p["address"] & spec.ENABLE:
        write(functions, _place(p), (p["address"] & spec.REGISTER) + lane, size, value)


@njit(cache=True, error_model="numpy")
def read(functions: np.ndarray, place: int, register: int, size: int) -> int:
    """Read a function's configuration; ones where there is no function, as after a master abort (§ 6.1)."""
    index = find(functions, place)
    if index < 0:
        return _ones(size)
    value, config = np.int64(0), functions[index]["config"]
    for byte in range(size):
        value |= np.int64(config[register + byte]) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba


@njit(cache=True, error_model="numpy")
def write(functions: np.ndarray, place: int, register: int, size: int, value: int) -> None:
    """Write a function's configuration; what is read only, or not there, stays."""
    index = find(functions, place)
    if index < 0:
        return
    function = functions[index]
    for byte in range(size):
        at, part = register + byte, (value >> (8 * byte)) & 0xFF
        writable = np.int64(function["writable"][at])
        kept = np.int64(function["config"][at]) & ~(np.int64(function["clears"][at]) & part)
        function["config"][at] = kept & ~writable | part & writable


@njit(cache=True, error_model="numpy")
def find(functions: np.ndarray, place: int) -> int:
    """Return the index of the function at bus, device and function, -1 if there is none."""
    for index in range(len(functions)):
        if functions[index]["place"] == place:
            return index
    return -1


@njit(cache=True, error_model="numpy")
def _place(p: np.void) -> int:
    return (p["address"] & ~spec.ENABLE) >> spec.FUNCTION_SHIFT


@njit(cache=True, error_model="numpy")
def _ones(size: int) -> int:
    return _ONES >> (32 - 8 * size)


def host_bridge(f: np.void) -> None:
    """Make a function the host bridge at 00:00.0: a header, and nothing to set but SERR# (§ 6.2.2)."""
    f["place"] = 0
    for field in ("config", "writable", "clears"):
        f[field][:] = 0
    _put(f["config"], spec.VENDOR_ID, spec.HOST_BRIDGE_VENDOR, 2)
    _put(f["config"], spec.DEVICE_ID, spec.HOST_BRIDGE_DEVICE, 2)
    _put(f["config"], spec.COMMAND, spec.COMMAND_MEMORY | spec.COMMAND_MASTER, 2)
    _put(f["config"], spec.CLASS, spec.CLASS_HOST_BRIDGE, 3)
    _put(f["config"], spec.SUBSYSTEM_VENDOR, spec.HOST_BRIDGE_SUBSYSTEM[1], 2)
    _put(f["config"], spec.SUBSYSTEM, spec.HOST_BRIDGE_SUBSYSTEM[0], 2)
    _put(f["writable"], spec.COMMAND, spec.COMMAND_SERR, 2)
    _put(f["clears"], spec.STATUS, spec.STATUS_ERRORS, 2)


def _put(space: np.ndarray, register: int, value: int, size: int) -> None:
    space[register : register + size] = list(value.to_bytes(size, "little"))
