"""A kernel by path, alone on a default board: the config that a command line stands for, read as any other.

The kernel owns everything, low memory included. The board trusts it, as boards of one kernel do: what it
writes to the ROM is lost, and no machine check.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mksim.boot.partition import partition_table
from mksim.errors import ConfigError, Problem
from mksim.machine.config import Layout, Protection
from mksim.machine.reading import make_layout
from mksim.spec.memmap import HIGH_DRAM, LOW_DRAM_END
from mksim.spec.span import Span

NAME = "kernel"
MEMORY = 512 << 20

OPTIONS = {
    "machine.memory": "--memory",
    "machine.cores": "--cores",
    f"kernel.{NAME}.image": "--kernel",
    f"kernel.{NAME}.memory": "--memory",
    f"kernel.{NAME}.cores": "--cores",
    f"kernel.{NAME}.cmdline": "--cmdline",
    f"kernel.{NAME}.modules": "--initrd, --module",
}
"""How the command line says what a config says by these keys."""


def alone(
    image: Path,
    *,
    memory: int = MEMORY,
    cores: int = 1,
    cmdline: str = "",
    modules: Sequence[str] = (),
    disks: Sequence[str] = (),
) -> Layout:
    """Return the layout of a board with one kernel; ConfigError with every problem, by its option."""
    kernel = {
        "image": str(image),
        "cores": cores,
        "memory": [str(Span(HIGH_DRAM, memory - HIGH_DRAM)), str(Span(0, LOW_DRAM_END))],
        "cmdline": cmdline,
        "modules": list(modules),
        "expect": "any",
    }
    machine = {"memory": memory, "cores": cores, "protection": Protection.TRUST.value}
    devices = [
        {"name": f"disk{number}", "kind": "disk", "owner": NAME, "file": file}
        for number, file in enumerate(disks)
    ]
    document = {"machine": machine, "kernel": {NAME: kernel}, "expect": {"violations": "any"}}
    return _layout(document | {"device": devices}, Path(image.name))


def _layout(document: dict[str, Any], path: Path) -> Layout:
    try:
        layout = make_layout(document, path)
        partition_table(layout)
        return layout
    except ConfigError as error:
        problems = [Problem(file, _option(key), text) for file, key, text in _fields(error)]
        raise ConfigError(problems) from error


def _option(key: str) -> str:
    return "--disk" if key.startswith("device") else OPTIONS.get(key, key)


def _fields(error: ConfigError) -> list[tuple[str, str, str]]:
    return [(problem.file, problem.key, problem.text) for problem in error.problems]
