"""Whose fault it is stands in the type: the user's config, or mksim itself.

A guest's fault is neither: it is an event in the ledger, and the machine goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which file, under which key (empty for the file as a whole), and what."""

    file: str
    key: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.text) if part)


class ConfigError(Exception):
    """The configuration is wrong. Holds every problem found, not just the first; exit code 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class FileError(Exception):
    """A file that a config names cannot be used; the text says why, and the config's reader which."""


class ImageError(FileError):
    """An image cannot be loaded; the text says what is wrong with it and where in it."""


class MksimBug(Exception):  # noqa: N818 - it names the culprit, as the others do
    """mksim is wrong, not its user and not a guest."""


class EngineError(Exception):
    """The Unicorn that is installed is not the build whose inside mksim knows."""
