"""The server at its socket: clients that come, go, vanish, interrupt and talk nonsense."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mksim.debug.packets import Framer, Packet, frame
from tests.debug.gdb import wait_for
from tests.debug.talking import undisturbed
from tests.debug.test_protocol import RING
from tests.guest.booting import BUILT, ROOT

PATIENCE = 60


class Line:
    """A client's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.framer, self.packets = Framer(), []

    def send(self, packet: bytes) -> None:
        self.socket.sendall(frame(packet))

    def receive(self) -> bytes:
        while not self.packets:
            data = self.socket.recv(4096)
            assert data, "the server has hung up"
            self.packets += [event.data for event in self.framer.feed(data) if isinstance(event, Packet)]
        return self.packets.pop(0)

    def ask(self, packet: bytes) -> bytes:
        self.send(packet)
        return self.receive()


class Run:
    """mksim under test, and where it listens."""

    def __init__(self, into: Path, *arguments: str) -> None:
        self.path, self.script = into / "gdb.socket", into / "commands.gdb"
        where = [f"--gdb=unix:{self.path}", f"--gdbinit={self.script}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mksim", *arguments, *where],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def connect(self) -> Line:
        wait_for(self.script, self.process)
        return Line(self.path)

    def finish(self) -> tuple[int, str]:
        shown, _ = self.process.communicate(timeout=PATIENCE)
        match = re.search(r"digest +(\w+)", shown)
        return self.process.returncode, match[1] if match else ""


@contextmanager
def run(*arguments: object) -> Iterator[Run]:
    running = Run(*arguments)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        running.process.kill()


PINGPONG = ("debug", "kernels/pingpong/config.toml")


def long_run(into: Path) -> Path:
    text = (ROOT / "kernels" / "pingpong" / "config.toml").read_text()
    config = into / "long.toml"
    config.write_text(text.replace("count=1000", "count=5000000").replace("../../build/kernels", str(BUILT)))
    return config


def test_a_client_that_vanishes_leaves_the_machine_standing_for_the_next(tmp_path: Path) -> None:
    with run(tmp_path, *PINGPONG) as machine:
        first = machine.connect()
        assert first.ask(b"Z0,%x,1" % RING) == b"OK"
        assert first.ask(b"vCont;c") == b"T05thread:p1.1;swbreak:;"
        registers = first.ask(b"g")
        first.send(b"vCont;c")
        first.socket.close()
        second = machine.connect()
        assert second.ask(b"?").startswith(b"T05thread:p")
        assert second.ask(b"Hgp1.1") == b"OK"
        assert len(second.ask(b"g")) == len(registers)
        assert second.ask(b"D") == b"OK"
        assert machine.finish() == (0, undisturbed())


def test_nonsense_on_the_line_is_passed_over(tmp_path: Path) -> None:
    with run(tmp_path, *PINGPONG) as machine:
        line = machine.connect()
        line.socket.sendall(b"\x00\xff++$$$#00garbage#zz\x03$g#00")
        assert line.ask(b"qC") == b"QCp1.1"  # what was refused was answered by a minus
        line.socket.sendall(frame(b"vCont;s:p9.9") + frame(b"m") + frame(b"\xff"))
        assert [line.receive() for _ in range(3)] == [b"E03", b"E16", b""]
        line.socket.close()
        assert machine.connect().ask(b"k") == b"X09"
        assert machine.finish()[0] == 1


def test_ctrl_c_stops_a_machine_that_runs_and_it_can_go_on(tmp_path: Path) -> None:
    with run(tmp_path, "debug", long_run(tmp_path)) as machine:
        line = machine.connect()
        for _ in range(3):
            line.send(b"vCont;c")
            time.sleep(0.2)
            line.socket.sendall(b"\x03")
            assert line.receive().startswith(b"T02thread:p")
            assert line.ask(b"vCont;s:p1.1;c") == b"T05thread:p1.1;"
        assert line.ask(b"k") == b"X09"
        assert machine.finish()[0] == 1


def test_a_machine_that_runs_can_be_attached_to_left_and_attached_to_again(tmp_path: Path) -> None:
    with run(tmp_path, "boot", long_run(tmp_path)) as machine:
        for _ in range(2):
            line = machine.connect()
            assert line.ask(b"?").startswith(b"T05thread:p")
            line.ask(b"Hgp1.1")
            line.ask(b"Z0,%x,1" % RING)
            assert line.ask(b"c") == b"T05thread:p1.1;swbreak:;"
            assert line.ask(b"D;1") == b"OK"
            assert line.ask(b"D;2") == b"OK"
            line.socket.close()
        assert machine.connect().ask(b"k") == b"X09"
        assert machine.finish()[0] == 1


@pytest.mark.parametrize("where", ["x", "70000", "unix:", "-1"])
def test_an_address_that_is_none_is_refused(where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mksim", *PINGPONG, f"--gdb={where}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "neither a port nor unix:PATH" in done.stderr


def test_a_place_that_is_taken_is_said(tmp_path: Path) -> None:
    (tmp_path / "gdb.socket").touch()
    with run(tmp_path, *PINGPONG) as machine:
        assert machine.finish()[0] == 2
