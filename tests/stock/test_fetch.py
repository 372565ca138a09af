"""Without apt: what the downloads themselves come to is seen by the tests that boot them."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from kernels.stock.fetch import WANTED

ROOT = Path(__file__).parents[2]


def fetch(into: Path) -> subprocess.CompletedProcess[str]:
    """Run the module with nothing on the PATH."""
    command = [sys.executable, "-m", "kernels.stock.fetch", str(into)]
    return subprocess.run(
        command, cwd=ROOT, env={"PATH": str(into)}, capture_output=True, text=True, check=False
    )


def test_without_apt_it_says_what_to_put_where(tmp_path: Path) -> None:
    done = fetch(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("guests: apt-get and dpkg-deb not found")
    for wanted in WANTED:
        assert f"{tmp_path / wanted.file}: {wanted.members[0]}" in done.stderr
        assert wanted.package in done.stderr


def test_what_was_put_there_by_hand_is_taken(tmp_path: Path) -> None:
    for wanted in WANTED:
        (tmp_path / wanted.file).write_text(wanted.file)
    done = fetch(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert set(manifest) == {wanted.file for wanted in WANTED}
    for file, entry in manifest.items():
        assert entry == {
            "package": "put there by hand",
            "sha256": hashlib.sha256(file.encode()).hexdigest(),
        }


def test_what_is_there_is_not_asked_for(tmp_path: Path) -> None:
    there, *missing = WANTED
    (tmp_path / there.file).write_text("mine")
    done = fetch(tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / there.file}:" not in done.stderr
    assert all(f"{tmp_path / wanted.file}:" in done.stderr for wanted in missing)
    assert (tmp_path / there.file).read_text() == "mine"
