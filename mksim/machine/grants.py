"""Windows, doorbells and wires of a config, what kernels were granted of each other; and devices."""

from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import count, product
from os import SEEK_END
from pathlib import Path
from typing import Any

from mksim.errors import FileError
from mksim.fabric.ownership import Rights, Signal
from mksim.machine import schema, units, values
from mksim.machine.config import Doorbell, Window
from mksim.machine.devices import Device, Kind, Writes
from mksim.machine.draft import Drafts, WindowDraft
from mksim.machine.schema import Problems, conform
from mksim.machine.wiring import Wire
from mksim.spec.virtio import SECTOR

EVERYBODY = "*"
DISK_MAX = 1 << 30
DOORBELLS_MAX = 4096
"""Pairs of kernels times messages, after "*" was spelt out; more do not fit in the partition table."""

Table = dict[str, Any]


def draft_windows(document: Table, drafts: Drafts, problems: Problems) -> list[WindowDraft]:
    """Return the windows of a config, yet to be placed."""
    names = [draft.name for draft in drafts]
    found: dict[str, WindowDraft] = {}
    for where, table in _tables(document, "window", schema.WINDOWS_MAX, problems):
        asked = conform(table, schema.WINDOW, where, problems)
        rights = _spelt_out(asked.get("rights", {}), names, f"{where}.rights", problems)
        if where in found:
            problems.add(where, "is there twice: windows are known by their names")
        found[where] = WindowDraft(where=where, asked=asked, rights=rights)
    return list(found.values())


def _tables(document: Table, name: str, most: int, problems: Problems) -> Iterator[tuple[str, object]]:
    """Yield each table of an array of tables with its key: by name if it has one, else by its place."""
    tables = document.get(name, [])
    if not isinstance(tables, list) or len(tables) > most:
        count = len(tables) if isinstance(tables, list) else units.shown(tables)
        problems.add(name, f"is {count} tables [[{name}]], not up to {most}")
        return
    for index, table in enumerate(tables):
        named = table.get("name") if isinstance(table, dict) else None
        known = isinstance(named, str) and values.NAME.fullmatch(named)
        yield (f"{name}.{named}" if known else f"{name}[{index}]"), table


def _spelt_out(asked: Table, names: Sequence[str], where: str, problems: Problems) -> dict[str, Rights]:
    """Return rights by kernel, in the kernels' order."""
    rights: dict[str, Rights] = {}
    for name, letters in asked.items():
        _known(name, names, where, problems)
        with problems.at(f"{where}.{units.shown(name)[1:-1]}"):
            rights[name] = units.rights(letters)
    others = rights.get(EVERYBODY, Rights.NONE)
    spelt = {name: rights.get(name, others) for name in names}
    return {name: granted for name, granted in spelt.items() if granted}


def _known(name: str, names: Sequence[str], where: str, problems: Problems) -> bool:
    if name in names or name == EVERYBODY:
        return True
    problems.add(where, f"names {units.shown(name)}, which is no kernel{values.nearest(name, names)}")
    return False


def windows(drafts: Iterable[WindowDraft]) -> tuple[Window, ...]:
    """Return the windows that got a place."""
    return tuple(
        Window(
            name=draft.asked.get("name", draft.where),
            span=draft.span,
            rights=draft.rights,
            watch=draft.asked.get("watch", False),
        )
        for draft in drafts
        if draft.span is not None
    )


def doorbells(document: Table, drafts: Drafts, problems: Problems) -> tuple[Doorbell, ...]:
    """Return one doorbell for every pair of a sender and a receiver that the config names."""
    names = [draft.name for draft in drafts]
    found: list[Doorbell] = []
    for where, table in _tables(document, "doorbell", DOORBELLS_MAX, problems):
        asked = conform(table, schema.DOORBELL, where, problems)
        found += _pairs(asked, names, where, problems)
        if len(found) > DOORBELLS_MAX:
            problems.add(where, f"makes more than {DOORBELLS_MAX} doorbells, one for each pair of kernels")
            break
    return tuple(found)


