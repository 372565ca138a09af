"""The arguments of every command: names, kinds and help. What they come to is in `cli`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mksim.machine import schema, units
from mksim.machine.options import SHEET_FORMS, TRACE_FORMS, TRACE_KINDS, TRACE_MOST
from mksim.machine.values import CORES_MAX, between


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


def _file_ending(*endings: str) -> Callable[[str], Path]:
    """Return a parser of names that end in one of these."""

    def file(text: str) -> Path:
        if Path(text).suffix not in endings:
            raise ValueError(f"is {text!r}, which does not end in {' or '.join(endings)}")
        return Path(text)

    return file


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


_sheet = _argument(_file_ending(*SHEET_FORMS))
_gdb = _argument(_gdb_address)
_limit = _argument(units.limit)
_trace = _argument(_file_ending(*TRACE_FORMS))
_kinds = _argument(_trace_kinds)
_events = _argument(between(1, 1 << 40, units.written))
_console = _argument(_file_of_kernel)
_number = _argument(between(0, (1 << 64) - 1, units.written, "#x"))
_seed = _argument(between(0, schema.SEED_MAX, units.written))
_cmdline = _argument(schema.KERNEL["cmdline"].parse)
_memory = _argument(schema.MACHINE["memory"].parse)
_cores = _argument(between(1, CORES_MAX, units.written))
BOARD = ("initrd", "module", "disk", "cmdline", "cores", "memory")
"""Options that are only for --kernel: the rest goes with a config as well."""


def config_arguments(command: argparse.ArgumentParser) -> None:
    """A config."""
    command.add_argument("config", type=Path, metavar="CONFIG.toml", help="the machine and its kernels")


def boot_arguments(command: argparse.ArgumentParser, *, wait: bool = False) -> None:
    """What `boot` takes, and `debug`, which waits for gdb."""
    command.set_defaults(wait=wait)
    what = command.add_mutually_exclusive_group(required=True)
    help_ = "the machine and its kernels"
    what.add_argument("config", type=Path, nargs="?", metavar="CONFIG.toml", help=help_)
    what.add_argument("--kernel", type=Path, metavar="IMAGE", help="one kernel, alone on a default board")
    _board_options(command.add_argument_group("the board of --kernel"))
    add = command.add_argument
    add("--seed", type=_seed, metavar="N", help="draw another interleaving of cores (default: the config's)")
    add("--until", type=_limit, metavar="LIMIT", help="stop at a virtual time (10ms) or instruction (5Minsn)")
    _report_options(command)
    _trace_options(command)
    command.set_defaults(prompt=False)
    add = command.add_mutually_exclusive_group().add_argument
    if wait:
        _prompt_option(add)
    add("--record", type=Path, metavar="FILE", help="write down what is run and how it goes, for replay")
    add("--gdb", type=_gdb, default=("1234" if wait else None), metavar="PORT|unix:PATH",
        help="let gdb attach there" + (" (default: 1234)" if wait else ""))  # fmt: skip
    choice = command.add_mutually_exclusive_group()
    choice.add_argument("--trust", dest="protection", action="store_const", const="trust",
                        help="violations happen, and are recorded")  # fmt: skip
    choice.add_argument("--guard", dest="protection", action="store_const", const="guard",
                        help="violations do not happen, and are recorded")  # fmt: skip


def _prompt_option(add: Callable[..., Any]) -> None:
    add(
        "--prompt",
        action="store_true",
        help="no gdb: commands from the terminal, a file or a pipe",
    )


def _board_options(group: Any) -> None:
    add = group.add_argument
    add("--initrd", metavar="FILE", help="the first module: Linux's initial RAM disk")
    add("--module", action="append", metavar="'FILE ARGUMENTS'", help="a further module; may be repeated")
    add("--disk", action="append", metavar="FILE", help="what a virtio disk holds; may be repeated")
    add("--cmdline", type=_cmdline, metavar="TEXT", help="the kernel's command line")
    add("--cores", type=_cores, metavar="N", help="processors (default: 1)")
    add("--memory", type=_memory, metavar="SIZE", help="memory, up to 3G (default: 512M)")


def _report_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--console", type=_console, action="append", default=[], metavar="KERNEL=FILE",
        help="write a kernel's console to a file, as it is; may be repeated")  # fmt: skip
    add("--summary", type=Path, metavar="FILE.json", help="write what happened to a file")
    add("--quiet", action="store_true", help="no status line and no summary on the terminal")
    add("--gdbinit", type=Path, metavar="FILE", help="where to write gdb's commands that attach")


def _trace_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--trace", type=_trace, metavar="FILE.pftrace",
        help="write events as they happen: .pftrace and .json are for Perfetto, .jsonl is lines")  # fmt: skip
    add("--trace-only", type=_kinds, default=frozenset(TRACE_KINDS), metavar="KINDS",
        help=f"only these, with commas between: {', '.join(TRACE_KINDS)}")  # fmt: skip
    add("--trace-most", type=_events, default=TRACE_MOST, metavar="N",
        help=f"only the first N events (default: {TRACE_MOST})")  # fmt: skip


def replay_arguments(command: argparse.ArgumentParser) -> None:
    """What `replay` takes."""
    add = command.add_argument
    command.set_defaults(wait=True, record=None)
    add("file", type=Path, metavar="RECORD", help="what boot --record has written")
    _report_options(command)
    _trace_options(command)
    add = command.add_mutually_exclusive_group().add_argument
    add("--gdb", type=_gdb, metavar="PORT|unix:PATH", help="let gdb attach there, and do not compare")
    _prompt_option(add)


def report_arguments(command: argparse.ArgumentParser) -> None:
    """What `report` takes."""
    add = command.add_argument
    for name in ("record", "summary", "gdb", "gdbinit", "trace", "trace_only", "trace_most"):
        command.set_defaults(**{name: None})
    command.set_defaults(wait=False, console=[], quiet=True, prompt=False)
    add("file", type=Path, metavar="RECORD", help="what boot --record has written")
    add("-o", "--out", type=Path, required=True, metavar="FILE.html", help="where the page goes")
    add("--scorecard", type=Path, metavar="FILE.json", help="show this too: what scorecard --out has written")


def scorecard_arguments(command: argparse.ArgumentParser) -> None:
    """What `scorecard` takes."""
    command.add_argument("--out", type=_sheet, metavar="FILE", help="also write it, as .json or as .svg")


def disasm_arguments(command: argparse.ArgumentParser) -> None:
    """What `disasm` takes."""
    add = command.add_argument
    add("image", type=Path, metavar="IMAGE|CONFIG.toml", help="an image, or a config that names some")
    add("--kernel", metavar="NAME", help="which kernel's image (default: the config's first)")
    add("--symbol", metavar="NAME", help="the function to show")
    add("--start", type=_number, metavar="ADDRESS", help="where to start, as linked (default: the entry)")
    add("--count", type=_number, metavar="N", help="how many instructions (default: 32, or all of a symbol)")
    add("--bits", type=int, choices=(16, 32, 64), help="as which code (default: 64; at an entry 32)")


def bench_arguments(command: argparse.ArgumentParser) -> None:
    """What `bench` takes."""
    command.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
