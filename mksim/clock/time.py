"""Virtual time: an integer count of cycles, one cycle being one instruction slot of a core.

A machine's `rate` (Hz) turns cycles into seconds. Chips that count at another frequency convert with
`scale`, which is exact: no float ever touches time.
"""

from mksim.compiled import native

NEVER = 1 << 62
"""A time no machine reaches: the deadline of a timer that is not armed."""


@native
def scale(value: int, numerator: int, denominator: int) -> int:
    """Return floor(value * numerator / denominator) without overflow (value < 2**62, the others < 2**31)."""
    whole, part = value // denominator, value % denominator
    return whole * numerator + part * numerator // denominator
