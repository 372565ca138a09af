"""Compiled code is thrown away when anything that it was compiled from changes, and only then."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mksim import nativecache

LOADED = """
import json, sys
import {module}
print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "mksim"]))
"""


@pytest.mark.parametrize("module", ["mksim.engine.gates", "mksim.engine.records", "mksim.hw.lapic"])
def test_a_stamp_covers_every_file_that_the_import_loads(module):
    run = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, check=True
    )
    packages_only = nativecache.PACKAGE / "__init__.py"
    loaded = {Path(file) for file in json.loads(run.stdout)} - {packages_only}
    file = nativecache.PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    emptiness = {path for path in loaded if path.name in ("__init__.py", "nativecache.py")}
    assert loaded - emptiness <= nativecache._reach(file)


def test_a_chip_does_not_depend_on_the_engine():
    reach = nativecache._reach(nativecache.PACKAGE / "hw/lapic.py")
    assert not any("engine" in Path(one).parts for one in reach)


STAMPS = """
from mksim import nativecache
print(*(nativecache.stamp(nativecache.PACKAGE / "engine" / file) for file in ("schedule.py", "serial.py")))
"""


def stamps(tree: Path) -> list[str]:
    """Return the stamps of a file and of one whose outlined functions it calls, in a copy of the package."""
    run = subprocess.run(
        [sys.executable, "-c", STAMPS], cwd=tree, env={}, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def test_who_calls_an_outlined_function_depends_on_its_signature_alone(tmp_path):
    shutil.copytree(nativecache.PACKAGE, tmp_path / "mksim", ignore=shutil.ignore_patterns("__pycache__"))
    serial, callee = tmp_path / "mksim/engine/serial.py", "def arrive_serial(machine: np.void, unit: int"
    caller_before, before = stamps(tmp_path)
    serial.write_text(serial.read_text() + "\n# another body\n")
    caller, after = stamps(tmp_path)
    assert (caller, after == before) == (caller_before, False)
    assert callee in serial.read_text()
    serial.write_text(serial.read_text().replace(callee, f"{callee}, more: int"))
    assert stamps(tmp_path)[0] != caller_before
    inlined = tmp_path / "mksim/engine/interrupts.py"
    caller_before, _ = stamps(tmp_path)
    inlined.write_text(inlined.read_text() + "\n# another body\n")
    assert stamps(tmp_path)[0] != caller_before


def test_functions_of_others_keep_their_place():
    assert nativecache.Locator.from_function(test_functions_of_others_keep_their_place, __file__) is None


PLACE = """
import os
from mksim import nativecache
os.environ.update({environment!r})
if {user}:
    os.environ.pop("HOME", None)
    os.setuid({user})
print(nativecache.cache_root())
"""


def place(environment: dict[str, str], user: int = 0) -> Path:
    """Return where a process keeps native code that has these variables, and maybe another user."""
    script = PLACE.format(environment=environment, user=user)
    return Path(
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.strip()
    )


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
@pytest.mark.parametrize("home", ["/dev/null", "/proc"])
def test_where_the_cache_cannot_be_it_is_in_the_temporary_folder(variable, home, tmp_path):
    environment = {"XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)} | {variable: home}
    assert place(environment).parent == tmp_path


@pytest.mark.skipif(os.getuid() != 0, reason="only root may be another user")
def test_a_user_without_a_home_has_a_cache(tmp_path):
    tmp_path.chmod(0o777)
    assert place({"XDG_CACHE_HOME": "", "TMPDIR": "/tmp"}, user=54321).name.startswith("mksim-54321-")
