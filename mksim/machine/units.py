"""How people write sizes, times, rates, ranges, vectors. Each parser returns a value or raises ValueError.

The text of the error completes a sentence that begins with the key: "kernel.ping.memory: is ...".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from reprlib import Repr

from mksim.fabric.ownership import PORTS, VECTORS, Rights, Signal
from mksim.spec.memmap import PAGE, PHYSICAL_END
from mksim.spec.span import Span

BINARY = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
DECIMAL = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
SECONDS = {"s": Fraction(1), "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6), "ns": Fraction(1, 10**9)}

# Digits are bounded so that no number takes long to read, whatever a file holds.
NUMBER = r"(0[xX][0-9a-fA-F]{1,16}|\d{1,20})"
SIZE = re.compile(rf"{NUMBER}\s*([KMGT]?)(?:iB|B)?", re.IGNORECASE | re.ASCII)
RANGE = re.compile(rf"{NUMBER}\s*-\s*{NUMBER}", re.ASCII)
SINGLE = re.compile(NUMBER, re.ASCII)
FREQUENCY = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([KMG]?)(?:Hz)?", re.IGNORECASE | re.ASCII)
DURATION = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*(s|ms|us|ns)", re.ASCII)
INSTRUCTIONS = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([KMG]?)(?:insn)?", re.IGNORECASE | re.ASCII)

LOWEST_VECTOR = 16
"""Vectors below are illegal in the local APIC: SDM vol. 3A, 12.5.2."""

SIGNALS = {"nmi": Signal.NMI, "init": Signal.INIT, "sipi": Signal.SIPI}

SHOWN = 60
"""Characters of a value that an error quotes."""

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = SHOWN


def shown(value: object) -> str:
    """Return a value as an error quotes it: never longer than a line."""
    quoted = _repr.repr(value)
    return quoted if len(quoted) <= SHOWN else quoted[: SHOWN - 3] + "..."


def integer(value: object) -> int:
    """Return an integer, given as such; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"is {shown(value)}, not an integer")
    return value


def text(value: object) -> str:
    """Return a string, given as such."""
    if not isinstance(value, str):
        raise ValueError(f"is {shown(value)}, not a string")
    return value


def boolean(value: object) -> bool:
    """Return a truth value, given as such."""
    if not isinstance(value, bool):
        raise ValueError(f"is {shown(value)}, neither true nor false")
    return value


def written(value: object) -> int:
    """Return an integer given as text, decimal or 0x."""
    return number(_matched(SINGLE, value, "a number").group())


def number(digits: str) -> int:
    """Return the value of decimal or 0x digits."""
    return int(digits, 16 if digits[:2] in ("0x", "0X") else 10)


def _matched(pattern: re.Pattern[str], value: object, wanted: str) -> re.Match[str]:
    if isinstance(value, str) and (match := pattern.fullmatch(value.strip())):
        return match
    raise ValueError(f"is {shown(value)}, not {wanted}")


