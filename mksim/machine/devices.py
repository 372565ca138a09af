"""Devices on PCI: what a config says of them, and where they are.

A kernel that owns devices has a PCI segment of its own, with one bus: segment 0 is that of the owner of the
legacy chips, and the others' follow in the order of the kernels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from mksim.spec import edu, ivshmem, virtio
from mksim.spec.memmap import PCI_MEMORY, PCI_WINDOW
from mksim.spec.pci import SEGMENTS_MAX, SLOTS
from mksim.spec.span import Span


class Kind(Enum):
    """What a device is."""

    EDU = "edu"
    """QEMU's educational device."""
    DISK = "disk"
    """A virtio block device."""
    NIC = "nic"
    """A virtio network device."""
    CONSOLE = "console"
    """A virtio console: what is written to it is on its owner's console."""
    ENTROPY = "rng"
    """A virtio entropy device."""
    IVSHMEM = "ivshmem"
    """A doorbell to the others that share a window."""


class Writes(Enum):
    """What becomes of what is written to a disk."""

    FORGOTTEN = "forgotten"
    """The file stays as it is: another run begins with the same."""
    KEPT = "kept"
    """It goes to the file, at once; a flush waits until the host's disk has it."""
    REFUSED = "refused"


BYTES = {kind: edu.BAR_SIZE if kind is Kind.EDU else 2 * virtio.REGISTERS_SIZE for kind in Kind}
"""Of PCI memory that a device is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device on PCI: function 0 of a device number, `slot`, on the bus of its owner's segment."""

    name: str
    kind: Kind
    owner: str
    """The kernel it acts for."""
    slot: int
    heir: str = ""
    """The kernel that gets it when its owner has died, if any: in the same slot, of its own segment."""
    file: Path | None = None
    """A disk's contents; size in bytes beside it."""
    size: int = 0
    writes: Writes = Writes.FORGOTTEN
    network: str = "lan"
    """The switch that a network device is plugged into."""
    mac: bytes = b""
    """Its address, if it was given one."""
    queues: int = 1
    """Pairs of a network device's queues."""
    window: str = ""
    """What an ivshmem device and its peers share."""

    @property
    def owners(self) -> tuple[str, ...]:
        """The kernels on whose segments it is: one after the other."""
        return (self.owner,) if self.heir in ("", self.owner) else (self.owner, self.heir)

    @property
    def address(self) -> bytes:
        """A network device's address: one of its own, by default, that is locally administered (IEEE 802)."""
        return self.mac or b"\x02" + blake2b(f"{self.owner}/{self.name}".encode(), digest_size=5).digest()


class Shared(Protocol):
    """What of a window an ivshmem device depends on."""

    @property
    def name(self) -> str: ...
    @property
    def span(self) -> Span: ...


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
    kernels, owners = tuple(kernels), {owner for device in devices for owner in device.owners}
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


def bases(devices: Sequence[Device], owners: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield where in PCI memory each device is after power-on, by whose it is.

    They are one after another in their segment's window.
    """
    free: dict[int, int] = {}
    for device in devices:
        found = {}
        for owner in device.owners:
            segment, size = owners[owner], BYTES[device.kind]
            found[owner] = -(-free.get(segment, PCI_MEMORY + segment * PCI_WINDOW) // size) * size
            free[segment] = found[owner] + size
        yield found


def misplaced(
    devices: Sequence[Device], kernels: Sequence[Owner], windows: Iterable[Shared]
) -> Iterator[tuple[str, str]]:
    """Yield every device that cannot be where it is, or be whose it is: its key, and why."""
    rooms = {window.name: window.span.size for window in windows}
    names = {kernel.name for kernel in kernels}
    for device in devices:
        key = f"device.{device.name}"
        if device.owner not in names:
            yield f"{key}.owner", f"names {device.owner}, which is no kernel"
        if device.heir and device.heir not in names - {device.owner}:
            yield f"{key}.heir", f"names {device.heir}, which is no other kernel"
        if (device.kind is Kind.DISK) != (device.file is not None):
            yield f"{key}.file", "is for disks, and each has one"
        if (device.kind is Kind.IVSHMEM) != (device.window != ""):
            yield f"{key}.window", "is for ivshmem devices, and each has one"
        elif device.window and rooms.get(device.window, 0) <= ivshmem.TABLE_SIZE:
            yield f"{key}.window", f"names {device.window}, which is no window of more than a page"
        if not 0 < device.slot < SLOTS:
            yield f"{key}.slot", f"is {device.slot}, not from 1 to {SLOTS - 1}: the host bridge is 0"
    if len({device.name for device in devices}) < len(devices):
        yield "device", "two devices have the same name"
    if max(segments(kernels, devices).values(), default=0) >= SEGMENTS_MAX:
        yield "device", f"more than {SEGMENTS_MAX} kernels have devices"
    yield from _collisions(devices)
    yield from _too_large(devices)


def _collisions(devices: Sequence[Device]) -> Iterator[tuple[str, str]]:
    """Yield every device that has the slot, or the address on its network, that another has already."""
    slots, stations = dict[tuple[str, int], str](), dict[tuple[str, bytes], str]()
    for device in devices:
        key = f"device.{device.name}"
        for owner in device.owners:
            if other := slots.get((owner, device.slot)):
                yield f"{key}.slot", f"is {device.slot}, where {owner} has {other} already"
            slots[owner, device.slot] = device.name
        if device.kind is Kind.NIC:
            if other := stations.get((device.network, device.address)):
                yield f"{key}.mac", f"is {device.address.hex(':')}, as {other}'s on the same network"
            stations[device.network, device.address] = device.name


def _too_large(devices: Sequence[Device]) -> Iterator[tuple[str, str]]:
    used: dict[str, int] = {}
    for device in devices:
        for owner in device.owners:
            used[owner] = used.get(owner, 0) + BYTES[device.kind]
    for owner, size in used.items():
        if size > PCI_WINDOW:
            yield "device", f"{owner}'s need {size:#x} bytes, but its window has {PCI_WINDOW:#x}"
