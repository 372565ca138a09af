"""A client of the gdb protocol without a socket: packets go in, and the machine runs until it answers."""

from functools import cache

from mksim.debug.control import Debugger, Stop, Why
from mksim.debug.history import History
from mksim.debug.protocol import Protocol
from mksim.debug.target import BASIC
from mksim.machine.config import Layout
from mksim.machine.machine import Machine
from tests.guest.booting import scenario_layout

TURNS = 2000


class Client:
    """Talks about a machine of its own, which stands at its reset vector."""

    def __init__(self, what: str | Layout = "pingpong") -> None:
        self.machine = Machine(scenario_layout(what) if isinstance(what, str) else what)
        self.debugger = Debugger(self.machine)
        self.history = History(self.debugger)
        self.history.note()
        self.protocol = Protocol(self.debugger, self.history)

    def ask(self, packet: bytes) -> bytes:
        """Send a packet; return its answer, the stop reply if it made the machine run."""
        answer = self.protocol.answer(packet)
        if self.protocol.running:
            answer = self.wait()
        assert answer is not None
        return answer

    def wait(self) -> bytes:
        for _ in range(TURNS):
            stop = self.debugger.run()
            answer = None if stop is None else self.protocol.stopped(stop)
            if answer is not None:
                return answer
        raise AssertionError("the machine does not stop")

    def command(self, text: str) -> str:
        return bytes.fromhex(self.ask(b"qRcmd," + text.encode().hex().encode()).decode()).decode()

    def monitor_caught(self) -> str:
        return self.protocol.remark(Stop(Why.CAUGHT, self.debugger.core))

    def register(self, name: str) -> int:
        digits, at = self.ask(b"g").decode(), 0
        for register in BASIC:
            if register.name == name:
                return int.from_bytes(bytes.fromhex(digits[at : at + 2 * register.size]), "little")
            at += 2 * register.size
        raise KeyError(name)

    def finish(self) -> str:
        """Let go, run to the end, and return the digest."""
        assert self.ask(b"D") == b"OK"
        self.debugger.free()
        for _ in range(TURNS):
            self.debugger.run()
            if self.debugger.outcome.name == "ENDED":
                return self.machine.digest()
        raise AssertionError("the machine does not end")


@cache
def undisturbed(scenario: str = "pingpong") -> str:
    machine = Machine(scenario_layout(scenario))
    machine.run()
    return machine.digest()
