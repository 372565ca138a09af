"""The debugger without gdb: what is typed, and what is shown."""

import re
from pathlib import Path

import pytest

from mksim.clock.time import NEVER
from mksim.debug.control import Debugger
from mksim.debug.going import Limits
from mksim.debug.prompt import Prompt
from mksim.machine.machine import Machine
from tests.debug.prompting import prompt
from tests.debug.talking import undisturbed
from tests.debug.test_gdb import PINGPONG, line_of
from tests.guest.booting import ROOT, scenario_layout

RING = line_of("pingpong/ping.c", "ring(bell);")


class Talk:
    """A prompt without a terminal: commands in, text out."""

    def __init__(self, capsys: pytest.CaptureFixture[str], scenario: str = "pingpong") -> None:
        self.machine = Machine(scenario_layout(scenario))
        self.prompt = Prompt(Debugger(self.machine), Limits(NEVER, NEVER), lambda: None)
        self._capsys = capsys

    def __call__(self, *commands: str) -> str:
        """Run commands; return what the last one printed."""
        shown = ""
        for command in commands:
            self._capsys.readouterr()
            assert self.prompt.onecmd(command) == (command in ("quit", "detach"))
            shown = self._capsys.readouterr().out
        return shown


@pytest.fixture
def talk(capsys: pytest.CaptureFixture[str]) -> Talk:
    return Talk(capsys)


def test_across_an_ipi_and_back_to_who_sent_it(talk: Talk) -> None:
    here = talk(f"break ping.c:{RING}", "continue")
    assert re.search(rf"^ping core 0, [\d,]+ ns: breakpoint\n +{RING} +ring\(bell\);$", here, re.MULTILINE)
    assert f"kernels/pingpong/ping.c:{RING}" in here
    there = talk("step-ipi")
    assert there.startswith("pong core 1, ")
    assert "an interrupt has arrived" in there
    assert "vectors+0x400 kernels/lib/vectors.S" in there
    assert re.search(r"^ISR .* 0x40$", talk("lapic"), re.MULTILINE)
    back = talk("who-sent")
    assert "ping core 0" in back
    assert "sends 0x40 to core 1 next" in back
    assert "page[reg / 4] = value;" in back
    assert "nothing is in flight" in talk("ipi")
    assert re.search(r"^ping core 0 +pong core 1 +0x40 +fixed", talk("step", "ipi"), re.MULTILINE)
    talk("detach")
    assert talk.machine.digest() == undisturbed()


def test_a_ring_is_decoded_and_its_writer_found(talk: Talk) -> None:
    assert re.search(r"^table +0x\w+-0x\w+ +ping rw, pong rw$", talk("window"), re.MULTILINE)
    talk(f"b ping.c:{RING}", "c")
    assert "first channel: 1 sent, 0 received\nslot  0: message 0: 0x1 0x3e7 0x0" in talk("window table")
    wrote = talk("who-wrote $r12")
    assert "ping core 0" in wrote
    assert "channel.h" in wrote
    assert "first channel: 0 sent" in talk("window table")


def test_looking(talk: Talk) -> None:
    assert "no symbol is known here" in talk("core 1")
    talk(f"b ping:ping.c:{RING}", "c")
    assert "*rip " in talk("registers")
    talk("registers", "step")
    shown = talk("r rip rbx")
    assert "*rip " in shown
    assert " rbx " in shown
    assert re.search(rf"^> +{RING} +ring\(bell\);$", talk("list"), re.MULTILINE)
    assert "main:" in talk("code main 3")
    assert "level 1: " in talk("walk $rsp")
    assert ", of ping" in talk("walk $rsp")
    assert len(talk("x $rsp 32").splitlines()) == 2
    assert "no memory" in talk("x 0x7fffffffffff 1")
    cores = talk("cores")
    assert "* ping: core 0 runs" in cores
    assert "  pong: core 1" in cores
    assert "1: break ping:ping.c" in talk("stops")
    assert talk("delete 1", "stops") == ""


