"""The command line: every command is one call into the library.

What takes long to import is imported where it is needed: `check` does not wait for what only `boot` uses.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from runpy import run_module
from typing import Any

from mksim.arguments import (
    BOARD,
    bench_arguments,
    boot_arguments,
    config_arguments,
    disasm_arguments,
    replay_arguments,
    report_arguments,
    scorecard_arguments,
)
from mksim.boot.formats import read_image
from mksim.boot.image import Image
from mksim.boot.symbols import Symbols, read_symbols
from mksim.errors import ConfigError, EngineError, FileError, Problem
from mksim.machine import alone
from mksim.machine.config import Layout, Protection
from mksim.machine.drawing import draw
from mksim.machine.options import BootOptions, Drive, find_writable
from mksim.machine.reading import read_layout
from mksim.machine.values import nearest
from mksim.nativecache import cold, warmed
from mksim.usage import COMPILING, EXAMPLES, EXIT_CODES, EXIT_CODES_ALONE

EXIT_AS_EXPECTED, EXIT_UNEXPECTED, EXIT_CONFIG, EXIT_LIMIT = 0, 1, 2, 3
EXIT_BUG, EXIT_OUTPUT = 70, 74
"""Of a kernel alone, whose own are odd: EX_SOFTWARE and EX_IOERR of BSD's sysexits.h."""
REPLAYED = (
    "console", "summary", "quiet", "gdb", "gdbinit", "prompt", "record", "wait",
    "trace", "trace_only", "trace_most",
)  # fmt: skip
"""Options of a replay that are its own, whatever those of the recorded run were."""
EXIT_INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended: 128 + SIGINT."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    options.arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code: int = options.command(options)
        if sys.stdout is not None:  # it is None where the caller closed it
            sys.stdout.flush()
        return code
    except (ConfigError, FileError, EngineError) as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # as with `mksim check config.toml | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_AS_EXPECTED
    except OSError as error:  # a disk that is full
        _drop_output(error)
        return EXIT_UNEXPECTED


def _drop_output(error: OSError) -> None:
    """Say why output cannot be written, and let nobody try again."""
    print(f"{error.filename or 'output'}: {error.strerror}", file=sys.stderr)
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="mksim",
        description="One x86-64 machine that boots several real kernels at once, and sees every crossing.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    boot_arguments(_command(commands, "boot", boot, "boot the kernels of a config"))
    boot_arguments(_command(commands, "debug", boot, "boot under gdb: see all kernels, and step"), wait=True)
    replay_arguments(_command(commands, "replay", replay, "run a recorded run again, and compare"))
    report_arguments(_command(commands, "report", report, "make a page of a recorded run, to look at"))
    config_arguments(_command(commands, "check", check, "validate a config, and draw its memory map"))
    scorecard_arguments(_command(commands, "scorecard", scorecard, "attack, and see what isolates what"))
    disasm_arguments(_command(commands, "disasm", disasm, "disassemble an image, with its symbols"))
    bench_arguments(_command(commands, "bench", bench, "measure, and compare with QEMU if it is installed"))
    return top


