import pytest
from hypothesis import given
from hypothesis import strategies as st

from mksim.spec.span import Span, align_down, align_up

spans = st.builds(Span, st.integers(0, 20), st.integers(1, 20))


def addresses(span: Span) -> set[int]:
    return {address for address in range(64) if address in span}


def test_a_span_reads_as_a_map_does():
    assert str(Span(0x1000000, 0x1000000)) == "0x1000000-0x1ffffff"


@pytest.mark.parametrize(("base", "size"), [(0, 0), (-1, 1), (5, -1)])
def test_no_span_is_empty_or_below_zero(base, size):
    with pytest.raises(ValueError, match="no span"):
        Span(base, size)


@given(spans, spans)
def test_spans_are_sets_of_addresses(one, other):
    assert len(addresses(one)) == one.size
    assert one.overlaps(other) == bool(addresses(one) & addresses(other))
    assert one.holds(other) == (addresses(other) <= addresses(one))
    pieces = [addresses(piece) for piece in one.without(other)]
    assert set().union(*pieces) == addresses(one) - addresses(other)
    assert sum(map(len, pieces)) == len(set().union(*pieces))
    assert addresses(one) | addresses(other) <= addresses(Span.hull([one, other]))


@given(st.integers(0, 1 << 64), st.integers(1, 1 << 32))
def test_aligning_goes_to_the_nearest_multiple(value, alignment):
    assert 0 <= align_up(value, alignment) - value < alignment
    assert 0 <= value - align_down(value, alignment) < alignment
    assert align_up(value, alignment) % alignment == align_down(value, alignment) % alignment == 0


def test_pages_are_those_touched():
    assert Span(0xFFF, 2).pages == slice(0, 2)
    assert Span(0x1000, 0x1000).pages == slice(1, 2)
    assert Span(0x1000, 0x1000).aligned
    assert not Span(0x1000, 0xFFF).aligned
