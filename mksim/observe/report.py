"""The report: one page about one run, whole in itself. What a guest has said is text in it, and never more.

The page is report.html. It loads nothing and, by its own policy, runs no script but report.js, a part of it.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from mksim.errors import ConfigError, Problem
from mksim.machine.kernel import Life
from mksim.machine.machine import Machine, Outcome
from mksim.observe.console import FIRMWARE_NAME
from mksim.observe.crossings import Crossings
from mksim.observe.evidence import Evidence
from mksim.observe.picture import colour, definitions, map_rows, size, swatch
from mksim.observe.summary import ending, summary
from mksim.observe.timeline import ARROWS, timeline
from mksim.observe.transcript import Line

PATTERN = "k"
LINES = 500
"""Of a console, at its beginning and at its end."""
FAULTS = 200
"""Of the IOMMU's."""
SIDE_BY_SIDE = 6
"""Consoles; more of them stand one below the other."""


def page(
    evidence: Evidence,
    outcome: Outcome,
    *,
    differences: Sequence[str] = (),
    scorecard: Sequence[dict[str, Any]] = (),
) -> str:
    """Return the page. `differences` say how a replay has parted from its record."""
    machine = evidence.machine
    result = summary(machine, outcome)
    crossings = Crossings(machine)
    details = crossings.details()
    script = _part(".js")
    return Template(_part(".html")).substitute(
        title=escape(_title(machine.layout.path)),
        script=script,
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        patterns=definitions(len(machine.lives), PATTERN),
        summary=_summary(result),
        alarm=_alarm(machine, differences),
        kernels="".join(_kernel(machine, life, result["kernels"], PATTERN) for life in machine.lives),
        timeline=timeline(evidence, crossings.listed),
        drawn=_drawn(evidence),
        matrix=crossings.matrix(),
        details=details,
        faults=_faults(result.get("iommu", {})),
        consoles=_consoles(evidence),
        omitted=_omitted(evidence),
        map=map_rows(machine.layout, PATTERN),
        scorecard=_scorecard(scorecard) if scorecard else "",
        more_links='<a href="#scorecard">Scorecard</a>' if scorecard else "",
        digest=result["digest"],
    )


def fragment(machine: Machine, prefix: str) -> str:
    """Return kernels, crossings and map as a piece of a page; `prefix` makes its names its own there."""
    result = summary(machine, Outcome.INTERRUPTED)
    matrix = Crossings(machine, linked=False).matrix()
    patterns = (
        f'<svg width="0" height="0" style="position:absolute">{definitions(len(machine.lives), prefix)}</svg>'
    )
    kernels = "".join(_kernel(machine, life, result["kernels"], prefix) for life in machine.lives)
    return (
        f"<div>{patterns}<p>{machine.nanoseconds:,} ns, {result['instructions']:,} instructions, "
        f"seed {result['seed']}, {result['protection']}</p><table>{kernels}</table>{matrix}"
        f"<details><summary>memory</summary><table>{map_rows(machine.layout, prefix)}</table></details></div>"
    )


def _title(path: Path) -> str:
    return f"{path.resolve().parent.name}/{path.name}" if path.suffix == ".toml" else path.name


def _part(ending: str) -> str:
    return Path(__file__).with_suffix(ending).read_text(encoding="utf-8")


def _summary(result: dict[str, Any]) -> str:
    crossed = result["crossings"]
    return (
        f"{result['outcome'].capitalize()} after {result['virtual_ns'] / 1e6:,.3f} ms of virtual time, "
        f"{result['instructions']:,} instructions, seed {result['seed']}, protection "
        f"<b>{result['protection']}</b>. {crossed['granted']:,} crossings were granted, "
        f"<b>{crossed['violations']:,} were violations</b>."
    )


def _alarm(machine: Machine, differences: Sequence[str]) -> str:
    told = [f"It is not the run that was recorded: {difference}." for difference in differences]
    told += [
        f"{life.kernel.name} was expected to end by: {life.kernel.expect}."
        for life in machine.lives
        if not life.as_expected
    ]
    return f'<div class="alarm">{"<br>".join(map(escape, told))}</div>' if told else ""


