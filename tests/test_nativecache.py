"""Compiled code is thrown away when anything that it was compiled from changes, and only then."""

import json
import os
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


@pytest.mark.parametrize("module", ["mksim.engine.engine", "mksim.engine.schedule", "mksim.hw.lapic"])
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
    assert not any("engine" in file.parts for file in nativecache._reach(nativecache.PACKAGE / "hw/lapic.py"))


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
