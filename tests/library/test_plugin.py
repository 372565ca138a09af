"""The pytest plugin, run by pytest itself on tests that pass and that fail."""

import json
import tomllib
from importlib.metadata import entry_points

import pytest

from tests.guest.booting import ROOT

pytest_plugins = ["pytester"]

MODULE = "mksim.library.plugin"
PLUGIN = "mksim" if any(point.value == MODULE for point in entry_points(group="pytest11")) else MODULE
"""What to call it: pytest has it loaded already where mksim was installed since it has a plugin."""
PINGPONG = ROOT / "kernels/pingpong/config.toml"


def run(pytester: pytest.Pytester, body: str, *arguments: str) -> pytest.RunResult:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    pytester.makepyfile(f"def test_it(machine):\n    one = machine({str(PINGPONG)!r})\n{lines}\n")
    return pytester.runpytest_inprocess("-p", PLUGIN, *arguments)


def test_the_project_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"mksim": MODULE}


def test_a_test_that_passes_keeps_nothing(pytester: pytest.Pytester) -> None:
    body = 'one.expect(r"(\\d+) round trips", kernel="ping", within="10ms")'
    run(pytester, body, "--mksim-artifacts=kept").assert_outcomes(passed=1)
    assert not (pytester.path / "kept").exists()


def test_a_test_that_fails_keeps_console_and_trace(pytester: pytest.Pytester) -> None:
    body = 'one.expect("a lullaby", within="5ms")'
    result = run(pytester, body, "--mksim-artifacts=kept", "--mksim-seed=5")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*NotSeen: no console shows 'a lullaby' within 5ms*", "*mksim machine 0*", "kept in kept*seed 5",
         "*answered 1000*"]
    )  # fmt: skip
    (folder,) = (pytester.path / "kept").glob("*/machine0")
    assert (folder / "pong.console").read_text() == "answered 1000\n"
    assert json.loads((folder / "summary.json").read_text())["seed"] == 5
    assert "pong" in (folder / "report.html").read_text()
    events = [json.loads(line)["event"] for line in (folder / "trace.jsonl").read_text().splitlines()]
    assert {"message", "crossing", "interrupt"} <= set(events)


def test_without_a_folder_it_is_a_temporary_one(pytester: pytest.Pytester) -> None:
    result = run(pytester, "assert one.instructions > 0")
    result.assert_outcomes(failed=1)
    told = next(line for line in result.outlines if line.startswith("kept in "))
    assert (pytester.path.parents[0] / told.split()[2].rstrip(";")).is_dir()
