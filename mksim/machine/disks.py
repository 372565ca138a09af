"""The contents of disks: files, read into memory or shared with the host."""

from mmap import mmap

import numpy as np

from mksim.engine.board import Board
from mksim.machine.config import Layout
from mksim.machine.devices import Device, Kind, Writes
from mksim.spec.virtio import SECTOR


def plug_disks(board: Board, layout: Layout) -> None:
    """Put the contents of disks where they are read and written."""
    free = 0
    for unit, device in enumerate(layout.devices):
        if device.kind is Kind.DISK:
            contents = _contents(device, board.disk_bytes[free:])
            board.contents.append(contents)
            free += 0 if device.writes is Writes.KEPT else device.size
            block = board.blocks[unit]
            block["sectors"], block["contents"] = device.size // SECTOR, contents.ctypes.data
            block["read_only"], block["kept"] = device.writes is Writes.REFUSED, device.writes is Writes.KEPT


def _contents(device: Device, room: np.ndarray) -> np.ndarray:
    """Return a disk's bytes: those of its file, or in `room` a copy of them."""
    assert device.file is not None  # misplaced() has seen to it
    if device.writes is Writes.KEPT:
        with device.file.open("r+b") as file:
            return np.frombuffer(mmap(file.fileno(), device.size), np.uint8)
    copy = room[: device.size]
    copy[:] = np.fromfile(device.file, np.uint8, device.size)
    return copy


def forgotten(layout: Layout) -> int:
    """Return how many bytes of disks are not shared with their files."""
    return sum(device.size for device in layout.devices if device.writes is not Writes.KEPT)
