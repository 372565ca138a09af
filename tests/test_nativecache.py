"""Compiled code is thrown away when anything that it was compiled from changes, and only then."""

import json
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
