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

from mksim.boot.formats import read_image
from mksim.boot.image import Image
from mksim.boot.symbols import Symbols, read_symbols
from mksim.errors import ConfigError, EngineError, FileError, Problem
from mksim.machine import alone, schema, units
from mksim.machine.config import Layout, Protection
from mksim.machine.drawing import draw
from mksim.machine.options import TRACE_FORMS, TRACE_KINDS, TRACE_MOST, BootOptions, Drive
from mksim.machine.reading import read_layout
from mksim.machine.values import CORES_MAX, between, nearest
from mksim.nativecache import cold
from mksim.usage import COMPILING, EXAMPLES, EXIT_CODES, EXIT_CODES_ALONE

EXIT_AS_EXPECTED, EXIT_UNEXPECTED, EXIT_CONFIG, EXIT_LIMIT = 0, 1, 2, 3
EXIT_BUG, EXIT_OUTPUT = 70, 74
"""Of a kernel alone, whose own are odd: EX_SOFTWARE and EX_IOERR of BSD's sysexits.h."""
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
    _boot_parser(_command(commands, "boot", boot, "boot the kernels of a config"))
    _boot_parser(_command(commands, "debug", boot, "boot under gdb: see all kernels, and step"), wait=True)
    _replay_parser(_command(commands, "replay", replay, "run a recorded run again, and compare"))
    _config_argument(_command(commands, "check", check, "validate a config, and draw its memory map"))
    _disasm_parser(_command(commands, "disasm", disasm, "disassemble an image, with its symbols"))
    _bench_parser(_command(commands, "bench", bench, "measure, and compare with QEMU where it is installed"))
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


def _config_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", type=Path, metavar="CONFIG.toml", help="the machine and its kernels")


def _boot_parser(command: argparse.ArgumentParser, *, wait: bool = False) -> None:
    command.set_defaults(wait=wait)
    what = command.add_mutually_exclusive_group(required=True)
    help_ = "the machine and its kernels"
    what.add_argument("config", type=Path, nargs="?", metavar="CONFIG.toml", help=help_)
    what.add_argument("--kernel", type=Path, metavar="IMAGE", help="one kernel, alone on a default board")
    _board_options(command.add_argument_group("the board of --kernel"))
    add = command.add_argument
    add("--seed", type=_seed, metavar="N", help="draw another interleaving of cores (default: the config's)")
    add("--until", type=_limit, metavar="LIMIT", help="stop at a virtual time (10ms) or instruction (5Minsn)")
    add("--console", type=_console, action="append", default=[], metavar="KERNEL=FILE",
        help="write a kernel's console to a file, as it is; may be repeated")  # fmt: skip
    add("--summary", type=Path, metavar="FILE.json", help="write what happened to a file")
    add("--trace", type=_trace, metavar="FILE.json",
        help="write events as they happen: .json is for Perfetto, .jsonl is lines")  # fmt: skip
    add("--trace-only", type=_kinds, default=frozenset(TRACE_KINDS), metavar="KINDS",
        help=f"only these, with commas between: {', '.join(TRACE_KINDS)}")  # fmt: skip
    add("--trace-most", type=_events, default=TRACE_MOST, metavar="N",
        help="only the first N events (default: 1000000)")  # fmt: skip
    add("--quiet", action="store_true", help="no status line and no summary on the terminal")
    add = command.add_mutually_exclusive_group().add_argument
    add("--record", type=Path, metavar="FILE", help="write down what is run and how it goes, for replay")
    add("--gdb", type=_gdb, default=("1234" if wait else None), metavar="PORT|unix:PATH",
        help="let gdb attach there" + (" (default: 1234)" if wait else ""))  # fmt: skip
    command.add_argument(
        "--gdbinit", type=Path, metavar="FILE", help="where to write gdb's commands that attach"
    )
    choice = command.add_mutually_exclusive_group()
    choice.add_argument("--trust", dest="protection", action="store_const", const="trust",
                        help="violations happen, and are recorded")  # fmt: skip
    choice.add_argument("--guard", dest="protection", action="store_const", const="guard",
                        help="violations do not happen, and are recorded")  # fmt: skip


def _board_options(group: Any) -> None:
    add = group.add_argument
    add("--initrd", metavar="FILE", help="the first module: Linux's initial RAM disk")
    add("--module", action="append", metavar="'FILE ARGUMENTS'", help="a further module; may be repeated")
    add("--cmdline", type=_cmdline, metavar="TEXT", help="the kernel's command line")
    add("--cores", type=_cores, metavar="N", help="processors (default: 1)")
    add("--memory", type=_memory, metavar="SIZE", help="memory, up to 3G (default: 512M)")


