"""What functions are after a reset: headers of type 0 (PCI 3.0, 6.1) and capabilities, as bytes with rules.

Plain Python, for when a board is built or a kernel's chips are reset; pci_config then works on the bytes.
"""

import numpy as np

from mksim.hw.msix import PENDING_AT
from mksim.hw.pci_config import BLOCK, CONSOLE, EDU, ENTROPY, HOST_BRIDGE, IVSHMEM, NIC
from mksim.spec import edu as edu_spec
from mksim.spec import ivshmem as ivshmem_spec
from mksim.spec import pci as spec
from mksim.spec import virtio


def clear(f: np.void, place: int, owner: int, kind: int, unit: int) -> None:
    """Make a function one that has nothing yet, of an owner."""
    f["place"], f["owner"], f["kind"], f["unit"] = place, owner, kind, unit
    device = place >> 3 & spec.SLOTS - 1
    f["pin"] = spec.PINS_FIRST + device % spec.PINS
    f["level"] = f["msi"] = f["msix"] = f["express"] = 0
    f["bar_size"], f["bar_base"] = 0, -1
    for field in ("config", "writable", "clears"):
        f[field][:] = 0
    put(f["clears"], spec.STATUS, spec.STATUS_ERRORS, 2)


def host_bridge(f: np.void, segment: int, owner: int) -> None:
    """Make a function a segment's host bridge: a header, and nothing to set but SERR# (§ 6.2.2)."""
    clear(f, segment << 16, owner, HOST_BRIDGE, 0)
    identify(f, spec.HOST_BRIDGE_VENDOR, spec.HOST_BRIDGE_DEVICE, spec.CLASS_HOST_BRIDGE)
    put(f["config"], spec.COMMAND, spec.COMMAND_MEMORY | spec.COMMAND_MASTER, 2)
    put(f["config"], spec.SUBSYSTEM_VENDOR, spec.HOST_BRIDGE_SUBSYSTEM[1], 2)
    put(f["config"], spec.SUBSYSTEM, spec.HOST_BRIDGE_SUBSYSTEM[0], 2)
    put(f["writable"], spec.COMMAND, spec.COMMAND_SERR, 2)


def edu(f: np.void, place: int, owner: int, unit: int, base: int) -> None:
    """Make a function QEMU's educational device, as a PC's firmware leaves it: its memory at `base`."""
    clear(f, place, owner, EDU, unit)
    identify(f, edu_spec.VENDOR, edu_spec.DEVICE, edu_spec.CLASS_OTHER)
    put(f["config"], spec.REVISION, edu_spec.REVISION, 1)
    endpoint(f)
    base_address(f, 0, edu_spec.BAR_SIZE, base)
    msi(f, 0x40)


def identify(f: np.void, vendor: int, device: int, kind: int) -> None:
    """Say who made what."""
    put(f["config"], spec.VENDOR_ID, vendor, 2)
    put(f["config"], spec.DEVICE_ID, device, 2)
    put(f["config"], spec.CLASS, kind, 3)


def endpoint(f: np.void) -> None:
    """Give a function a command register, and INTA#; memory is switched on, DMA is not."""
    put(f["config"], spec.COMMAND, spec.COMMAND_MEMORY, 2)
    put(f["writable"], spec.COMMAND, spec.COMMAND_ENDPOINT, 2)
    put(f["config"], spec.INTERRUPT_LINE, int(f["pin"]), 1)
    put(f["writable"], spec.INTERRUPT_LINE, 0xFF, 1)
    put(f["config"], spec.INTERRUPT_PIN, 1, 1)


def base_address(f: np.void, number: int, size: int, base: int, *, wide: bool = False) -> None:
    """Give a function memory: `size` bytes, a power of two from 16 on; a `wide` one is of 64 bits.

    It answers nowhere yet: that is for pci_bars to say.
    """
    at, bits = spec.BASE_ADDRESS + 4 * number, 8 if wide else 4
    put(f["config"], at, base | (spec.BASE_64 if wide else 0), bits)
    put(f["writable"], at, -size & (1 << 8 * bits) - 1, bits)
    f["bar_size"][number] = size


def capability(f: np.void, at: int, kind: int) -> None:
    """Put a capability in front of the list of those that a function has."""
    put(f["config"], at, kind, 1)
    put(f["config"], at + 1, int(f["config"][spec.CAPABILITIES]), 1)
    put(f["config"], spec.CAPABILITIES, at, 1)
    f["config"][spec.STATUS] |= spec.STATUS_CAPABILITIES


def msi(f: np.void, at: int) -> None:
    """Let a function interrupt by one message, to an address of 64 bits (§ 6.8.1)."""
    capability(f, at, spec.CAPABILITY_MSI)
    f["msi"] = at
    put(f["config"], at + spec.MSI_CONTROL, spec.MSI_64, 2)
    put(f["writable"], at + spec.MSI_CONTROL, spec.MSI_ENABLE, 2)
    put(f["writable"], at + spec.MSI_ADDRESS, 0xFFFFFFFC, 4)
    put(f["writable"], at + spec.MSI_ADDRESS_HIGH, 0xFFFFFFFF, 4)
    put(f["writable"], at + spec.MSI_DATA, 0xFFFF, 2)


def msix(f: np.void, at: int, bar: int, entries: int) -> None:
    """Let a function interrupt by several messages, with a table in a base address's memory (§ 6.8.2)."""
    capability(f, at, spec.CAPABILITY_MSIX)
    f["msix"] = at
    put(f["config"], at + spec.MSIX_CONTROL, entries - 1, 2)
    put(f["writable"], at + spec.MSIX_CONTROL, spec.MSIX_ENABLE | spec.MSIX_MASKED, 2)
    put(f["config"], at + spec.MSIX_TABLE, bar, 4)
    put(f["config"], at + spec.MSIX_PENDING, PENDING_AT | bar, 4)


