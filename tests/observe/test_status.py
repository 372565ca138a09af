"""The status line: for terminals only, taken away before anything else is printed."""

import re
from io import StringIO

import pytest

from mksim.observe import status
from mksim.observe.status import Status
from tests.machine.guests import leave, machine

LINE = re.compile(r"vt \d+\.\d{3}s rt \d+\.\ds \d+ MIPS idle \d+% \(Ctrl-C ends\)")
CLEARED = "\r\x1b[K"


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(status, "PERIOD", 0)


def test_a_terminal_sees_it_and_sees_it_go():
    one, terminal = machine(leave(0)), Terminal()
    line = Status(one, terminal, quiet=False)
    line.update()
    one.run()
    line.update()
    line.clear()
    first, second, nothing = terminal.getvalue().split(CLEARED)
    assert LINE.fullmatch(first)
    assert LINE.fullmatch(second)
    assert nothing == ""
    line.clear()
    assert terminal.getvalue().endswith(second + CLEARED)


@pytest.mark.parametrize(("stream", "quiet"), [(StringIO(), False), (Terminal(), True)])
def test_nobody_else_does(stream, quiet):
    line = Status(machine(leave(0)), stream, quiet=quiet)
    line.update()
    line.clear()
    assert stream.getvalue() == ""
