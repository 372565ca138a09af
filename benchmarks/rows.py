"""What a benchmark says: rows, for people as a table and for programs as build/bench.json."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number; `ratio` is ours to the peer's, and then `goal` is the ratio's, else the value's."""

    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"] = "higher"
    peer: str | None = None
    ratio: float | None = None
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is; None where there is none, or no peer to compare with."""
        judged = self.value if self.peer is None else self.ratio
        if self.goal is None or judged is None:
            return None
        return judged >= self.goal if self.better == "higher" else judged <= self.goal


Rates = dict[str, list[float]]
"""By contestant, a rate per round; all of a round were measured one after the other."""

OURS = "mksim"


def compare(name: str, unit: str, rates: Rates, peer: str, goal: float | None) -> Row:
    """Return our rate, and the median of the rounds' ratios: a busy host slows both of a round."""
    ours, theirs = rates[OURS], rates.get(peer)
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True)) if theirs else None
    return Row(name=name, value=median(ours), unit=unit, peer=peer, ratio=ratio, goal=goal)


def table(rows: Iterable[Row]) -> list[str]:
    """Return the rows as lines of text, aligned."""
    head = ("", "value", "unit", "against", "ratio", "goal", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return ["  ".join(map(_pad, line, widths, range(len(head)))).rstrip() for line in lines]


def _pad(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column in (1, 4, 5) else cell.ljust(width)


def _cells(row: Row) -> tuple[str, ...]:
    sign = "" if row.goal is None else ">= " if row.better == "higher" else "<= "
    verdict = {True: "met", False: "missed", None: ""}[row.met]
    goal = sign + number(row.goal)
    return (row.name, number(row.value), row.unit, row.peer or "", number(row.ratio), goal, verdict)


def number(value: float | None) -> str:
    """Return a number in three digits or whole."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write(rows: Iterable[Row], path: Path) -> None:
    """Write rows as JSON, an object each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