def _kernel(machine: Machine, life: Life, results: dict[str, Any], prefix: str) -> str:
    kernel, result = life.kernel, results[life.kernel.name]
    cells = (
        swatch(f"url(#{prefix}{kernel.id})"),
        f"<b>{escape(kernel.name)}</b>",
        ", ".join(map(str, kernel.cores)),
        escape(ending(result)),
        f"{result['instructions']:,}",
        size(sum(span.size for span in kernel.owned)),
        f"<code>{escape(kernel.path.name)}</code>",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _drawn(evidence: Evidence) -> str:
    told = []
    if (total := len(evidence.messages())) > ARROWS:
        told.append(f"{ARROWS} of {total:,} messages are drawn.")
    if missing := evidence.dropped + evidence.machine.events_lost:
        told.append(f"{missing:,} events at the end are not shown.")
    return " ".join(told)


def _faults(told: dict[str, Any]) -> str:
    """Return what the IOMMU has refused, if there is one and it has."""
    if not told.get("faults"):
        return ""
    rows = "".join(
        f"<tr><td>{fault['when_ns']:,} ns</td><td>{fault['kind']}</td><td><code>{fault['where']}</code></td>"
        f"<td><code>device {fault['device']}</code></td><td>{escape(fault['reason'])}</td></tr>"
        for fault in told["first"][:FAULTS]
    )
    return (
        f"<details><summary>The IOMMU refused: {told['faults']:,} faults</summary>"
        f'<div class="scroll"><table class="events">{rows}</table></div></details>'
    )


def _shown(lines: list[Line]) -> list[Line]:
    return lines if len(lines) <= 2 * LINES else lines[:LINES] + lines[-LINES:]


def _omitted(evidence: Evidence) -> str:
    told = []
    for name, console in evidence.transcript.consoles.items():
        if (missing := len(console.lines()) - 2 * LINES) > 0:
            told.append(f"{missing:,} lines in the midst of {escape(name)}'s are left out.")
        if console.dropped:
            told.append(f"{console.dropped:,} bytes at the end of {escape(name)}'s are left out.")
    return " ".join(told)


def _consoles(evidence: Evidence) -> str:
    """Return all consoles in one list by time, a column for each."""
    consoles = {name: console for name, console in evidence.transcript.consoles.items() if console.data}
    if not consoles:
        return "<p>Nobody said anything.</p>"
    rows = [
        (line.when, column, name, line.text)
        for column, (name, console) in enumerate(consoles.items())
        for line in _shown(console.lines())
    ]
    kind = "console" if len(consoles) <= SIDE_BY_SIDE else "console stacked"
    names = "".join(
        f'<span style="grid-column:{column + 2};border-color:{_edge(evidence, name)}">{escape(name)}</span>'
        for column, name in enumerate(consoles)
    )
    items = "".join(_line(evidence, *row) for row in sorted(rows, key=lambda row: row[:2]))
    head = f'<li class="head-row"><time></time>{names}</li>'
    return f'<ol class="{kind}" style="--kernels:{len(consoles)}">{head}{items}</ol>'


def _line(evidence: Evidence, when: int, column: int, name: str, text: str) -> str:
    told = f"{evidence.machine.layout.nanoseconds(when) / 1000:,.1f}"
    place = f"grid-column:{column + 2};border-color:{_edge(evidence, name)}"
    return f'<li><time>{told}</time><b>{escape(name)}</b><span style="{place}">{escape(text)}</span></li>\n'


def _edge(evidence: Evidence, name: str) -> str:
    return "#888888" if name == FIRMWARE_NAME else colour(evidence.machine.layout.kernel(name).id)


def _scorecard(cells: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(cell["protection"] for cell in cells))
    grid = {(cell["attack"], cell["protection"]): cell for cell in cells}
    rows = ""
    for attack in dict.fromkeys(cell["attack"] for cell in cells):
        marks = "".join(_mark(grid.get((attack, column))) for column in columns)
        rows += f"<tr><th>{escape(attack)}</th>{marks}</tr>"
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    return (
        '<h2 id="scorecard">Scorecard</h2>'
        '<p class="soft">What of others an attack affects, by protection.</p>'
        f'<div class="scroll"><table class="sheet"><tr><td></td>{head}</tr>{rows}</table></div>'
    )


def _mark(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "<td></td>"
    words = ", ".join(_affected(cell))
    return f'<td class="{"hit" if words else "safe"}">{escape(words) or "nothing"}</td>'


def _affected(cell: dict[str, Any]) -> Iterator[str]:
    for count, what in ((cell["pages"], "page"), (cell["cores"], "core"), (len(cell["devices"]), "device")):
        if count:
            yield f"{count} {what}{'s' * (count > 1)}"


def read_scorecard(path: Path) -> list[dict[str, Any]]:
    """Return what `mksim scorecard --out FILE.json` has written; ConfigError if it is not that."""
    wanted = {"attack": str, "protection": str, "pages": int, "cores": int, "devices": list}
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(cells, list) and all(
            isinstance(cell, dict) and all(isinstance(cell.get(key), kind) for key, kind in wanted.items())
            for cell in cells
        )
    except (OSError, ValueError) as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error}")]) from error
    if not sound:
        raise ConfigError([Problem(str(path), "", "is no scorecard")])
    found: list[dict[str, Any]] = cells
    return found
