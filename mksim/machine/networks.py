"""Which devices hang on one switch, and which share a window."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from mksim.engine.board import Board
from mksim.machine.config import Layout
from mksim.machine.devices import Device, Kind
from mksim.spec.virtio_net import IN_FLIGHT


def plug_networks(board: Board, layout: Layout) -> None:
    """Plug every network device into the switch of its network."""
    numbers = networks(layout.devices)
    for order, (unit, device) in enumerate(network_devices(layout.devices)):
        nic = board.nics[unit]
        nic["mac"] = np.frombuffer(device.address, np.uint8)
        nic["network"], nic["offers"] = numbers[device.network], device.queues
        nic["frames"] = order * IN_FLIGHT


def plug_links(board: Board, layout: Layout) -> None:
    """Let ivshmem devices that share a window know each other: they are numbered in the config's order."""
    spans = {window.name: window.span for window in layout.windows}
    for number, name in enumerate(spans, 1):
        units = [unit for unit, device in enumerate(layout.devices) if device.window == name]
        for peer, unit in enumerate(units):
            link = board.ivshmems[unit]
            link["link"], link["id"], link["peers"] = number, peer, max(len(units), 2)
            link["table"] = spans[name].base


def network_devices(devices: Iterable[Device]) -> Iterator[tuple[int, Device]]:
    """Yield the number of each network device among all devices, and itself."""
    yield from ((unit, device) for unit, device in enumerate(devices) if device.kind is Kind.NIC)


def networks(devices: Iterable[Device]) -> Mapping[str, int]:
    """Return the number of each network, from 1 on, by its name."""
    names = dict.fromkeys(device.network for _, device in network_devices(devices))
    return {name: number for number, name in enumerate(names, 1)}
