from mksim.machine.placement import LARGE, Room, natural_alignment
from mksim.spec.span import Span

MIB = 1 << 20


def room() -> Room:
    return Room([Span(MIB, 31 * MIB)])


def test_large_requests_are_aligned_for_large_pages_and_small_ones_fill_the_gap_before():
    ours = room()
    assert natural_alignment(4 * MIB) == LARGE
    assert ours.lowest(4 * MIB, natural_alignment(4 * MIB)) == Span(2 * MIB, 4 * MIB)
    assert ours.lowest(0x3000, natural_alignment(0x3000)) == Span(MIB, 0x3000)
    assert ours.lowest(MIB, natural_alignment(MIB)) == Span(6 * MIB, MIB)


def test_a_minimum_leaves_the_room_below_to_others():
    ours = room()
    assert ours.lowest(2 * MIB, LARGE, 16 * MIB) == Span(16 * MIB, 2 * MIB)
    assert ours.lowest(2 * MIB, LARGE) == Span(2 * MIB, 2 * MIB)


def test_what_does_not_fit_takes_nothing():
    ours = room()
    assert ours.lowest(32 * MIB, LARGE) is None
    assert ours.highest(32 * MIB, LARGE) is None
    assert ours.largest == 31 * MIB
    assert Room([]).largest == 0


def test_the_highest_place_is_the_last_that_is_aligned():
    assert room().highest(0x1000, 0x1000) == Span(32 * MIB - 0x1000, 0x1000)
    assert room().highest(3 * MIB, LARGE) == Span(28 * MIB, 3 * MIB)


def test_taking_what_is_partly_free_leaves_the_rest():
    ours = room()
    ours.take(Span(0, 2 * MIB))
    ours.take(Span(8 * MIB, MIB))
    assert ours.free == [Span(2 * MIB, 6 * MIB), Span(9 * MIB, 23 * MIB)]
