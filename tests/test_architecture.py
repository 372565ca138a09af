"""The layout holds: imports point downwards, one package knows Unicorn, files and functions stay small."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mksim"
FILES = sorted(PACKAGE.rglob("*.py"))

RANK = {
    "spec": 0, "errors": 0, "nativecache": 0, "compiled": 0, "usage": 0,
    "fabric": 1, "clock": 1,
    "hw": 2,
    "engine": 3, "boot": 3,
    "machine": 4,
    "observe": 5, "debug": 5, "arguments": 5,
    "cli": 6, "library": 6,
    "__main__": 7, "__init__": 7,
}  # fmt: skip
"""A module imports from its own package and from lower ranks; siblings of one rank do not see each other."""

FILE_MAX = 400
FUNCTION_MAX = 50
FUNCTION_MEDIAN = 8


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, those inside functions too; `.` for a relative one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else str(node.module)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines from `def` to its end, the docstring left out."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = int(first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return int(function.end_lineno or 0) - function.lineno + 1 - docstring


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}:{node.name}", length(node)


def test_every_package_has_a_rank() -> None:
    assert {place(path) for path in FILES} <= RANK.keys()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_downwards(path: Path) -> None:
    here = place(path)
    for imported in imports(path):
        assert imported != ".", "inside the package write `from mksim.x.y import z`"
        parts = imported.split(".")
        if parts[0] != "mksim":
            continue
        there = parts[1] if len(parts) > 1 else "__init__"
        assert there == here or RANK[there] < RANK[here], f"{here} must not import {there}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_engine_knows_unicorn(path: Path) -> None:
    if place(path) != "engine":
        assert not {imported.split(".")[0] for imported in imports(path)} & {"unicorn", "llvmlite"}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_MAX


def test_functions_are_short() -> None:
    lengths = {function: lines for path in FILES for function, lines in functions(path)}
    longest = sorted(lengths.items(), key=lambda item: -item[1])[:10]
    median = statistics.median(lengths.values())
    percentile = statistics.quantiles(lengths.values(), n=10)[-1]
    print(f"{len(lengths)} functions, lines: median {median}, 90th percentile {percentile}")
    for function, lines in longest:
        print(f"  {lines:3} {function}")
    assert median <= FUNCTION_MEDIAN
    assert longest[0][1] <= FUNCTION_MAX, longest[0]
