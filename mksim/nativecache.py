"""Where compiled native code is kept between runs.

Numba decides by a function's own file whether its cached code is fresh; what it calls may have changed in
another file. So every state of the sources gets a folder of its own, and folders of earlier states go.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).parent
NATIVE = ("spec", "clock", "fabric", "hw", "engine")
"""The packages whose code is compiled, or is constants in compiled code."""


def fingerprint() -> str:
    """Return a name for the present state of the native sources: their paths, sizes and times of change."""
    state = hashlib.blake2b(digest_size=8)
    for path in sorted(path for package in NATIVE for path in (PACKAGE / package).rglob("*.py")):
        facts = path.stat()
        state.update(f"{path.relative_to(PACKAGE)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return state.hexdigest()


def cache_root() -> Path:
    """Return the folder for this installation's caches: in the user's, else in the system's temporary one."""
    where = hashlib.blake2b(str(PACKAGE).encode(), digest_size=8).hexdigest()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mksim" / where
    try:
        home.mkdir(parents=True, exist_ok=True)
        usable = os.access(home, os.W_OK)
    except OSError:
        usable = False
    return home if usable else Path(tempfile.gettempdir()) / f"mksim-{os.getuid()}-{where}"


def cold() -> bool:
    """Tell whether nothing is compiled yet, so that the next start takes minutes."""
    return not Path(os.environ["NUMBA_CACHE_DIR"]).exists()


def prepare() -> None:
    """Point Numba to the folder for these sources. A NUMBA_CACHE_DIR that is set already stands."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    root = cache_root()
    current = root / fingerprint()
    if not current.exists() and root.exists():
        for old in root.iterdir():
            shutil.rmtree(old, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(current)
    if "numba" in sys.modules:  # imported before mksim, so it has read the environment already
        sys.modules["numba"].config.CACHE_DIR = str(current)