def _command(
    commands: Any, name: str, function: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n".join([EXAMPLES[name], EXIT_CODES, *([EXIT_CODES_ALONE] if name == "boot" else [])]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command=function)
    return command


def _drive(options: argparse.Namespace) -> Drive | None:
    """Return who is to run the machine: a debugger or a recorder, if one was asked for."""
    if options.record is not None:
        from mksim.observe.record import Recorder  # noqa: PLC0415 - Numba takes half a second

        find_writable(options.record)
        return Recorder(options.record, options.arguments)
    if options.prompt:
        from mksim.debug import prompt  # noqa: PLC0415 - only now is there something to debug

        return prompt.drive
    if options.gdb is None:
        return None

    def drive(machine: Any, until: int, instructions: int, update: Callable[[], None]) -> Any:
        from mksim.debug.server import serve  # noqa: PLC0415 - only now is there something to debug

        return serve(machine, options.gdb, options.gdbinit, options.wait, until, instructions, update)

    return drive


def check(options: argparse.Namespace) -> int:
    """Validate a config and draw its memory map."""
    for line in draw(read_layout(options.config)):
        print(line)
    return EXIT_AS_EXPECTED


def boot(options: argparse.Namespace) -> int:
    """Boot a config's kernels, and run them to their ends or to the limit."""
    if options.kernel is not None:
        return boot_alone(options)
    layout, how = order(options)
    _compile()
    from mksim.machine.machine import Outcome  # noqa: PLC0415 - Numba takes half a second
    from mksim.observe import session, summary  # noqa: PLC0415

    machine, outcome = session.run(layout, how)
    if outcome is Outcome.LIMIT:
        return EXIT_LIMIT
    fine = outcome is Outcome.ENDED and summary.as_expected(machine)
    return EXIT_AS_EXPECTED if fine else EXIT_UNEXPECTED


def replay(options: argparse.Namespace) -> int:
    """Run a recorded run again, and compare."""
    from mksim.machine.machine import Outcome  # noqa: PLC0415 - as above
    from mksim.observe import record, session, summary  # noqa: PLC0415

    known, layout, how = _recorded(options)
    _compile()
    replayer = record.Replayer(known)
    machine, outcome = session.run(layout, how if how.drive else replace(how, drive=replayer))
    for line in replayer.difference:
        print(f"replay   {line}")
    if replayer.difference:
        return EXIT_UNEXPECTED
    if how.drive is None and outcome is not Outcome.INTERRUPTED:
        print(f"replay   the same as recorded: {len(known['milestones']) + 1} milestones, digest")
    if outcome is Outcome.LIMIT:
        return EXIT_LIMIT
    return EXIT_AS_EXPECTED if summary.as_expected(machine) else EXIT_UNEXPECTED


def _recorded(options: argparse.Namespace) -> tuple[dict[str, Any], Layout, BootOptions]:
    """Return a record, and what is to be run again, how; ConfigError if that is not what was run then."""
    from mksim.machine.build import read_rom  # noqa: PLC0415 - as above
    from mksim.observe import record  # noqa: PLC0415

    known = record.read(options.file)
    told = record.options(options.file, known, parser().parse_args)
    for name in REPLAYED:
        setattr(told, name, getattr(options, name))
    layout, how = order(told)
    record.check_files(options.file, known, layout, read_rom())
    return known, layout, how


def report(options: argparse.Namespace) -> int:
    """Run a recorded run again, and make a page of it."""
    from mksim.clock.time import NEVER  # noqa: PLC0415 - as above
    from mksim.machine.machine import Machine  # noqa: PLC0415
    from mksim.observe.evidence import Evidence  # noqa: PLC0415
    from mksim.observe.record import Replayer  # noqa: PLC0415
    from mksim.observe.report import page, read_scorecard  # noqa: PLC0415
    from mksim.observe.status import Status  # noqa: PLC0415

    known, layout, how = _recorded(options)
    find_writable(options.out)
    scorecard = [] if options.scorecard is None else read_scorecard(options.scorecard)
    _compile()
    machine = Machine(layout)
    evidence, replayer = Evidence(machine), Replayer(known)
    status = Status(machine, sys.stderr, quiet=False)
    until = NEVER if layout.until is None else layout.until
    instructions = NEVER if how.instructions is None else how.instructions
    outcome = replayer(machine, until, instructions, status.update)
    status.clear()
    warmed()
    text = page(evidence, outcome, differences=replayer.difference, scorecard=scorecard)
    options.out.write_text(text, encoding="utf-8")
    for line in replayer.difference:
        print(f"report   {line}")
    print(f"report   {options.out}: {len(text):,} bytes")
    return EXIT_UNEXPECTED if replayer.difference else EXIT_AS_EXPECTED


def boot_alone(options: argparse.Namespace) -> int:
    """Boot one kernel on a default board; no failure of mksim's has a code that the kernel could give."""
    layout, how = order(options)
    _compile()
    try:
        from mksim.observe import exitcode, session  # noqa: PLC0415 - as above

        machine, outcome = session.run(layout, how)
        return exitcode.exit_code(machine.lives[0], outcome)
    except (ConfigError, FileError, EngineError):
        raise
    except OSError as error:
        _drop_output(error)
        return EXIT_OUTPUT
    except Exception:
        traceback.print_exc()
        return EXIT_BUG


def _compile() -> None:
    if not cold():
        return
    from mksim.engine.compilation import compile_all, missing  # noqa: PLC0415 - as above

    if names := missing():
        print(COMPILING, file=sys.stderr, flush=True)
        compile_all(names, lambda done, of: _progress(f"{done} of {of} parts"))
        _progress("")


def order(options: argparse.Namespace) -> tuple[Layout, BootOptions]:
    """Return the layout that the command line asks for, and how to run it."""
    layout = _layout(options)
    if options.seed is not None:
        layout = replace(layout, seed=options.seed)
    if options.protection is not None:
        layout = replace(layout, protection=Protection(options.protection))
    instructions = None
    if options.until is not None:
        instructions = options.until.instructions
        if options.until.seconds is not None:
            layout = replace(layout, until=int(options.until.seconds * layout.rate))
    return layout, BootOptions(
        instructions=instructions,
        consoles=_consoles(options, layout),
        summary=options.summary,
        trace=options.trace,
        trace_only=options.trace_only,
        trace_most=options.trace_most,
        raw=options.kernel is not None,
        quiet=options.quiet,
        drive=_drive(options),
    )


def _layout(options: argparse.Namespace) -> Layout:
    board = {name: value for name in BOARD if (value := getattr(options, name)) is not None}
    if options.kernel is None:
        if board:
            problems = [Problem(str(options.config), f"--{name}", "is for --kernel alone") for name in board]
            raise ConfigError(problems)
        return read_layout(options.config)
    initrd, modules = board.pop("initrd", None), board.pop("module", [])
    modules, disks = [*([initrd] if initrd else []), *modules], board.pop("disk", [])
    return alone.alone(options.kernel, modules=modules, disks=disks, **board)


def _consoles(options: argparse.Namespace, layout: Layout) -> dict[str, Path]:
    names = [kernel.name for kernel in layout.kernels]
    unknown = [
        Problem(str(layout.path), "", f"--console names {name}, which is no kernel{nearest(name, names)}")
        for name, _ in options.console
        if name not in names
    ]
    if unknown:
        raise ConfigError(unknown)
    return dict(options.console)


def scorecard(options: argparse.Namespace) -> int:
    """Run every attack under every protection, and show what of others each affects."""
    _compile()
    from mksim.observe.scorecard import CONFIG, cells  # noqa: PLC0415 - Numba takes half a second
    from mksim.observe.scoresheet import lines, write  # noqa: PLC0415

    layout = read_layout(CONFIG)
    if options.out is not None:
        find_writable(options.out)
    measured = list(cells(layout, _progress))
    warmed()
    _progress("")
    for line in lines(measured):
        print(line)
    if options.out is not None:
        write(measured, options.out)
    return EXIT_AS_EXPECTED


def _progress(what: str) -> None:
    """Tell on a terminal what is at hand, in one line."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r{what:40}" if what else f"\r{'':40}\r", end="", file=sys.stderr, flush=True)


def disasm(options: argparse.Namespace) -> int:
    """Disassemble part of an image."""
    from mksim.debug import disassembly  # noqa: PLC0415 - Capstone takes longer than all else of mksim

    image = _image(options)
    symbols = read_symbols(image.raw)
    count = 32 if options.count is None and options.symbol is None else options.count
    start = options.start
    if options.symbol is not None:
        extent = disassembly.extent_of(symbols, _symbol(options, symbols), options.bits or 64, count)
    elif start is not None:
        extent = disassembly.Extent(start, options.bits or 64, count=count)
    else:
        extent = disassembly.Extent(disassembly.linked_entry(image), options.bits or 32, count=count)
    for line in disassembly.disassemble(image, symbols, extent):
        print(line)
    return EXIT_AS_EXPECTED


def _image(options: argparse.Namespace) -> Image:
    if options.image.suffix != ".toml":
        try:
            return read_image(options.image)
        except FileError as error:
            raise ConfigError([Problem(str(options.image), "", str(error))]) from error
    layout = read_layout(options.image)
    names = [kernel.name for kernel in layout.kernels]
    name = options.kernel or names[0]
    if name not in names:
        raise _unknown(options, "kernel", name, names)
    return layout.kernel(name).image


def _unknown(options: argparse.Namespace, what: str, name: str, known: Sequence[str]) -> ConfigError:
    return ConfigError([Problem(str(options.image), "", f"has no {what} {name}{nearest(name, known)}")])


def _symbol(options: argparse.Namespace, symbols: Symbols) -> int:
    index = symbols.find(options.symbol)
    if index is None:
        raise _unknown(options, "symbol", options.symbol, list(symbols.indices))
    return index


def bench(options: argparse.Namespace) -> int:
    """Run the repository's benchmarks; they are not part of what pip installs."""
    if not Path("benchmarks/__main__.py").is_file():
        raise ConfigError([Problem("benchmarks", "", "not there: run this in the root of the repository")])
    sys.argv = ["benchmarks", *options.names]
    run_module("benchmarks", run_name="__main__")
    return EXIT_AS_EXPECTED
