"""Which messages an event of a core's is the arrival of: arrows in a trace have two ends."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import count

import numpy as np

from mksim.engine.tracing import INTERRUPTED, WOKE
from mksim.spec.apic import EXTINT, FIXED, INIT, LOWEST_PRIORITY, NMI, SIPI

_NMI_VECTOR = 2
_STARTERS = (INIT, SIPI)
"""They are noticed when a core wakes; a SIPI that follows no INIT is ignored, as the second one often is."""
_MOST = 1024
"""Messages to a core that it has not noticed; older ones are taken for lost: masked, or one with others."""


@dataclass(frozen=True, slots=True)
class _Message:
    number: int
    due: int
    mode: int
    vector: int

    def noticed(self, kind: int, value: int) -> bool:
        """Tell whether an event of that kind shows that it has arrived."""
        if kind == WOKE:
            return self.mode in _STARTERS
        if self.mode == NMI:
            return value == _NMI_VECTOR
        return self.mode == EXTINT or (self.mode in (FIXED, LOWEST_PRIORITY) and self.vector == value)


class Arrows:
    """The messages in flight of a trace."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._flying: dict[int, list[_Message]] = defaultdict(list)

    def sent(self, event: np.void) -> int:
        """Return the number of a message that was sent."""
        number = next(self._numbers)
        flying = self._flying[int(event["other"])]
        flying.append(_Message(number, int(event["until"]), int(event["mode"]), int(event["value"])))
        del flying[:-_MOST]
        return number

    def landed(self, event: np.void) -> list[int]:
        """Return the numbers of the messages whose arrival at its core an event shows."""
        kind, when, value = int(event["kind"]), int(event["when"]), int(event["value"])
        if kind not in (WOKE, INTERRUPTED):
            return []
        flying = self._flying[int(event["core"])]
        found = [one for one in flying if one.due <= when and one.noticed(kind, value)]
        for one in found:
            flying.remove(one)
        ignored = kind == WOKE and not any(one.mode == INIT for one in found)
        return [] if ignored else [one.number for one in found]
