"""`python -m benchmarks [NAME...]`: one table; the rows of all that ran go to build/bench.json."""

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.rows import Row, table, write

NAMES = (
    "mixed", "ipi", "lapic", "urpc", "disk", "net", "dma", "hello", "many", "linux", "trace", "profile",
    "gdb",
)  # fmt: skip
RESULT = Path("build/bench.json")


def main(arguments: list[str]) -> int:
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in arguments or NAMES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows += import_module(f"benchmarks.{name}").rows()
        write(rows, RESULT)
    print("\n".join(table(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
