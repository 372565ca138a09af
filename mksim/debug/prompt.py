"""The debugger without gdb: a prompt on the terminal, or commands from a file or a pipe.

It stands on the same control, history and monitor as the gdb server: what is told there of stops and of the
way back holds here.
"""

import sys
from cmd import Cmd
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from mksim.debug.control import Debugger
from mksim.debug.going import Going, Limits
from mksim.debug.stand import Stand, Unclear
from mksim.debug.views import Views
from mksim.machine.machine import Machine, Outcome

_COMPLETIONS = 200
_REPEATED, _LAST = {"continue", "step", "back", "reverse"}, {"quit", "detach"}
_EXPLAINED = (
    "An ADDRESS is 0x1000, $rsp+8, main, awake+0x10 or ping.c:12. An empty line repeats a step.",
    "break pong:awake | watch rung 4 | catch violation | memory $rsp 32 | code main 20 | until 10ms",
)


Run = Callable[[list[str]], Iterable[str] | None]


class Command(NamedTuple):
    """A command: its short name, its arguments, what it does, and who does it."""

    short: str
    usage: str
    help: str
    run: Run


def drive(machine: Machine, until: int, instructions: int, update: Callable[[], None]) -> Outcome:
    """Have a machine run as its prompt is told to."""
    prompt = Prompt(Debugger(machine), Limits(until, instructions), update)
    print("mksim: before the first instruction; help tells what there is", file=sys.stderr, flush=True)
    prompt.loop()
    return prompt.going.outcome


class Prompt(Cmd):
    """One conversation about one machine, which stands still whenever a command is awaited."""

    identchars = Cmd.identchars + "-"

    def __init__(self, debugger: Debugger, limits: Limits, update: Callable[[], None]) -> None:
        super().__init__()
        self._stand = Stand(debugger)
        self.going = Going(self._stand, limits, update)
        self.commands = _commands(self.going, Views(self._stand))
        self.commands["help"] = Command("h", "[COMMAND ...]", "this", self._help)
        self._short = {command.short: name for name, command in self.commands.items() if command.short}
        self.preloop()

    def loop(self) -> None:
        """Take commands until there are no more."""
        while True:
            try:
                self.cmdloop()
                return
            except KeyboardInterrupt:
                print("\nquit ends the run")

    def preloop(self) -> None:
        """Say in the prompt who it is about."""
        self.prompt = f"({self._stand.name_of(self._stand.kernel)} {self._stand.core}) "

    def postcmd(self, stop: bool, line: str) -> bool:
        """Do so before the next command, too."""
        del line
        self.preloop()
        return stop

    def precmd(self, line: str) -> str:
        """Show a command that nobody has typed, so that what comes out can be read by itself."""
        if sys.stdin is None or not sys.stdin.isatty():
            print("quit" if line == "EOF" else line, flush=True)
        return line

    def onecmd(self, line: str) -> bool:
        """Run one command; True if it was the last."""
        words = line.split() or self._again()
        name = self._known(words[0]) if words else ""
        self.lastcmd = line if line.strip() else self.lastcmd
        try:
            return bool(name) and self._run(name, words[1:])
        except Unclear as error:
            print(error)
        except (ValueError, KeyError, IndexError):
            print(f"usage: {name} {self.commands[name].usage}")
        return False

    def _again(self) -> list[str]:
        """Return what an empty line does."""
        words = self.lastcmd.split()
        return words if words and self._known(words[0]) in _REPEATED else []

    def _run(self, name: str, arguments: list[str]) -> bool:
        if name not in self.commands:
            raise Unclear(f"no command {name}: see help")
        for line in self.commands[name].run(arguments) or ():
            print(line)
        sys.stdout.flush()
        return name in _LAST

    def _known(self, name: str) -> str:
        return "quit" if name == "EOF" else self._short.get(name, name)

    def _help(self, arguments: list[str]) -> Iterator[str]:
        for name in [self._known(name) for name in arguments] or sorted(self.commands):
            if name not in self.commands:
                raise Unclear(f"no command {name}: see help")
            short, usage, text, _ = self.commands[name]
            yield f"{name + ' ' + usage:43} {short:3} {text}"
        yield from () if arguments else _EXPLAINED

    def completenames(self, text: str, *_ignored: object) -> list[str]:
        """Return the commands that begin so."""
        return [name for name in self.commands if name.startswith(text)]

    def completedefault(self, text: str, *_ignored: object) -> list[str]:
        """Return the symbols of the kernel at hand that begin so."""
        names = self._stand.places.symbols(self._stand.kernel).indices
        return list(islice((name for name in names if name.startswith(text)), _COMPLETIONS))


def _commands(go: Going, see: Views) -> dict[str, Command]:
    """Return all commands but `help`."""

    def asked(name: str) -> Callable[[list[str]], list[str]]:
        return lambda arguments: see.monitor([name, *arguments])

    # fmt: off
    return {
        "continue": Command("c", "", "run on, to a stop or for ever (Ctrl-C)", go.go_on),
        "step": Command("s", "[N]", "one instruction of this core, or an interrupt", go.step),
        "until": Command("u", "TIME|INSTRUCTIONS", "run on to 10ms, or to 5Minsn of all cores", go.until),
        "step-ipi": Command("si", "", "from this core's next IPI to its handler", go.step_ipi),
        "back": Command("bs", "[N]", "to before this core's last instruction", go.back),
        "reverse": Command("bc", "", "back to the last stop before this one", go.back_on),
        "who-wrote": Command("ww", "ADDRESS [SIZE]", "back to who wrote there last", go.who_wrote),
        "who-sent": Command("ws", "[VECTOR]", "back to the sending of the interrupt in service", go.who_sent),
        "break": Command("b", "[KERNEL:]ADDRESS [KERNEL]", "stop before an instruction", go.break_at),
        "watch": Command("w", "ADDRESS [SIZE [write|read|access]]", "stop behind an access of it", go.watch),
        "watch-physical": Command("wp", "ADDRESS [SIZE [...]]", "stop behind anybody's; nothing: no more",
                                  asked("watch-physical")),
        "catch": Command("", "WHAT ...", "stop at a violation, ipi, dma, state, ownership", asked("catch")),
        "stops": Command("", "", "list breakpoints and watchpoints", go.points),
        "delete": Command("d", "[NUMBER ...]", "delete them, or all", go.delete),
        "ipi": Command("", "", "interrupt messages in flight between kernels", asked("ipi")),
        "kernels": Command("k", "", "what each kernel and core is doing", asked("kernels")),
        "cores": Command("", "", "where each core is", see.cores),
        "core": Command("", "N", "look at another core", see.core),
        "registers": Command("r", "[NAME ...]", "registers; * since the last stop", see.registers),
        "code": Command("i", "[ADDRESS [N]]", "instructions, with symbols", see.code),
        "list": Command("l", "[ADDRESS]", "the source lines around", see.source),
        "lapic": Command("", "[CORE]", "local APIC: IRR, ISR and TMR as bits, ICR, timer", see.lapic),
        "walk": Command("", "[ADDRESS]", "page tables on the way, and the owner of each step", see.walk),
        "memory": Command("x", "ADDRESS [BYTES]", "memory as this core sees it", see.memory),
        "window": Command("", "[NAME [ring|lines|table]]", "shared windows; rings and mailboxes", see.window),
        "detach": Command("", "", "run to the end without stops", go.detach),
        "quit": Command("q", "", "end the run here, with its summary", lambda _arguments: None),
    }
    # fmt: on
