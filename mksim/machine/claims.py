"""Who claims what, and which claims clash."""

from collections.abc import Iterator

from mksim.errors import Problem


def clashes(layout: object) -> Iterator[Problem]:
    """Yield every pair of claims that overlap."""
    return iter(())