def test_until_a_time_and_as_many_steps_back(talk: Talk) -> None:
    assert "as far as it was to run" in talk("until 20us")
    assert 20_000 <= talk.prompt._stand.debugger.now < 20_100
    before = talk("r rip rsp")
    talk("step 5")
    talk("back 5")
    assert talk("r rip rsp").replace("*", " ") == before.replace("*", " ")
    assert "as far as it was to run" in talk("until 100000")
    assert talk.prompt._stand.debugger.progress >= 100_000
    assert "as far back as possible" in talk("reverse")
    talk("detach")
    assert talk.machine.digest() == undisturbed()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("foo", "no command foo"),
        ("break", "usage: break"),
        ("break nonsense", "no symbol nonsense in ping"),
        ("break 0x1000 nobody", "no kernel nobody: there are ping, pong"),
        ("core 9", "no core 9: there are 0 to 1"),
        ("memory $foo", "no register foo"),
        ("watch main 8 often", "usage: watch"),
        ("until soon", "usage: until"),
        ("delete 7", "no breakpoint 7"),
        ("window door", "no window door: there are table"),
        ("who-sent", "no interrupt is in service"),
        ("help foo", "no command foo"),
        ("catch fire", "catch:"),
    ],
)
def test_what_makes_no_sense_is_said(command: str, answer: str, talk: Talk) -> None:
    assert talk(command).startswith(answer)


def test_help_tells_of_every_command(talk: Talk) -> None:
    shown = talk("help")
    assert all(re.search(rf"^{name} ", shown, re.MULTILINE) for name in talk.prompt.commands)
    assert talk.prompt.completenames("who") == ["who-wrote", "who-sent"]
    assert "main" in talk.prompt.completedefault("mai")


def test_an_empty_line_steps_again(talk: Talk) -> None:
    talk("core 0", "step")
    first = talk.prompt._stand.debugger.progress
    talk("")
    assert talk.prompt._stand.debugger.progress > first
    assert talk("stops", "") == ""


def test_commands_from_a_pipe_end_with_the_run_as_it_is(tmp_path: Path) -> None:
    done = prompt(PINGPONG, [f"b ping.c:{RING}", "c", "d", "watch rung 4", "c", "c"])
    assert "was written" in done[4]
    assert "interrupted" in done.machine
    done = prompt(PINGPONG, ["c", "quit"])
    assert "ping has ended: exit" in done[0] + done[1] or "has ended" in done[0]
    done = prompt(PINGPONG, ["until 1ms", "detach"])
    assert done.digest == undisturbed()
    assert done.code == 0


def test_a_message_ring_of_three_senders(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(capsys, "ring")
    talk("break red:ring_claim", "catch ipi", "continue", "continue")
    assert "slots" in talk("window ring")
    assert (ROOT / "kernels" / "ring").is_dir()


def test_the_dma_of_a_device_is_caught_and_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(capsys, "dma")
    assert talk("catch dma") == "stops behind: dma\n"
    caught = talk("continue")
    found = re.search(
        r"device 0001:00:01.0: DMA (read|write) of physical (0x[0-9a-f]+), \d+ bytes, of", caught
    )
    assert found is not None, caught
    talk("catch nothing", "continue")
    assert caught == talk("catch dma", "reverse")
    talk("catch nothing", "reverse", f"watch-physical {found[2]} 1 access")
    assert any(f"of physical {found[2]}, " in talk("continue") for _ in range(20))


def test_states_and_owners_are_caught(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(capsys, "panic")
    talk("catch state ownership")
    seen = "".join(talk("continue") for _ in range(12))
    assert re.search(r"kernel \w+: starting, now running; core \d+: of firmware, now of \w+", seen)
    assert re.search(r"kernel fragile: running, now ended triple fault", seen)
    assert re.search(r"kernel fragile: ended triple fault, now starting", seen)
