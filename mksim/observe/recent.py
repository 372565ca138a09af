"""The newest events of a machine, kept for whoever asks afterwards."""

from collections import deque

import numpy as np

from mksim.engine.tracing import EVENT
from mksim.machine.machine import Machine


class Recent:
    """Keeps the newest events from now on, at least `most` of them if there are so many."""

    def __init__(self, machine: Machine, most: int) -> None:
        self._most = most
        self._parts: deque[np.ndarray] = deque()
        self._held = 0
        self.seen = 0
        """How many there were."""
        machine.trace(self._take)

    def _take(self, events: np.ndarray) -> None:
        self._parts.append(events)
        self._held += len(events)
        self.seen += len(events)
        while self._held - len(self._parts[0]) >= self._most:
            self._held -= len(self._parts.popleft())

    def events(self) -> np.ndarray:
        """Return them as EVENT records, oldest first; a copy."""
        return np.concatenate([np.zeros(0, EVENT), *self._parts])[-self._most :]

    def put_back(self, events: np.ndarray, seen: int) -> None:
        """Hold these, and no others."""
        self._parts, self._held, self.seen = deque([events]), len(events), seen
