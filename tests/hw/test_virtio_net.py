"""A network device and its switch: what it says of itself, frames in flight, who is learnt to be where."""

import numpy as np
import pytest

from mksim.clock.time import NEVER
from mksim.hw import virtio_net
from mksim.hw.virtio_net import FRAME, NIC, STATION

MAC = bytes.fromhex("02aabbccddee")


def fresh(pairs=1):
    record = np.zeros(1, NIC)[0]
    record["mac"], record["network"], record["offers"] = list(MAC), 1, pairs
    virtio_net.power_up(record)
    return record


def frame(length=72, to=b"\x02\0\0\0\0\2", source=b"\x02\0\0\0\0\1", ports=(1, 2)):
    made = np.zeros(1, FRAME)[0]
    ip = b"\x45" + bytes(8) + b"\x06" + bytes(2) + b"\x0a\0\0\1\x0a\0\0\2"
    data = bytes(12) + to + source + b"\x08\0" + ip + b"".join(port.to_bytes(2, "big") for port in ports)
    made["data"][: len(data)], made["length"] = list(data), length
    return made


def test_what_a_driver_reads():
    n = fresh(pairs=3)
    assert int(virtio_net.read_config(n, 0, 4)).to_bytes(4, "little") == MAC[:4]
    assert [int(virtio_net.read_config(n, at, 2)) for at in (4, 6, 8, 10)] == [0xEEDD, 1, 3, 0]


@pytest.mark.parametrize(
    ("pairs", "queues", "offered"), [(1, 2, 0x10020), (2, 5, 0x430020), (4, 9, 0x430020)]
)
def test_several_pairs_come_with_a_control_queue(pairs, queues, offered):
    n = fresh(pairs)
    assert (int(virtio_net.queues(n)), int(virtio_net.features(n))) == (queues, offered)


@pytest.mark.parametrize(
    ("command", "size", "answer", "pairs"),
    [
        ((4, 0, 2, 0), 4, 0, 2),
        ((4, 0, 4, 0), 4, 1, 1),
        ((4, 0, 0, 0), 4, 1, 1),
        ((4, 0, 2, 0), 3, 1, 1),
        ((0, 0, 1, 0), 4, 1, 1),
    ],
)
def test_the_driver_chooses_how_many_pairs_it_uses(command, size, answer, pairs):
    n = fresh(pairs=3)
    n["control"] = command
    assert (int(virtio_net.control(n, size)), int(n["pairs"])) == (answer, pairs)


def test_frames_arrive_one_behind_the_other_and_too_many_are_lost():
    n, frames = fresh(), np.zeros(256, FRAME)
    assert n["arrives"] == NEVER
    sent = [virtio_net.carry(n, frames, frame(length=60 + number), 7, 1000, 100) for number in range(257)]
    assert sent == [True] * 256 + [False]
    assert (int(n["crowded"]), int(n["arrives"])) == (1, 1100)
    for number in range(256):
        first = frames[virtio_net.next_frame(n)]
        assert (int(first["arrives"]), int(first["length"])) == (1100 + 100 * number, 60 + number)
        virtio_net.land(n, frames)
    assert n["arrives"] == NEVER
    assert virtio_net.carry(n, frames, frame(), 7, 5000, 100)
    assert n["arrives"] == 27 * 1000 - 300


def test_a_flow_comes_back_by_the_queue_it_was_sent_by():
    n = fresh(pairs=4)
    n["pairs"] = 4
    there = frame(ports=(1025, 80))
    back = frame(to=b"\x02\0\0\0\0\1", source=b"\x02\0\0\0\0\2", ports=(80, 1025))
    n["flows"][virtio_net.flow(there["data"], there["length"])] = 3
    assert virtio_net.pair_of(n, back) == 3
    assert virtio_net.pair_of(n, frame(ports=(1025, 81))) == 0
    n["pairs"] = 2
    assert virtio_net.pair_of(n, back) == 0


def test_a_switch_learns_who_is_where_in_each_network():
    stations = np.zeros(256, STATION)
    one, other = (int(virtio_net.address(frame()["data"], at)) for at in (0, 6))
    assert (one, other) == (0x020000000002, 0x020000000001)
    assert virtio_net.port_of(stations, 1, one) == -1
    virtio_net.learn(stations, 1, one, 5)
    virtio_net.learn(stations, 2, one, 0)
    assert [int(virtio_net.port_of(stations, network, one)) for network in (1, 2, 3)] == [5, 0, -1]
    assert virtio_net.port_of(stations, 1, other) == -1


def test_a_frame_for_several():
    assert virtio_net.is_group(frame(to=b"\xff" * 6)["data"])
    assert not virtio_net.is_group(frame()["data"])
