"""Devices on PCI: what a config says of them, and where they are.

A kernel that owns devices has a PCI segment of its own, with one bus: segment 0 is that of the owner of the
legacy chips, and the others' follow in the order of the kernels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from mksim.spec import edu, virtio
from mksim.spec.memmap import PCI_MEMORY, PCI_WINDOW
from mksim.spec.pci import SEGMENTS_MAX, SLOTS


class Kind(Enum):
    """What a device is."""

    EDU = "edu"
    """QEMU's educational device."""
    DISK = "disk"
    """A virtio block device."""


class Writes(Enum):
    """What becomes of what is written to a disk."""

    FORGOTTEN = "forgotten"
    """The file stays as it is: another run begins with the same."""
    KEPT = "kept"
    """It goes to the file, at once; a flush waits until the host's disk has it."""
    REFUSED = "refused"


BYTES = {Kind.EDU: edu.BAR_SIZE, Kind.DISK: 2 * virtio.REGISTERS_SIZE}
"""Of PCI memory that a device is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device on PCI: function 0 of a device number, `slot`, on the bus of its owner's segment."""

    name: str
    kind: Kind
    owner: str
    """The kernel it acts for."""
    slot: int
    file: Path | None = None
    """A disk's contents; size in bytes beside it."""
    size: int = 0
    writes: Writes = Writes.FORGOTTEN


class Owner(Protocol):
    """What of a kernel its segment depends on."""

    @property
    def name(self) -> str: ...
    @property
    def legacy(self) -> bool: ...
    @property
    def ioapic(self) -> int | None: ...


def segments(
    kernels: Iterable[Owner], devices: Iterable[Device], *, with_ioapics: bool = False
) -> Mapping[str, int]:
    """Return the PCI segment of each kernel that has one, by its name; who has an I/O APIC may need one."""
    kernels, owners = tuple(kernels), {device.owner for device in devices}
    if with_ioapics:
        owners |= {kernel.name for kernel in kernels if kernel.ioapic is not None}
    found = {kernel.name: 0 for kernel in kernels if kernel.legacy}
    for kernel in kernels:
        if kernel.name in owners and kernel.name not in found:
            found[kernel.name] = max(found.values(), default=0) + 1
    return found


def place(device: Device, segment: int) -> int:
    """Return segment, bus, device and function as one number."""
    return segment << 16 | device.slot << 3


def bases(devices: Sequence[Device], owners: Mapping[str, int]) -> Iterator[int]:
    """Yield where in PCI memory each device is after power-on: one after another in its segment's window."""
    free: dict[int, int] = {}
    for device in devices:
        segment, size = owners[device.owner], BYTES[device.kind]
        base = -(-free.get(segment, PCI_MEMORY + segment * PCI_WINDOW) // size) * size
        free[segment] = base + size
        yield base


def misplaced(devices: Sequence[Device], kernels: Sequence[Owner]) -> Iterator[tuple[str, str]]:
    """Yield every device that cannot be where it is, or be whose it is: its key, and why."""
    names, taken = {kernel.name for kernel in kernels}, dict[tuple[str, int], str]()
    for device in devices:
        key = f"device.{device.name}"
        if device.owner not in names:
            yield f"{key}.owner", f"names {device.owner}, which is no kernel"
        if other := taken.get((device.owner, device.slot)):
            yield f"{key}.slot", f"is {device.slot}, where {device.owner} has {other} already"
        taken[device.owner, device.slot] = device.name
        if (device.kind is Kind.DISK) != (device.file is not None):
            yield f"{key}.file", "is for disks, and each has one"
        if not 0 < device.slot < SLOTS:
            yield f"{key}.slot", f"is {device.slot}, not from 1 to {SLOTS - 1}: the host bridge is 0"
    if len({device.name for device in devices}) < len(devices):
        yield "device", "two devices have the same name"
    if max(segments(kernels, devices).values(), default=0) >= SEGMENTS_MAX:
        yield "device", f"more than {SEGMENTS_MAX} kernels have devices"
    used: dict[str, int] = {}
    for device in devices:
        used[device.owner] = used.get(device.owner, 0) + BYTES[device.kind]
    for owner, size in used.items():
        if size > PCI_WINDOW:
            yield "device", f"{owner}'s need {size:#x} bytes, but its window has {PCI_WINDOW:#x}"
