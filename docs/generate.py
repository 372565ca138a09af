"""Write the pages of docs/ that are made from the code: `python -m docs.generate`, or `make docs`.

The memory map comes from `mksim/spec/memmap.py`, the config's keys from `mksim/machine/schema.py`.
"""

import ast
from collections.abc import Callable, Iterator
from enum import Enum
from operator import itemgetter
from pathlib import Path
from typing import Any

from mksim.fabric.ownership import OWN_PORTS
from mksim.machine import schema
from mksim.machine.schema import REQUIRED, Key
from mksim.machine.units import SECONDS
from mksim.spec import memmap

DOCS = Path(__file__).parent
MADE = "<!-- made by `make docs`; edit {} instead -->"


def memory_map() -> str:
    """Return memory-map.md: the drawing of memmap's docstring, then its constants as they are."""
    drawing = str(memmap.__doc__).split("\n\n", 1)[1].rstrip()
    return "\n".join(
        [
            MADE.format("mksim/spec/memmap.py"),
            "# Memory map",
            "",
            "Physical addresses, the same for every kernel. `mksim check` draws what a config gives to whom.",
            "",
            "```text",
            *(line.removeprefix("    ") for line in drawing.splitlines()),
            "```",
            "",
            "## Addresses",
            "",
            "| name | value | |",
            "|---|---|---|",
            *_constants(lambda name: not name.startswith(("PORT_", "IRQ_"))),
            "",
            "## I/O ports",
            "",
            "| name | value | |",
            "|---|---|---|",
            *_constants(lambda name: name.startswith(("PORT_", "IRQ_"))),
            "",
            f"Every kernel has these for itself: {_ports()}. Every other port has one owner at most.",
            "",
        ]
    )


def _ports() -> str:
    spans = (f"{span.start:#x}-{span[-1]:#x}" if len(span) > 1 else f"{span.start:#x}" for span in OWN_PORTS)
    return ", ".join(f"`{span}`" for span in spans)


def _constants(wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield a table's row for each constant of memmap, with the string under it as its comment."""
    body = ast.parse(Path(str(memmap.__file__)).read_text()).body
    for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if not isinstance(node, ast.Assign):
            continue
        name = ast.unparse(node.targets[0])
        if wanted(name):
            documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            comment = str(after.value.value) if documented else ""
            yield f"| `{name}` | {_numbers(getattr(memmap, name))} | {' '.join(comment.split())} |"


def _numbers(value: int | tuple[int, ...]) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"`{number:#x}`" for number in values)


INTRODUCTIONS = {
    "machine": ("[machine]", "The board. The whole table may be left out."),
    "kernel": ("[kernel.NAME]", "One kernel; the order in the file gives them their ids. At least one."),
    "window": ("[[window]]", "Memory that belongs to several kernels. Any number."),
    "doorbell": ("[[doorbell]]", "Who may interrupt whom, with what. Any number."),
    "wire": ("[[wire]]", "A null modem: what one UART sends, the other receives. Any number."),
    "device": ("[[device]]", "A device on PCI; docs/devices.md tells of them. Any number."),
    "iommu": ("[iommu]", "Intel VT-d before all devices: see docs/devices.md. Without the table, none."),
    "expect": ("[expect]", "What the run as a whole is to come to, for the exit code."),
}


def config() -> str:
    """Return config.md: every table of the schema, every key."""
    lines = [
        MADE.format("mksim/machine/schema.py"),
        "# Config",
        "",
        "A config is a TOML file. `mksim check FILE` tells all that is wrong with it, and draws it.",
        "",
        "Sizes are bytes, or strings with `K`, `M`, `G`. Durations are strings with `ns`, `us`, `ms`,",
        'or `s`. Ranges are strings with both their ends, as `"0x1000000-0x13fffff"`. Memory comes in pages.',
    ]
    for table, keys in schema.TABLES.items():
        title, introduction = INTRODUCTIONS[table]
        lines += ["", f"## `{title}`", "", introduction, "", "| key | default | |", "|---|---|---|"]
        lines += [_row(name, key) for name, key in keys.items()]
    return "\n".join([*lines, ""])


def _row(name: str, key: Key) -> str:
    means = key.means.replace("|", "\\|").replace("*", "\\*")
    return f"| `{name}` | {_default(name, key)} | {means} |"


SIZES = {"memory"}
DURATIONS = {"latency", "restart_after"}


def _default(name: str, key: Key) -> str:
    """Return a default as one would write it."""
    if key.default is REQUIRED:
        return "**required**"
    if key.default is None or key.default == ():
        return ""
    return f"`{_written(name, key.default)}`"


def _written(name: str, value: Any) -> str:
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if name in SIZES:
        return f'"{value >> 20}M"'
    if name in DURATIONS:
        unit, size = max((pair for pair in SECONDS.items() if pair[1] <= value), key=itemgetter(1))
        return f'"{value / size}{unit}"'
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'


PAGES = {"memory-map.md": memory_map, "config.md": config}


def main() -> None:
    """Write all generated pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())


if __name__ == "__main__":
    main()
