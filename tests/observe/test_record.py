import json
from pathlib import Path

import pytest

from mksim.cli import main
from tests.guest.booting import ROOT

PINGPONG = ROOT / "kernels" / "pingpong" / "config.toml"


@pytest.fixture
def recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    file = tmp_path / "run.mk"
    assert main(["boot", str(PINGPONG), "--seed=5", "--quiet", f"--record={file}"]) == 0
    capsys.readouterr()
    return file


def change(file: Path, **changes: object) -> None:
    record = json.loads(file.read_text())
    record["end"] |= changes
    file.write_text(json.dumps(record))


def test_the_same_run_is_the_same(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recorded), "--quiet"]) == 0
    assert "replay   the same as recorded: 1 milestones, digest" in capsys.readouterr().out


def test_a_replay_can_be_traced(recorded: Path, tmp_path: Path) -> None:
    trace = tmp_path / "run.jsonl"
    assert main(["replay", str(recorded), "--quiet", f"--trace={trace}", "--trace-only=message"]) == 0
    assert len(trace.read_text().splitlines()) > 2000


def test_a_record_holds_all_that_the_run_was_made_of(recorded: Path) -> None:
    record = json.loads(recorded.read_text())
    assert list(record["files"]) == [
        "ROM", "config config.toml", "image of ping, ping.elf", "image of pong, pong.elf"
    ]  # fmt: skip
    assert record["seed"] == 5
    assert record["end"]["consoles"]["pong"][0] == len("answered 1000\n")


def test_milestones_are_compared_on_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, smp = tmp_path / "run.mk", str(ROOT / "kernels" / "smp" / "config.toml")
    main(["boot", smp, "--quiet", f"--record={file}"])
    record = json.loads(file.read_text())
    assert [milestone["target"] for milestone in record["milestones"]] == [1000000 * n for n in (1, 2, 3, 4)]
    assert main(["replay", str(file), "--quiet"]) == 0
    record["milestones"][2]["events"] ^= 1
    file.write_text(json.dumps(record))
    capsys.readouterr()
    assert main(["replay", str(file), "--quiet"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[-2].startswith("replay   parts between instructions 2,0")
    assert told[-1].startswith("replay   the events: ")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"digest": "0" * 64}, "replay   the digest is "),
        ({"crossings": 1}, "replay   crossings: 2000, and was 1"),
        ({"consoles": {"ping": [0, ""]}}, "replay   console of pong: 14 bytes, and was 0"),
    ],
)
def test_what_differs_is_named(
    changes: dict[str, object], told: str, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(recorded, **changes)
    assert main(["replay", str(recorded), "--quiet"]) == 1
    assert told in capsys.readouterr().out


def test_a_file_that_has_changed_is_named_and_nothing_runs(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads(recorded.read_text())
    record["files"]["image of pong, pong.elf"] = "0" * 32
    recorded.write_text(json.dumps(record))
    assert main(["replay", str(recorded)]) == 2
    assert "image of pong, pong.elf is another than the one that was run" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"mksim": 1}', '{"mksim": 1, "arguments": ["x"]}'])
def test_what_is_no_record_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.mk"
    file.write_text(text)
    assert main(["replay", str(file)]) == 2
    assert str(file) in capsys.readouterr().err
