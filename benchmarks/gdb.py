"""What does it cost to be under gdb? Single steps over a socket, breakpoints not hit, a step back."""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import qemu
from benchmarks.clocks import now
from benchmarks.ours import finish, layout_of, started
from benchmarks.rows import OURS, Rates, Row, compare
from mksim.debug.control import Debugger
from mksim.debug.history import History
from mksim.debug.packets import Framer, Packet, frame

CONFIG, IMAGE = Path("kernels/bench/mixed.toml"), Path("build/kernels/bench/mixed.elf")
STEPS, ROUNDS, REPEATS = 3000, 3000, 3
BACK = 100_000_000
PEER = "QEMU's gdb stub"
UNUSED = 0xFFFF_FFFF_8020_0000
"""An address in the image that is run once, before the loop."""


def rows() -> list[Row]:
    return [
        compare("gdb: single steps", "1/s", steps(), PEER, None),
        Row(name="gdb: breakpoint not hit", value=slowdown(), unit="x", better="lower", goal=1.05),
        Row(name="gdb: a step back over 100M", value=time_back(), unit="s", better="lower", goal=1.0),
    ]


def steps() -> Rates:
    """Return single steps per second, a packet and a stop reply each, from the reset vector on."""
    rates: Rates = {OURS: []}
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "gdb.socket"
            ours = [sys.executable, "-m", "mksim", "debug", str(CONFIG), "--quiet", f"--gdb=unix:{path}"]
            rates[OURS].append(rate(ours, path, b"vCont;s:p1.1"))
        if qemu.installed():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "gdb.socket"
                where = f"unix:path={path},server=on,wait=off"
                theirs = [qemu.QEMU, *qemu.BOARD, "-S", "-gdb", where, "-kernel", str(IMAGE)]
                rates.setdefault(PEER, []).append(rate(theirs, path, b"vCont;s:p1.1"))
    return rates


def rate(command: list[str], path: Path, step: bytes) -> float:
    """Start a server, and step."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            line = connect(path)
            ask(line, b"qSupported:multiprocess+")
            ask(line, b"?")
            start = time.perf_counter()
            for _ in range(STEPS):
                ask(line, step)
            return STEPS / (time.perf_counter() - start)
        finally:
            process.kill()


def connect(path: Path) -> socket.socket:
    for _ in range(600):
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(path))
            return line
        except OSError:
            line.close()
            time.sleep(0.1)
    raise RuntimeError(f"nobody listens at {path}")


def ask(line: socket.socket, packet: bytes) -> bytes:
    line.sendall(frame(packet))
    framer = Framer()
    while True:
        for event in framer.feed(line.recv(1 << 16)):
            if isinstance(event, Packet):
                line.sendall(b"+")
                return event.data


def slowdown() -> float:
    """Return how much longer the mixed loop takes with a breakpoint on a function that it does not call."""
    ratios = []
    for _ in range(REPEATS):
        plain = finish(started(layout_of("mixed", loop=f"rounds={ROUNDS}")))
        machine = started(layout_of("mixed", loop=f"rounds={ROUNDS}"))
        debugger = Debugger(machine)
        for kernel in range(len(machine.lives)):
            debugger.set_break(kernel, UNUSED)
        debugger.run(turns=1)
        ratios.append(finish(machine).cpu / plain.cpu)
    return median(ratios)


def time_back() -> float:
    """Return the seconds of one step back, from 100 million instructions behind a snapshot."""
    machine = started(layout_of("mixed", loop=f"rounds={10 * ROUNDS}"))
    debugger = Debugger(machine)
    history = History(debugger)
    history.note()
    machine.run(instructions=machine.instructions + BACK)
    for _ in range(3):
        debugger.step(0)
        debugger.again()
    start = now()
    history.step(0)
    return (now() - start).wall
