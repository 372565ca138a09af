"""Values of a config beyond plain units: bounded, listed, chosen, and those that only a kernel has.

A parser takes what TOML gave and returns what the layout holds, or raises ValueError as those of `units` do.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mksim.fabric.ownership import OWNER_NAMES
from mksim.machine import units
from mksim.machine.config import Ending, Expect
from mksim.machine.wiring import WireEnd
from mksim.spec.partition import NAME_SIZE
from mksim.spec.uart import WORDS_MAX

CORES_MAX = 255
"""xAPIC IDs are 8 bits, and 255 means everybody: SDM vol. 3A, 12.6.2.1."""
KERNELS_MAX = 255
UARTS_MAX = 512
CMDLINE_MAX = 2047
"""As Linux for x86 takes it: COMMAND_LINE_SIZE, its final NUL included, is 2048."""

NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{0,{NAME_SIZE - 2}}}", re.ASCII)
NAME_RULE = f"a name: a letter, then up to {NAME_SIZE - 2} of A-Z, a-z, 0-9, _ and -"
RESERVED = {*OWNER_NAMES.values(), "machine"}

Parser = Callable[[Any], Any]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean this?)", or nothing where nothing is near."""
    close = get_close_matches(word[:100], list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def between(low: int, high: int, parse: Callable[[Any], int] = units.integer, show: str = "d") -> Parser:
    """Return a parser that refuses what lies outside of both bounds."""

    def bounded(value: Any) -> int:
        parsed = parse(value)
        if not low <= parsed <= high:
            raise ValueError(f"is {units.shown(value)}, not from {low:{show}} to {high:{show}}")
        return parsed

    return bounded


def list_of(parse: Parser, most: int, least: int = 0) -> Parser:
    """Return a parser of a list of so many."""

    def listed(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"is {units.shown(value)}, not a list")
        if not least <= len(value) <= most:
            raise ValueError(f"has {len(value)} entries, not from {least} to {most}")
        return tuple(parse(item) for item in value)

    return listed


def one_or_list(parse: Parser, most: int) -> Parser:
    """Return a parser of a value, or a list of such."""
    many = list_of(parse, most, least=1)
    return lambda value: many(value if isinstance(value, list) else [value])


def distinct(parse: Parser) -> Parser:
    """Return a parser of a list that refuses what it lists twice."""

    def once(value: Any) -> Any:
        parsed = parse(value)
        for index, item in enumerate(parsed):
            if item in parsed[:index]:
                raise ValueError(f"lists {item} twice")
        return parsed

    return once


def choice(options: Mapping[str, Any]) -> Parser:
    """Return a parser of one word out of a few."""

    def chosen(value: Any) -> Any:
        if units.text(value) not in options:
            known = ", ".join(f'"{option}"' for option in options)
            raise ValueError(f"is {units.shown(value)}, not one of {known}{nearest(value, options)}")
        return options[value]

    return chosen


def mac(value: Any) -> bytes:
    """Return an address of a network device's: "02:00:00:00:00:01"."""
    if not re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", units.text(value), re.IGNORECASE | re.ASCII):
        raise ValueError(f'is {units.shown(value)}, not an address as "02:00:00:00:00:01"')
    address = bytes.fromhex(value.replace(":", ""))
    if address[0] & 1 or not any(address):
        raise ValueError(f"is {value}, which is no single device's")
    return address


def name(value: Any) -> str:
    """Return a name of a kernel or window."""
    if not NAME.fullmatch(units.text(value)):
        raise ValueError(f"is {units.shown(value)}, not {NAME_RULE}")
    if value in RESERVED:
        raise ValueError(f"is {value}, and that means something else already")
    return str(value)


def printable(value: Any) -> str:
    """Return text that a command line can hold."""
    if not (units.text(value).isascii() and value.isprintable() and len(value) <= CMDLINE_MAX):
        raise ValueError(f"is {units.shown(value)}, not up to {CMDLINE_MAX} printable ASCII characters")
    return str(value)


_core = between(0, CORES_MAX - 1)
_core_list = distinct(list_of(_core, CORES_MAX, least=1))
_core_count = between(1, CORES_MAX)


def cores(value: Any) -> int | tuple[int, ...]:
    """Return a number of cores, or the indices of certain ones."""
    parsed: int | tuple[int, ...] = _core_list(value) if isinstance(value, list) else _core_count(value)
    return parsed


def uart(value: Any, others: str = "") -> int:
    """Return a UART's index, 0 for "com1"; `others` is what else the value may be, for the error."""
    match = re.fullmatch(r"com([1-9]\d{0,2})", units.text(value), re.ASCII)
    if match is None:
        raise ValueError(f'is {units.shown(value)}, not {others}"com1", "com2", ...')
    return int(between(1, UARTS_MAX)(int(match[1]))) - 1


def console(value: Any) -> int | str:
    """Return a UART's index; "auto" and "none" as they are."""
    return str(value) if value in ("auto", "none") else uart(value, '"auto", "none", ')


def wire_end(value: Any) -> WireEnd:
    """Return the UART of a kernel, not looked at yet: "ping:com2"."""
    kernel, colon, port = units.text(value).partition(":")
    if not colon:
        raise ValueError(f'is {units.shown(value)}, not a kernel and its UART as in "ping:com2"')
    return WireEnd(name(kernel), uart(port))


ENDINGS = {
    str(ending.value): Expect(ending=ending) for ending in Ending if ending not in (Ending.EXIT, Ending.SAYS)
}


def expectation(value: Any) -> Expect:
    """Return the ending a kernel is to have: "exit 0", "says TEXT", or one of ENDINGS."""
    if match := re.fullmatch(r"exit (\d{1,10})", units.text(value), re.ASCII):
        return Expect(ending=Ending.EXIT, code=between(0, 0xFFFFFFFF)(int(match[1])))
    if match := re.fullmatch(r"says (.+)", value, re.ASCII):
        return Expect(ending=Ending.SAYS, text=words(match[1]))
    if value not in ENDINGS:
        known = ", ".join(f'"{word}"' for word in ("exit 0", "says TEXT", *ENDINGS))
        raise ValueError(f"is {units.shown(value)}, not {known}{nearest(value, ENDINGS)}")
    return ENDINGS[value]


def words(text: str) -> str:
    """Return a text that a console can be waited for."""
    if len(text.encode()) > WORDS_MAX:
        raise ValueError(f"waits for more than {WORDS_MAX} bytes")
    return text


def violations(value: Any) -> int | None:
    """Return the number of violations to expect; None for "any"."""
    return None if value == "any" else int(between(0, 1 << 62)(value))


def by_kernel(value: Any) -> dict[str, Any]:
    """Return rights by kernel name, not looked at yet; "*" is every kernel not named."""
    if not isinstance(value, dict) or not value:
        raise ValueError(f'is {units.shown(value)}, not a table like {{ ping = "rw", pong = "r" }}')
    return value
