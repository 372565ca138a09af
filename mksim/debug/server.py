"""The gdb server: one client at a time, over TCP on this host or a Unix socket.

While the machine runs, the client is listened to every some tens of milliseconds. A client that vanishes
leaves the machine standing where it is, without breakpoints, for the next one.
"""

import select
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mksim.debug.control import Debugger, Stop, Why
from mksim.debug.history import History
from mksim.debug.inferiors import Inferiors
from mksim.debug.packets import Framer, Interrupt, Packet, Refused, frame
from mksim.debug.protocol import Protocol
from mksim.errors import FileError
from mksim.machine.kernel import State
from mksim.machine.machine import Machine, Outcome

_HOST = "127.0.0.1"
_PATIENCE = 0.2
"""Seconds between two looks at whether Ctrl-C was pressed."""
_BATCH = 1 << 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a client finds us: a port of this host's, 0 for any, or a Unix socket."""

    port: int = 0
    path: Path | None = None

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else f"{_HOST}:{self.port}"

    @property
    def remote(self) -> str:
        """The same for gdb's `target`."""
        return str(self.path.resolve()) if self.path is not None else str(self)


_COMMANDS = """\
# Attaches gdb to all kernels of {config} at once: each is an inferior, each core a thread.
set schedule-multiple on

define step-ipi
  monitor step-ipi
  continue
end
document step-ipi
Run from this core's next IPI to the first instruction of the handler, in whichever kernel that is.
end
define linux-symbols
  add-symbol-file target:/symbols/$arg0
end
document linux-symbols
Read the symbols that a Linux has of itself: linux-symbols KERNEL, once it has unpacked itself.
end
target extended-remote {address}
{again}"""
_AGAIN = """\
inferior {number}
unset tdesc filename
"""
"""gdb asks for the registers' names only in the inferior that has attached."""


def serve(
    machine: Machine,
    where: int | Path,
    commands: Path | None,
    wait: bool,
    until: int,
    instructions: int,
    update: Callable[[], None],
) -> Outcome:
    """Run a machine under a gdb server; tell on standard error how to attach."""
    wanted = Address(path=where) if isinstance(where, Path) else Address(where)
    listener, address = listen(wanted)
    with tempfile.TemporaryDirectory(prefix="mksim-") as name:
        commands = commands or Path(name) / "commands.gdb"
        again = "".join(_AGAIN.format(number=pid) for pid in reversed(Inferiors(machine).pids()))
        text = _COMMANDS.format(config=machine.layout.path, address=address.remote, again=again)
        try:
            commands.write_text(text)
        except OSError as error:
            raise FileError(f"{commands}: {error.strerror}") from error
        print(f"mksim: gdb may attach at {address}: gdb -x {commands}", file=sys.stderr, flush=True)
        try:
            return Server(machine, listener, wait=wait).serve(until, instructions, update)
        finally:
            if address.path is not None:
                address.path.unlink(missing_ok=True)


def listen(address: Address) -> tuple[socket.socket, Address]:
    """Return a socket that waits for clients there, and where that is; FileError if that cannot be."""
    try:
        if address.path is not None:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(address.path))
        else:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HOST, address.port))
            address = Address(listener.getsockname()[1])
        listener.listen(1)
    except OSError as error:
        raise FileError(f"{address}: {error.strerror or error}") from error
    return listener, address


class Server:
    """Runs a machine as its clients ask, until it ends or one of them kills it."""

    def __init__(self, machine: Machine, listener: socket.socket, *, wait: bool) -> None:
        self._machine = machine
        self._debugger = Debugger(machine)
        self._history = History(self._debugger)
        self._listener = listener
        self._client: socket.socket | None = None
        self._framer, self._protocol = Framer(), Protocol(self._debugger, self._history)
        self._free = not wait
        """Whether the machine runs although nobody asks for it."""

    def serve(self, until: int, instructions: int, update: Callable[[], None]) -> Outcome:
        """Run the machine to its end, its limit where nobody holds it, or until it is killed."""
        try:
            while not self._protocol.killed and not self._machine.stopping:
                self._listen(0 if self._runs else _PATIENCE)
                if self._runs and (outcome := self._run(until, instructions)) is not None:
                    return outcome
                update()
            return Outcome.INTERRUPTED
        finally:
            self._hang_up()
            self._listener.close()

    @property
    def _runs(self) -> bool:
        return self._free or self._protocol.running

    def _run(self, until: int, instructions: int) -> Outcome | None:
        if not self._free:
            self._history.note()
        stop = self._debugger.run(until=until, instructions=instructions)
        if stop is None:
            interrupted = self._debugger.outcome is Outcome.INTERRUPTED
            return Outcome.INTERRUPTED if interrupted else None
        over = all(life.state is State.ENDED for life in self._machine.lives)
        if self._free:
            return self._debugger.outcome if stop.why is Why.OVER else None
        self._report(stop)
        told = len(self._debugger.told) == len(self._machine.lives)
        return Outcome.ENDED if over and told else None

    def _report(self, stop: Stop) -> None:
        if remark := self._protocol.remark(stop):
            self._tell(remark)
        answer = self._protocol.stopped(stop)
        if answer is not None:
            self._send(answer)

    def _tell(self, text: str) -> None:
        """Have the client print something; only while it waits for the machine."""
        self._send(b"O" + text.encode().hex().encode())

    # --- the line ---

    def _listen(self, patience: float) -> None:
        sockets = [self._listener] if self._client is None else [self._client]
        ready, _, _ = select.select(sockets, [], [], patience)
        if self._listener in ready:
            self._welcome()
        elif ready:
            self._receive()

    def _welcome(self) -> None:
        self._client, _ = self._listener.accept()
        if self._client.family == socket.AF_INET:
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer, self._protocol = Framer(), Protocol(self._debugger, self._history)
        self._free = False

    def _receive(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(_BATCH)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        for event in self._framer.feed(data):
            self._answer(event)

    def _answer(self, event: Packet | Interrupt | Refused) -> None:
        if isinstance(event, Interrupt):
            if self._protocol.running:
                self._report(Stop(Why.INTERRUPTED, self._debugger.core))
            return
        if self._protocol.acknowledges:
            self._transmit(b"-" if isinstance(event, Refused) else b"+")
        if isinstance(event, Refused) or self._protocol.running:
            return  # a packet while the machine runs is out of order
        answer = self._protocol.answer(event.data)
        self._framer.check = self._protocol.acknowledges
        if answer is not None:
            self._send(answer)
        if self._protocol.detached or self._protocol.killed:
            self._let_go()

    def _let_go(self) -> None:
        """The client wants no more of the machine: it runs on by itself, unless it was killed."""
        self._free = not self._protocol.killed
        self._debugger.clear_all()
        self._debugger.free()

    def _send(self, data: bytes) -> None:
        self._transmit(frame(data))

    def _transmit(self, data: bytes) -> None:
        if self._client is None:
            return
        try:
            self._client.sendall(data)
        except OSError:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._debugger.clear_all()
            self._debugger.free()
            self._protocol.running = False
