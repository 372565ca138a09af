"""PCI configuration: the spaces of functions, and the two ways to them. PCI 3.0, PCI Express 2.0; see spec.

A function is bytes, and for each byte what a write can change and what writing ones clears: the rules of the
header, of base addresses and of capabilities are said that way. What an access does beyond that to the map of
addresses is in pci_bars.

Left out: special cycles, type 1 configuration (there are no bridges).

All arguments are int64; an access is 1, 2 or 4 bytes within a doubleword.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import pci as spec

# fmt: off
FUNCTION = np.dtype([
    ("place",    np.int64),              # segment, above bus, device and function as 16 bits
    ("owner",    np.int64),              # whose it is: a kernel, or NOBODY
    ("kind",     np.int64),              # what is behind it: HOST_BRIDGE, EDU, ...
    ("unit",     np.int64),              # which of those
    ("pin",      np.int64),              # of its owner's I/O APIC that INTA# drives
    ("level",    np.int64),              # of INTA#: 1 asserted
    ("msi",      np.int64),              # where its capability is, or 0
    ("msix",     np.int64),              # likewise
    ("express",  np.int64),              # likewise
    ("bar_size", np.int64, spec.BASE_ADDRESSES),  # 0: none; of 64 bits: the first of the two
    ("bar_base", np.int64, spec.BASE_ADDRESSES),  # where it answers, or -1
    ("config",   np.uint8, spec.SPACE),
    ("writable", np.uint8, spec.SPACE),  # bits that a write sets
    ("clears",   np.uint8, spec.SPACE),  # bits that writing ones clears
    ("initial",  np.uint8, spec.HEADER),  # what a function level reset makes of the beginning of `config`
])

HOST_BRIDGE, EDU, BLOCK, NIC, CONSOLE, ENTROPY, IVSHMEM = range(7)   # BLOCK to ENTROPY are virtio devices

PCI = np.dtype([
    ("address", np.int64),               # CONFIG_ADDRESS
])
# fmt: on

_ONES = 0xFFFFFFFF


@native
def reset(p: np.void) -> None:
    """Power on."""
    p["address"] = 0


@native
def read_address(p: np.void) -> int:
    """Return CONFIG_ADDRESS."""
    return p["address"]


@native
def write_address(p: np.void, value: int) -> None:
    """Write CONFIG_ADDRESS, all 32 bits."""
    p["address"] = value & spec.ADDRESS_WRITABLE


@native
def read_data(p: np.void, functions: np.ndarray, lane: int, size: int) -> int:
    """Read CONFIG_DATA from byte `lane` on; ones if the address does not enable it."""
    if not p["address"] & spec.ENABLE:
        return _ones(size)
    return read(functions, place(p), (p["address"] & spec.REGISTER) + lane, size)


@native
def write_data(p: np.void, functions: np.ndarray, lane: int, size: int, value: int) -> None:
    """Write CONFIG_DATA from byte `lane` on."""
    if p["address"] & spec.ENABLE:
        write(functions, place(p), (p["address"] & spec.REGISTER) + lane, size, value)


@native
def read(functions: np.ndarray, place: int, register: int, size: int) -> int:
    """Read a function's configuration; ones where there is no function, as after a master abort (§ 6.1)."""
    index = find(functions, place)
    if index < 0:
        return _ones(size)
    value, config = np.int64(0), functions[index]["config"]
    for byte in range(size):
        value |= np.int64(config[register + byte]) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba


@native
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


@native
def find(functions: np.ndarray, place: int) -> int:
    """Return the index of the function at bus, device and function, -1 if there is none."""
    for index in range(len(functions)):
        if functions[index]["place"] == place:
            return index
    return -1


@native
def place(p: np.void) -> int:
    """Return the place that CONFIG_ADDRESS names: of segment 0."""
    return (p["address"] & ~spec.ENABLE) >> spec.FUNCTION_SHIFT


@native
def _ones(size: int) -> int:
    return _ONES >> (32 - 8 * size)


@native
def register(f: np.void, at: int, size: int) -> int:
    """Return bytes of a function's configuration as it sees them itself."""
    value, config = np.int64(0), f["config"]
    for byte in range(size):
        value |= np.int64(config[at + byte]) << (8 * byte)
    return value  # type: ignore[return-value]  # signed, for numba


@native
def is_master(f: np.void) -> bool:
    """Tell whether a function may begin transactions of its own: DMA, messages."""
    return register(f, spec.COMMAND, 2) & spec.COMMAND_MASTER != 0


@native
def take_reset(f: np.void) -> bool:
    """Tell whether software has asked for a function level reset, and do it to the configuration."""
    if f["express"] == 0 or not register(f, f["express"] + spec.EXPRESS_CONTROL, 2) & spec.EXPRESS_RESET:
        return False
    f["config"][: spec.HEADER] = f["initial"]
    return True


@native
def report(f: np.void, errors: int) -> None:
    """Set bits of the status register, which software clears."""
    f["config"][spec.STATUS + 1] |= np.uint8(errors >> 8)