def wires(document: Table, problems: Problems) -> tuple[Wire, ...]:
    """Return the wires of a config; what they are plugged into is not looked at yet."""
    found = []
    for where, table in _tables(document, "wire", schema.WIRES_MAX, problems):
        asked = conform(table, schema.WIRE, where, problems)
        if "between" in asked:
            found.append(Wire(asked["between"]))
    return tuple(found)


def devices(document: Table, folder: Path, problems: Problems) -> tuple[Device, ...]:
    """Return the devices of a config; who has no slot yet gets the first that is free at its owner's."""
    found: list[Device] = []
    tables = [
        (where, conform(table, schema.DEVICE, where, problems))
        for where, table in _tables(document, "device", schema.DEVICES_MAX, problems)
    ]
    named = {(asked.get(whose), asked.get("slot")) for _, asked in tables for whose in ("owner", "heir")}
    for where, asked in tables:
        if set(schema.DEVICE) <= set(asked):
            taken = named | {(owner, device.slot) for device in found for owner in device.owners}
            slot = asked["slot"] or _free_slot((asked["owner"], asked["heir"]), taken)
            plain = {key: value for key, value in asked.items() if key not in OF_NICS}
            more = _contents(asked, folder, where, problems) | _of_nics(asked, where, problems)
            found.append(Device(**plain | {"slot": slot} | more))
    return tuple(found)


OF_NICS = ("network", "mac", "queues")
"""Keys of a device that only a network device has."""


def _of_nics(asked: Table, where: str, problems: Problems) -> Table:
    """Return what was said of a network device."""
    given = {key: asked[key] for key in OF_NICS if asked[key] is not None}
    if given and asked["kind"] is not Kind.NIC:
        problems.add(f"{where}.{next(iter(given))}", "is for network devices")
    return given


def _free_slot(owners: Iterable[str], taken: Set[tuple[object, object]]) -> int:
    """Return the first slot that is free on the segments of all owners."""
    owners = tuple(owners)
    return next(slot for slot in count(1) if not any((owner, slot) in taken for owner in owners))


def _contents(asked: Table, folder: Path, where: str, problems: Problems) -> Table:
    """Return path and size of a disk's file."""
    if asked["kind"] is not Kind.DISK or asked["file"] is None:
        return {}  # which is wrong for a file that is no disk's, and for a disk without: `misplaced` tells
    path, size = folder / asked["file"], 0
    with problems.at(f"{where}.file"):
        size = _disk_size(path, writable=asked["writes"] is Writes.KEPT)
    return {"file": path, "size": size}


def _disk_size(path: Path, *, writable: bool) -> int:
    """Return the size of a disk's file; FileError where it cannot be one."""
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no regular file")  # which might never open
    try:
        with path.open("r+b" if writable else "rb") as file:
            size = file.seek(0, SEEK_END)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if not 0 < size <= DISK_MAX or size % SECTOR:
        raise FileError(f"{path} has {size:#x} bytes, not sectors of {SECTOR:#x}, up to {DISK_MAX:#x}")
    return size


def _pairs(asked: Table, names: Sequence[str], where: str, problems: Problems) -> Iterator[Doorbell]:
    ends = ("from", "to")
    senders, receivers = (_everyone(asked.get(end, ()), names, f"{where}.{end}", problems) for end in ends)
    pairs = [(sender, receiver) for sender, receiver in product(senders, receivers) if sender != receiver]
    if senders and receivers and not pairs:
        problems.add(where, f"is from {senders[0]} to itself: a kernel needs no doorbell for its own cores")
    message = asked.get("vector", Signal.NONE)
    vectors, signals = (range(0), message) if isinstance(message, Signal) else (message, Signal.NONE)
    for sender, receiver in pairs:
        yield Doorbell(sender=sender, receiver=receiver, vectors=vectors, signals=signals)


def _everyone(asked: Iterable[str], names: Sequence[str], where: str, problems: Problems) -> list[str]:
    """Return the kernels meant by some names, each once, in the kernels' order."""
    meant = {name for name in asked if _known(name, names, where, problems)}
    return [name for name in names if name in meant or EVERYBODY in meant]
