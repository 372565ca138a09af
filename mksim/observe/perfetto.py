"""Traces in Perfetto's own form: TrackEvent packets, which the Perfetto UI opens and its SQL queries.

A process per kernel; in it a thread per core, a track for what its chips send one for each of its devices,
and counters. A message is an instant at its sender, and an arrow to where the addressee takes it. Numbers of
fields are those of protos/perfetto/trace/{trace_packet,track_event/*}.proto.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from mksim.fabric.ledger import Act
from mksim.machine.machine import Machine
from mksim.machine.names import MODES, device_name, owner_name
from mksim.observe.protobuf import data, fixed64, number, text
from mksim.observe.tracks import FIRST_THREAD, Tracks

# Trace, TracePacket
_PACKET, _TIMESTAMP, _SEQUENCE, _TRACK_EVENT, _TRACK_DESCRIPTOR = 1, 8, 10, 11, 60
# TrackDescriptor
_UUID, _NAME, _PROCESS, _THREAD, _PARENT, _COUNTER = 1, 2, 3, 4, 5, 8
# ProcessDescriptor, ThreadDescriptor
_PID, _PROCESS_NAME, _TID, _THREAD_NAME = 1, 6, 2, 5
# TrackEvent, and its types
_ANNOTATION, _TYPE, _TRACK, _CATEGORY, _EVENT_NAME, _VALUE, _FLOW, _FLOW_END = 4, 9, 11, 22, 23, 30, 47, 48
_BEGIN, _END, _INSTANT, _COUNT = 1, 2, 3, 4
# DebugAnnotation
_KEY, _BOOL, _UINT, _STRING, _POINTER = 10, 2, 3, 6, 7

_DMA = (Act.DMA_READ, Act.DMA_WRITE)


class Perfetto(Tracks):
    """Writes one file."""

    def __init__(self, machine: Machine, stream: BinaryIO) -> None:
        super().__init__(machine)
        self._stream = stream
        self._tracks: dict[tuple[object, ...], int] = {}
        self._counts: dict[int, int] = defaultdict(int)
        for core in range(len(self._homes)):
            self._core(core)
        for core in self._awake():
            self._wake(core, machine.now, [])

    def finish(self) -> None:
        """Close what is open, and tell how kernels ended."""
        for core in sorted(self._running):
            self._close(core, self._machine.now)
        for core, when, name in self._ends():
            self._event(_INSTANT, self._core(core), when, name, "end")

    # --- tracks ---

    def _track(self, key: tuple[object, ...], body: bytes) -> int:
        """Return a track's number; describe it when it is new."""
        if key not in self._tracks:
            self._tracks[key] = len(self._tracks) + 1
            self._packet(data(_TRACK_DESCRIPTOR, number(_UUID, self._tracks[key]) + body))
        return self._tracks[key]

    def _process(self, core: int) -> int:
        """Return the track of a core's kernel."""
        home = self._homes[core]
        about = number(_PID, self._pid(core)) + text(_PROCESS_NAME, owner_name(self._machine, home))
        return self._track(("process", home), data(_PROCESS, about))

    def _core(self, core: int) -> int:
        about = number(_PID, self._pid(core)) + number(_TID, FIRST_THREAD + core)
        thread = data(_THREAD, about + text(_THREAD_NAME, f"core {core}"))
        return self._track(("core", core), number(_PARENT, self._process(core)) + thread)

    def _part(self, core: int, name: str, kind: bytes = b"") -> int:
        """Return a track of a core's kernel for something else than a core."""
        about = text(_NAME, name) + number(_PARENT, self._process(core)) + kind
        return self._track((self._homes[core], name), about)

    # --- packets ---

    def _packet(self, body: bytes) -> None:
        self._stream.write(data(_PACKET, body + number(_SEQUENCE, 1)))

    def _event(
        self, kind: int, track: int, when: int, name: str = "", category: str = "", more: bytes = b""
    ) -> None:
        body = number(_TYPE, kind) + number(_TRACK, track) + more
        body += text(_EVENT_NAME, name) if name else b""
        body += text(_CATEGORY, category) if category else b""
        nanoseconds = self._machine.layout.nanoseconds(when)
        self._packet(number(_TIMESTAMP, nanoseconds) + data(_TRACK_EVENT, body))

    def _count(self, name: str, core: int, when: int) -> None:
        track = self._part(core, name, data(_COUNTER, b""))
        self._counts[track] += 1
        self._event(_COUNT, track, when, more=number(_VALUE, self._counts[track]))

    # --- events ---

    def _wake(self, core: int, when: int, arrows: Iterable[int]) -> None:
        if core not in self._running:
            self._running.add(core)
            self._event(_BEGIN, self._core(core), when, "run", "run", _ends(arrows))

    def _woke(self, event: np.void) -> None:
        self._wake(int(event["core"]), int(event["when"]), self._arrows.landed(event))

    def _close(self, core: int, when: int) -> None:
        self._event(_END, self._core(core), when)

    def _interrupted(self, event: np.void) -> None:
        name, arrows = f"interrupt {int(event['value']):#x}", self._arrows.landed(event)
        track = self._core(int(event["core"]))
        self._event(_INSTANT, track, int(event["when"]), name, "interrupt", _ends(arrows))

    def _message(self, event: np.void) -> None:
        sender, when = int(event["core"]), int(event["when"])
        mode, receiver = MODES[event["mode"]], int(event["other"])
        to = owner_name(self._machine, self._homes[receiver])
        about = _told("mode", mode) + _told("vector", int(event["value"])) + _told("to_core", receiver)
        track = self._core(sender) if event["flag"] else self._part(sender, "chips")
        arrow = fixed64(_FLOW, self._arrows.sent(event))
        name = f"{mode} {int(event['value']):#x} to {to}"
        self._event(_INSTANT, track, when, name, "message", arrow + about + _told("to_kernel", to))
        self._count("messages", sender, when)

    def _crossing(self, event: np.void) -> None:
        core, when, act = int(event["core"]), int(event["when"]), Act(event["mode"])
        source = int(event["until"]) & (1 << 64) - 1
        target = owner_name(self._machine, int(event["other"]))
        track, about = self._core(core), _told("rip", source, _POINTER)
        if act in _DMA:
            track, about = self._part(core, f"device {device_name(source)}"), b""
        about += _told("granted", int(event["flag"]), _BOOL) + _told("target", target)
        about += _told("where", int(event["value"]), _POINTER)
        name = f"{act.name.lower()} {int(event['value']):#x} of {target}"
        self._event(_INSTANT, track, when, name, "crossing" if event["flag"] else "violation", about)
        if not event["flag"]:
            self._count("violations", core, when)


def _ends(arrows: Iterable[int]) -> bytes:
    return b"".join(fixed64(_FLOW_END, arrow) for arrow in arrows)


def _told(key: str, value: int | str, kind: int = _UINT) -> bytes:
    told = text(_STRING, value) if isinstance(value, str) else number(kind, value)
    return data(_ANNOTATION, text(_KEY, key) + told)
