from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mksim.fabric.ownership import Rights, Signal
from mksim.machine import units
from mksim.machine.units import Limit
from mksim.spec.span import Span


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.size, 65536, 65536),
        (units.size, "64K", 65536),
        (units.size, "64 KiB", 65536),
        (units.size, "3g", 3 << 30),
        (units.size, "0x10000", 65536),
        (units.pages, "4K", 4096),
        (units.memory, "16M", 16 << 20),
        (units.memory, "0x1000000-0x1ffffff", Span(0x1000000, 0x1000000)),
        (units.memory, "4096 - 8191", Span(0x1000, 0x1000)),
        (units.ports, 0x60, range(0x60, 0x61)),
        (units.ports, "0x60-0x64", range(0x60, 0x65)),
        (units.message, 0x40, range(0x40, 0x41)),
        (units.message, "0x40-0x4f", range(0x40, 0x50)),
        (units.message, "sipi", Signal.SIPI),
        (units.frequency, "1G", 10**9),
        (units.frequency, "1.5 MHz", 1_500_000),
        (units.frequency, 33, 33),
        (units.duration, "10s", Fraction(10)),
        (units.duration, "1.5ms", Fraction(3, 2000)),
        (units.duration, "0.1us", Fraction(1, 10**7)),
        (units.limit, "10ms", Limit(seconds=Fraction(1, 100))),
        (units.limit, "5Minsn", Limit(instructions=5_000_000)),
        (units.limit, "123456", Limit(instructions=123456)),
        (units.rights, "rw", Rights.R | Rights.W),
        (units.rights, "xr", Rights.R | Rights.X),
    ],
)
def test_what_people_write_is_what_they_mean(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (units.size, True),
        (units.size, 1.5),
        (units.size, "1.5M"),
        (units.size, "-4K"),
        (units.size, "4KK"),
        (units.size, "9" * 50 + "K"),
        (units.size, "٤K"),
        (units.memory, "0x1000-"),
        (units.memory, "0x0-0xffffffffffffffff"),
        (units.ports, "0x60-0x5f"),
        (units.message, 256),
        (units.duration, 5),
        (units.duration, "5"),
        (units.duration, "5 minutes"),
        (units.frequency, "fast"),
        (units.limit, "5Gs"),
        (units.rights, ""),
        (units.rights, "rwz"),
    ],
)
def test_what_means_nothing_is_refused(parse, text):
    with pytest.raises(ValueError, match=r"^(is|ends at|begins at|does not) "):
        parse(text)


def test_what_an_error_quotes_is_short():
    nest: object = "x" * 100
    for _ in range(6):
        nest = [nest, {"key" * 20: nest}]
    assert units.shown(nest).endswith("...")
    assert all(len(units.shown(value)) <= units.SHOWN for value in (nest, "x" * 100, 10**500, True))


@given(st.integers(0, (1 << 24) - 1), st.integers(1, 1 << 12))
def test_a_span_of_pages_reads_as_it_prints(first, count):
    span = Span(first << 12, count << 12)
    assert units.memory(str(span)) == span


@given(st.sets(st.integers(0, 40)))
def test_runs_name_every_number_once(numbers):
    named = []
    for part in filter(None, units.runs(sorted(numbers)).split(",")):
        first, _, last = part.partition("-")
        named += range(int(first), int(last or first) + 1)
    assert named == sorted(numbers)


@given(st.integers(1, 7).map(Rights))
def test_rights_read_as_they_print(granted):
    assert units.rights(units.letters_of(granted)) == granted