def _replay_parser(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    command.set_defaults(wait=True, record=None)
    add("file", type=Path, metavar="RECORD", help="what boot --record has written")
    add("--console", type=_console, action="append", default=[], metavar="KERNEL=FILE",
        help="write a kernel's console to a file, as it is; may be repeated")  # fmt: skip
    add("--summary", type=Path, metavar="FILE.json", help="write what happened to a file")
    add("--quiet", action="store_true", help="no status line and no summary on the terminal")
    add("--gdb", type=_gdb, metavar="PORT|unix:PATH", help="let gdb attach there, and do not compare")
    add("--gdbinit", type=Path, metavar="FILE", help="where to write gdb's commands that attach")


def _disasm_parser(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("image", type=Path, metavar="IMAGE|CONFIG.toml", help="an image, or a config that names some")
    add("--kernel", metavar="NAME", help="which kernel's image (default: the config's first)")
    add("--symbol", metavar="NAME", help="the function to show")
    add("--start", type=_number, metavar="ADDRESS", help="where to start, as linked (default: the entry)")
    add("--count", type=_number, metavar="N", help="how many instructions (default: 32, or all of a symbol)")
    add("--bits", type=int, choices=(16, 32, 64), help="as which code (default: 64; at an entry 32)")


def _bench_parser(command: argparse.ArgumentParser) -> None:
    command.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")


def _argument(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a parser of a config's values as one of arguments: argparse shows only errors of its own."""

    def argument(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return argument


def _file_of_kernel(text: str) -> tuple[str, Path]:
    kernel, separator, file = text.partition("=")
    if not (kernel and separator and file):
        raise ValueError(f"is {text!r}, not KERNEL=FILE")
    return kernel, Path(file)


def _trace_file(text: str) -> Path:
    if Path(text).suffix not in TRACE_FORMS:
        raise ValueError(f"is {text!r}, which does not end in {' or '.join(TRACE_FORMS)}")
    return Path(text)


def _trace_kinds(text: str) -> frozenset[str]:
    if strange := set(text.split(",")) - set(TRACE_KINDS):
        raise ValueError(f"is {min(strange)!r}, not one of {', '.join(TRACE_KINDS)}")
    return frozenset(text.split(","))


def _gdb_address(text: str) -> int | Path:
    if text.startswith("unix:") and len(text) > 5:
        return Path(text[5:])
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 16:
        raise ValueError(f"is {text!r}, neither a port nor unix:PATH")
    return int(text)


def _drive(options: argparse.Namespace) -> Drive | None:
    """Return who is to run the machine: the gdb server or a recorder, if one was asked for."""
    if options.record is not None:
        from mksim.observe.record import Recorder  # noqa: PLC0415 - as above

        return Recorder(options.record, options.arguments)
    if options.gdb is None:
        return None

    def drive(machine: Any, until: int, instructions: int, update: Callable[[], None]) -> Any:
        from mksim.debug.server import serve  # noqa: PLC0415 - only now is there something to debug

        return serve(machine, options.gdb, options.gdbinit, options.wait, until, instructions, update)

    return drive


_gdb = _argument(_gdb_address)
_limit = _argument(units.limit)
_trace = _argument(_trace_file)
_kinds = _argument(_trace_kinds)
_events = _argument(between(1, 1 << 40, units.written))
_console = _argument(_file_of_kernel)
_number = _argument(between(0, (1 << 64) - 1, units.written, "#x"))
_seed = _argument(between(0, schema.SEED_MAX, units.written))
_cmdline = _argument(schema.KERNEL["cmdline"].parse)
_memory = _argument(schema.MACHINE["memory"].parse)
_cores = _argument(between(1, CORES_MAX, units.written))
BOARD = ("initrd", "module", "cmdline", "cores", "memory")
"""Options that are only for --kernel: the rest goes with a config as well."""


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
    _announce()
    from mksim.machine.machine import Outcome  # noqa: PLC0415 - Numba takes half a second
    from mksim.observe import session, summary  # noqa: PLC0415

    machine, outcome = session.run(layout, how)
    if outcome is Outcome.LIMIT:
        return EXIT_LIMIT
    fine = outcome is Outcome.ENDED and summary.as_expected(machine)
    return EXIT_AS_EXPECTED if fine else EXIT_UNEXPECTED


def replay(options: argparse.Namespace) -> int:
    """Run a recorded run again, and compare."""
    from mksim.machine.build import read_rom  # noqa: PLC0415 - as above
    from mksim.machine.machine import Outcome  # noqa: PLC0415
    from mksim.observe import record, session, summary  # noqa: PLC0415

    known = record.read(options.file)
    told = record.options(options.file, known, parser().parse_args)
    for name in ("console", "summary", "quiet", "gdb", "gdbinit", "record", "wait"):
        setattr(told, name, getattr(options, name))
    layout, how = order(told)
    record.check_files(options.file, known, layout, read_rom())
    _announce()
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


def boot_alone(options: argparse.Namespace) -> int:
    """Boot one kernel on a default board; no failure of mksim's has a code that the kernel could give."""
    layout, how = order(options)
    _announce()
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


def _announce() -> None:
    if cold():
        print(COMPILING, file=sys.stderr, flush=True)


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
    return alone.alone(options.kernel, modules=[*([initrd] if initrd else []), *modules], **board)


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