def _plain(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def size(value: object) -> int:
    """Return bytes: 65536, "64K", "16M", "1G", "0x10000"."""
    if _plain(value):
        return integer(value)
    match = _matched(SIZE, value, 'a size like "64M" or "4K"')
    return number(match[1]) * BINARY[match[2].upper()]


def pages(value: object) -> int:
    """Return a size of whole pages, one at least."""
    bytes_ = size(value)
    if not bytes_ or bytes_ % PAGE:
        raise ValueError(f"is {bytes_:#x} bytes, not a number of whole {PAGE:#x} byte pages")
    if bytes_ > PHYSICAL_END:
        raise ValueError(f"is {bytes_:#x} bytes, beyond all addresses at {PHYSICAL_END:#x}")
    return bytes_


def _bounds(first: int, last: int, limit: int) -> tuple[int, int]:
    if first > last:
        raise ValueError(f"ends at {last:#x}, before its start at {first:#x}")
    if last >= limit:
        raise ValueError(f"ends at {last:#x}, beyond the last possible {limit - 1:#x}")
    return first, last


def memory(value: object) -> Span | int:
    """Return memory: a span for "0x1000000-0x1ffffff", both ends included, or bytes for "16M"."""
    if not (isinstance(value, str) and "-" in value):
        return pages(value)
    match = _matched(RANGE, value, 'a range like "0x1000000-0x1ffffff"')
    span = Span.between(*_bounds(number(match[1]), number(match[2]), PHYSICAL_END))
    if not span.aligned:
        raise ValueError(f"is {span}, which does not begin and end with a {PAGE:#x} byte page")
    return span


def _numbers(value: object, limit: int, what: str) -> range:
    """Return 5, "5" or "5-9" as a range of integers below a limit."""
    if _plain(value):
        first = last = integer(value)
    elif isinstance(value, str) and SINGLE.fullmatch(value.strip()):
        first = last = number(value.strip())
    else:
        match = _matched(RANGE, value, f"{what} or a range of them")
        first, last = number(match[1]), number(match[2])
    _bounds(first, last, limit)
    return range(first, last + 1)


def ports(value: object) -> range:
    """Return I/O ports: 0x60, "0x60" or "0x60-0x64", both ends included."""
    return _numbers(value, PORTS, "a port")


def message(value: object) -> range | Signal:
    """Return what a doorbell sends: a vector 0x40, vectors "0x40-0x4f", or "nmi", "init", "sipi"."""
    if isinstance(value, str) and value in SIGNALS:
        return SIGNALS[value]
    vectors = _numbers(value, VECTORS, 'a vector, "nmi", "init", "sipi"')
    if vectors.start < LOWEST_VECTOR:
        raise ValueError(f"begins at {vectors.start:#x}, but vectors below {LOWEST_VECTOR:#x} are illegal")
    return vectors


def frequency(value: object) -> int:
    """Return Hz: 1000000000, "1G", "100MHz"; a fraction of a Hz is cut off."""
    if _plain(value):
        return integer(value)
    match = _matched(FREQUENCY, value, 'a rate like "1G" or "100M"')
    return int(Fraction(match[1]) * DECIMAL[match[2].upper()])


def duration(value: object) -> Fraction:
    """Return seconds, exactly: "10s", "1.5ms", "1us", "100ns"."""
    match = _matched(DURATION, value, 'a time like "10s", "1.5ms", "1us" or "100ns"')
    return Fraction(match[1]) * SECONDS[match[2]]


@dataclass(frozen=True, slots=True)
class Limit:
    """When a run ends at the latest: one of a virtual time in seconds and a number of instructions."""

    seconds: Fraction | None = None
    instructions: int | None = None


def limit(value: object) -> Limit:
    """Return a limit: a time "10ms", or retired instructions of all cores together: "5Minsn", "5000000"."""
    if isinstance(value, str) and DURATION.fullmatch(value.strip()):
        return Limit(seconds=duration(value))
    match = _matched(INSTRUCTIONS, value, 'a time like "10ms" or a number of instructions like "5Minsn"')
    return Limit(instructions=int(Fraction(match[1]) * DECIMAL[match[2].upper()]))


def rights(value: object) -> Rights:
    """Return rights: letters out of "rwx", each once."""
    letters = text(value)
    if not letters or len(letters) > 3 or set(letters) - set("rwx") or len(set(letters)) < len(letters):
        raise ValueError(f'is {shown(value)}, not some of "rwx"')
    return Rights(sum(Rights[letter.upper()] for letter in letters))


def letters_of(granted: Rights) -> str:
    """Return rights as `rights` reads them."""
    return "".join(letter for letter in "rwx" if granted & Rights[letter.upper()])


def runs(numbers: Iterable[int]) -> str:
    """Return whole numbers in order as people write them: 0-3,8."""
    spans: list[list[int]] = []
    for value in numbers:
        if spans and spans[-1][1] == value - 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
