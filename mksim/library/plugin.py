"""A plugin for pytest: a `machine` fixture, and what a machine did kept where its test has failed.

    def test_it_answers(machine):
        two = machine("kernels/pingpong/config.toml")
        two.expect(r"1000 round trips", kernel="ping", within="10ms")

pytest finds it by itself once mksim is installed. What takes long to import waits for the first machine.
"""

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mksim.library.machine import Machine

EVENTS = 200_000
"""The newest ones are kept for a test that fails."""
LINES = 10
"""Of each console that a report shows."""

_MACHINES = pytest.StashKey[list["Machine"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one say where to keep what machines did."""
    group = parser.getgroup("mksim")
    group.addoption(
        "--mksim-artifacts", type=Path, metavar="FOLDER",
        help="where consoles and traces of machines go when their test fails (default: a temporary one)",
    )  # fmt: skip
    group.addoption("--mksim-seed", type=int, metavar="N", help="the seed of machines that are given none")


@pytest.fixture
def machine(request: pytest.FixtureRequest) -> "Callable[..., Machine]":
    """Make machines: takes what `mksim.Machine` takes, and keeps their events."""
    from mksim.library.machine import Machine  # noqa: PLC0415 - Numba takes half a second

    made: list[Machine] = request.node.stash.setdefault(_MACHINES, [])

    def make(config: Any, *, events: int = EVENTS, seed: int | None = None, **more: Any) -> Machine:
        seed = request.config.getoption("--mksim-seed") if seed is None else seed
        made.append(Machine(config, events=events, seed=seed, **{"evidence": True} | more))
        return made[-1]

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write down what the machines of a test did, if it has failed, and say where."""
    report = yield
    machines = item.stash.get(_MACHINES, [])
    if report.when == "call" and report.failed:
        for number, one in enumerate(machines):
            folder = _folder(item, number)
            report.sections.append((f"mksim machine {number}", "\n".join(_keep(one, folder))))
    if report.when == "teardown":
        machines.clear()
    return report


def _folder(item: pytest.Item, number: int) -> Path:
    name = "".join(letter if letter.isalnum() else "-" for letter in item.name)
    chosen: Path | None = item.config.getoption("--mksim-artifacts")
    if chosen is None:
        folder: Path = item.config._tmp_path_factory.mktemp(f"mksim-{name}"[:64])  # type: ignore[attr-defined]
    else:
        file = Path(item.location[0]).with_suffix("").as_posix().replace("/", "-")
        folder = chosen / f"{file}-{name}"
    folder = folder / f"machine{number}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep(one: "Machine", folder: Path) -> Iterator[str]:
    """Write a machine's consoles, events, summary and page; yield what pytest's report is to say."""
    from mksim.machine.machine import Outcome  # noqa: PLC0415 - it is there already
    from mksim.observe.summary import summary, write  # noqa: PLC0415
    from mksim.observe.trace import fact  # noqa: PLC0415

    yield f"kept in {folder}; at {one.nanoseconds} ns, seed {one.raw.seed}"
    write(summary(one.raw, Outcome.INTERRUPTED), folder / "summary.json")
    if one.recent is not None:
        events = one.recent.events()
        lines = (json.dumps(fact(one.raw, event)) + "\n" for event in events)
        (folder / "trace.jsonl").write_text("".join(lines), encoding="utf-8")
        yield f"trace.jsonl has the newest {len(events)} of {one.recent.seen} events"
    if one.evidence is not None:
        one.write_report(folder / "report.html")
        yield "report.html shows all of it"
    for name, console in one.transcript.consoles.items():
        (folder / f"{name}.console").write_bytes(console.data)
        for line in console.lines()[-LINES:]:
            yield f"[{name}] {line.text}"
