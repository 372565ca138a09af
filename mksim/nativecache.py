"""Where compiled native code is kept between runs, and when it is fresh.

Numba judges a function's cached code by the file that the function stands in; what it calls may have changed
in another. So this package brings a locator of its own: a function's code is fresh as long as its file, and
every file of mksim that the file has code or layouts of, is what it was when the code was compiled.
(Numba, "Environment variables": NUMBA_CACHE_LOCATOR_CLASSES.)
"""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType

PACKAGE = Path(__file__).parent
_COMPILED = ("spec", "clock", "fabric", "hw", "engine")
_PREFIX = f"{PACKAGE}{os.sep}"
LOCATORS = "mksim.nativecache.Locator,InTreeCacheLocator,UserWideCacheLocator"
"""Ours takes the functions of mksim only; those of whoever imports mksim stay where Numba keeps them."""

_IMPORT = re.compile(r"^from mksim\.?([\w.]*) import (\([^)]*\)|.*)", re.MULTILINE)
_NAME = re.compile(r"\w+")
_OUTLINED = re.compile(r"^@outlined\([^)]*\)\ndef (\w+)\([^)]*\) -> [^\n]*:$", re.MULTILINE)


def _imports(path: Path) -> Iterator[Path | str]:
    """Yield the files of mksim that a file of mksim imports: modules, and the packages' own.

    Of a module of which it only calls `outlined` functions it has no code: their signatures come instead.
    """
    for package, listed in _IMPORT.findall(path.read_text(encoding="utf-8")):
        place, names = PACKAGE.joinpath(*package.split(".")) if package else PACKAGE, _NAME.findall(listed)
        signatures = _signatures(place.with_suffix(".py"))
        if signatures.keys() >= set(names):
            yield from (signatures[name] for name in names)
            continue
        candidates = [place / name for name in names] + [place, place / "__init__"]
        yield from (file for one in candidates if (file := one.with_suffix(".py")).is_file())


@cache
def _signatures(path: Path) -> dict[str, str]:
    """Return the signatures of the outlined functions of a file, as they stand there."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return {match[1]: match[0] for match in _OUTLINED.finditer(text)}


def _reach(path: Path) -> set[Path | str]:
    """Return what the code of a file depends on: files of mksim, itself among them, and signatures."""
    seen, todo = set[Path | str](), list[Path | str]([path])
    while todo:
        if (one := todo.pop()) not in seen:
            seen.add(one)
            todo += _imports_of(one) if isinstance(one, Path) else ()
    return seen


@cache
def _imports_of(path: Path) -> tuple[Path | str, ...]:
    return tuple(_imports(path))


@cache
def _digest(one: Path | str) -> bytes:
    content = one.read_bytes() if isinstance(one, Path) else one.encode()
    return hashlib.blake2b(content, digest_size=16).digest()


def _name_of(contents: Iterable[Path | str]) -> str:
    state = hashlib.blake2b(digest_size=16)
    for one in sorted(contents, key=str):
        state.update(_digest(one))
    return state.hexdigest()


@cache
def stamp(path: Path) -> str:
    """Return a name for the contents of a file of mksim and of all that its code depends on."""
    return _name_of(_reach(path))


@cache
def cache_root() -> Path:
    """Return the folder for this installation's code: in the user's cache, else in the temporary folder."""
    where = hashlib.blake2b(str(PACKAGE).encode(), digest_size=8).hexdigest()
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mksim" / where
        home.mkdir(parents=True, exist_ok=True)
        if os.access(home, os.W_OK):
            return home
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        pass
    return Path(tempfile.gettempdir()) / f"mksim-{os.getuid()}-{where}"


@cache
def _folder(file: Path) -> str:
    return str(cache_root() / file.relative_to(PACKAGE).with_suffix(""))


class Locator:
    """Where a function's code is, and what it depends on: what Numba asks (numba.core.caching)."""

    def __init__(self, function: FunctionType, file: Path) -> None:
        self._file = file
        self._name = function.__qualname__

    @classmethod
    def from_function(cls, function: FunctionType, file: str) -> "Locator | None":
        """Return a locator for a function of mksim; None for all others."""
        return cls(function, Path(file)) if file.startswith(_PREFIX) else None

    def get_cache_path(self) -> str:
        """Return the folder for the code of the function's module."""
        return _folder(self._file)

    def ensure_cache_path(self) -> None:
        """Make that folder."""
        os.makedirs(self.get_cache_path(), exist_ok=True)

    def get_source_stamp(self) -> str:
        """Return what must be the same for the code to be fresh."""
        return stamp(self._file)

    def get_disambiguator(self) -> str:
        """Return nothing: a module of mksim has no two functions of one name."""
        return ""


def _machine_stamp() -> str:
    return _name_of(file for package in _COMPILED for file in (PACKAGE / package).glob("*.py"))


def cold() -> bool:
    """Tell whether some code is not compiled, or not as it is now, so that the next start takes minutes."""
    built = cache_root() / "built"
    return not built.exists() or built.read_text() != _machine_stamp()


def warmed() -> None:
    """Note that a machine has started, so that all code is there."""
    if cold():
        with suppress(OSError):  # a full disk costs the next start a word too many, and not this run its end
            (cache_root() / "built").write_text(_machine_stamp())


def prepare() -> None:
    """Make Numba ask the locator above."""
    os.environ["NUMBA_CACHE_LOCATOR_CLASSES"] = LOCATORS
    if "numba" in sys.modules:  # imported before mksim, so it has read the environment already
        sys.modules["numba"].config.CACHE_LOCATOR_CLASSES = LOCATORS
