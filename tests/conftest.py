"""What all tests share: a loud word about tools of the host that are not there."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from mksim.nativecache import cold

settings.register_profile("mksim", derandomize=True, deadline=None)
settings.load_profile("mksim")
"""The same examples everywhere: a law that fails must fail again. Draw others with --hypothesis-seed."""

PACKAGES = {"qemu-system-x86_64": "qemu-system-x86", "iasl": "acpica-tools", "gdb": "gdb"}
"""Debian's package of each tool that a test may ask for."""

needs = pytest.mark.needs
"""`@needs("iasl")`: the test runs this tool of the host's."""
needs_guest = pytest.mark.needs_guest
"""`@needs_guest("vmlinuz")`: the test boots this file of build/guests, which `make guests` fetches."""
needs_package = pytest.mark.needs_package
"""`@needs_package("pandas")`: the test imports this package, which the extra `dev` installs."""

GUESTS = Path(__file__).parents[1] / "build" / "guests"


def pytest_sessionstart() -> None:
    """Compile native code first, if it is not: no test has to be patient for that."""
    if cold():
        print("compiling native code; this happens once", flush=True)
        hello = [sys.executable, "-m", "mksim", "boot", "kernels/hello/config.toml", "--quiet"]
        subprocess.run(hello, cwd=GUESTS.parents[1], capture_output=True, check=False)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what is not there; where CI=true, fail it: CI must not pass by not looking."""
    for mark in item.iter_markers("needs"):
        for tool in mark.args:
            if not shutil.which(tool):
                _refuse(f"{tool} is not installed (Debian: {PACKAGES.get(tool, tool)})")
    for mark in item.iter_markers("needs_guest"):
        for file in mark.args:
            if not (GUESTS / file).exists():
                _refuse(f"build/guests/{file} is not there (make guests)")
    for mark in item.iter_markers("needs_package"):
        for package in mark.args:
            if importlib.util.find_spec(package) is None:
                _refuse(f"the Python package {package} is not installed (pip install -e '.[dev]')")


def _refuse(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI=true lets nothing be skipped", pytrace=False)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were skipped, whatever -r says."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    for reason in sorted({str(where[2]) for where in skipped if isinstance(where, tuple)}):
        terminalreporter.write_line(reason, yellow=True)