def express(f: np.void, at: int) -> None:
    """Make a function one of PCI Express that can be reset alone, to what it has by now ([E] 7.8 and 6.6.2).

    Software finds its memory switched off then, and its base addresses at 0.
    """
    capability(f, at, spec.CAPABILITY_EXPRESS)
    f["express"] = at
    put(f["config"], at + spec.EXPRESS_KIND, spec.EXPRESS_INTEGRATED, 2)
    put(f["config"], at + spec.EXPRESS_DEVICE, spec.EXPRESS_RESETS, 4)
    put(f["writable"], at + spec.EXPRESS_CONTROL, spec.EXPRESS_CONTROL_KEPT | spec.EXPRESS_RESET, 2)
    f["initial"] = f["config"][: spec.HEADER]
    put(f["initial"], spec.COMMAND, 0, 2)
    first = spec.BASE_ADDRESS
    for byte in range(first, first + 4 * spec.BASE_ADDRESSES):
        f["initial"][byte] &= ~f["writable"][byte]


def ivshmem(f: np.void, place: int, owner: int, unit: int, base: int, memory: int, size: int) -> None:
    """Make a function an ivshmem device whose shared memory, the state table in front, is at an address."""
    clear(f, place, owner, IVSHMEM, unit)
    identify(f, ivshmem_spec.VENDOR, ivshmem_spec.DEVICE, ivshmem_spec.CLASS)
    endpoint(f)
    put(f["config"], spec.INTERRUPT_PIN, 0, 1)
    put(f["config"], spec.SUBSYSTEM_VENDOR, ivshmem_spec.VENDOR, 2)
    put(f["config"], spec.SUBSYSTEM, ivshmem_spec.DEVICE, 2)
    base_address(f, 0, ivshmem_spec.REGISTERS_SIZE, base)
    base_address(f, ivshmem_spec.MSIX_BAR, ivshmem_spec.MSIX_SIZE, base + ivshmem_spec.REGISTERS_SIZE)
    at = ivshmem_spec.CAPABILITY_AT
    capability(f, at, ivshmem_spec.CAPABILITY)
    put(f["config"], at + ivshmem_spec.LENGTH_AT, ivshmem_spec.CAPABILITY_SIZE, 1)
    put(f["writable"], at + ivshmem_spec.CONTROL_AT, ivshmem_spec.ONE_SHOT, 1)
    put(f["config"], at + ivshmem_spec.TABLE_SIZE_AT, ivshmem_spec.TABLE_SIZE, 4)
    put(f["config"], at + ivshmem_spec.COMMON_SIZE_AT, size - ivshmem_spec.TABLE_SIZE, 8)
    put(f["config"], at + ivshmem_spec.BASE_AT, memory, 8)
    msix(f, 0x98, ivshmem_spec.MSIX_BAR, ivshmem_spec.VECTORS)
    express(f, 0xA4)


VIRTIO_DEVICES = {
    BLOCK: (virtio.DEVICE_BLOCK, virtio.CLASS_STORAGE),
    NIC: (virtio.DEVICE_NET, virtio.CLASS_ETHERNET),
    CONSOLE: (virtio.DEVICE_CONSOLE, virtio.CLASS_COMMUNICATION),
    ENTROPY: (virtio.DEVICE_ENTROPY, virtio.CLASS_OTHER),
}
"""Device ID and class by kind."""


def virtio_device(f: np.void, place: int, owner: int, unit: int, base: int, kind: int, queues: int) -> None:
    """Make a function a virtio device of version 1: Virtio 1.1, 4.1.2 and 4.1.4."""
    clear(f, place, owner, kind, unit)
    device, group = VIRTIO_DEVICES[kind]
    identify(f, virtio.VENDOR, device, group)
    put(f["config"], spec.REVISION, virtio.REVISION, 1)
    put(f["config"], spec.SUBSYSTEM_VENDOR, virtio.VENDOR, 2)
    put(f["config"], spec.SUBSYSTEM, device, 2)
    endpoint(f)
    base_address(f, virtio.REGISTER_BAR, virtio.REGISTERS_SIZE, base, wide=True)
    base_address(f, virtio.MSIX_BAR, virtio.MSIX_SIZE, base + virtio.REGISTERS_SIZE)
    for at, what, offset in VIRTIO_PARTS:
        part(f, at, what, offset)
    msix(f, 0x98, virtio.MSIX_BAR, queues + 1)
    express(f, 0xA4)


VIRTIO_PARTS = (
    (0x40, virtio.COMMON, virtio.COMMON_AT),
    (0x50, virtio.ISR, virtio.ISR_AT),
    (0x60, virtio.DEVICE, virtio.DEVICE_AT),
    (0x70, virtio.NOTIFY, virtio.NOTIFY_AT),
)


def part(f: np.void, at: int, kind: int, offset: int) -> None:
    """Say where a part of a virtio device's registers is."""
    capability(f, at, virtio.CAPABILITY)
    put(f["config"], at + virtio.CAP_LENGTH, 20 if kind == virtio.NOTIFY else 16, 1)
    put(f["config"], at + virtio.CAP_TYPE, kind, 1)
    put(f["config"], at + virtio.CAP_BAR, virtio.REGISTER_BAR, 1)
    put(f["config"], at + virtio.CAP_OFFSET, offset, 4)
    put(f["config"], at + virtio.CAP_SIZE, virtio.PART, 4)


def put(space: np.ndarray, register: int, value: int, size: int) -> None:
    """Write bytes, whatever the rules are."""
    space[register : register + size] = list(value.to_bytes(size, "little"))
