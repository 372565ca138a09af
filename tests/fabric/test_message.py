"""The queue of messages in flight."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mksim.fabric.message import MESSAGE, STATE, drop, peek, push
from mksim.fabric.ownership import NOBODY

LAW = settings(deadline=None, derandomize=True)  # the first call may compile
NEVER = 1 << 62
FIXED, NMI = 0, 4


class Queue:
    def __init__(self, size: int = 8) -> None:
        self.heap, self.state = np.zeros(size, MESSAGE), np.zeros(1, STATE)[0]

    def push(self, when: int, vector: int = 0, priority: int = 0) -> bool:
        return bool(push(self.heap, self.state, when, 1, 2, FIXED, vector, 0, NOBODY, priority))

    def pop(self) -> np.void | None:
        if self.state["count"] == 0:
            return None
        first: np.void = self.heap[0].copy()
        drop(self.heap, self.state)
        return first

    def peek(self) -> int:
        return int(peek(self.heap, self.state, NEVER))

    def drain(self) -> list[int]:
        return [int(message["vector"]) for message in iter(self.pop, None)]


def test_an_empty_queue_has_nothing() -> None:
    queue = Queue()
    assert queue.peek() == NEVER
    assert queue.pop() is None


def test_a_message_arrives_as_it_was_sent() -> None:
    queue = Queue()
    assert push(queue.heap, queue.state, 1 << 61, 63, 7, NMI, 0xFF, 1, 5, 9)
    assert queue.peek() == 1 << 61
    message = queue.pop()
    assert message is not None
    fields = ("when", "serial", "sender", "target", "mode", "vector", "level", "source", "priority")
    assert [message[field] for field in fields] == [1 << 61, 0, 63, 7, NMI, 0xFF, 1, 5, 9]


def test_source_and_priority_may_be_left_out() -> None:
    queue = Queue()
    push(queue.heap, queue.state, 5, 1, 2, FIXED, 0x40, 0)
    message = queue.pop()
    assert message is not None
    assert (message["source"], message["priority"]) == (NOBODY, 0)


def test_time_comes_before_priority_before_order_of_sending() -> None:
    queue = Queue()
    queue.push(9, vector=1)
    queue.push(5, vector=2, priority=1)
    queue.push(5, vector=3)
    queue.push(5, vector=4, priority=1)
    queue.push(5, vector=5)
    assert queue.drain() == [3, 5, 2, 4, 1]


def test_init_and_sipi_sent_together_stay_in_order() -> None:
    queue = Queue(64)
    for vector in range(64):
        queue.push(7, vector)
    assert queue.drain() == list(range(64))


def test_a_full_queue_refuses_and_keeps_what_it_has() -> None:
    queue = Queue(3)
    assert all(queue.push(when, when) for when in (3, 1, 2))
    before = queue.heap.copy()
    assert not queue.push(0, 99)
    assert (queue.heap == before).all()
    assert queue.state["serial"] == 3
    assert queue.drain() == [1, 2, 3]
    assert queue.push(0, 99)


steps = st.lists(st.none() | st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=120)


@LAW
@given(steps)
def test_it_is_a_sorted_list(program: list[tuple[int, int] | None]) -> None:
    """None pops, a pair pushes at (when, priority)."""
    queue, model, serial = Queue(16), [], 0
    for step in program:
        if step is None:
            got, expected = queue.pop(), min(model, default=None)
            assert (got is None) == (expected is None)
            if got is not None:
                model.remove(expected)
                assert (got["when"], got["priority"], got["serial"]) == expected
        else:
            accepted = queue.push(step[0], priority=step[1])
            assert accepted == (len(model) < 16)
            if accepted:
                model.append((*step, serial))
                serial += 1
        assert queue.peek() == min(model, default=(NEVER,))[0]
        assert queue.state["count"] == len(model)
