"""Which snapshots go when there are too many."""

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.state.thinning import Place, surplus

POSITIONS = st.lists(st.integers(1, 10**7), min_size=1, max_size=60, unique=True).map(sorted)


@given(POSITIONS, st.integers(2, 30), st.integers(0, 40))
def test_few_enough_are_left_and_no_more_go_than_must(positions: list[int], most: int, room: int) -> None:
    gone = surplus([Place(position, 10) for position in positions], most, 10 * room)
    left = len(positions) - len(gone)
    assert left == min(len(positions), max(2, min(most, room)))
    assert gone == sorted(set(gone))
    assert not set(gone) & {len(positions) - 1, len(positions) - 2}


@given(st.integers(100, 2_000))
def test_as_a_text_grows_no_gap_is_wide_for_its_place(count: int) -> None:
    """Thinned at each snapshot, as a reading does it: from anywhere, what must be read for nothing is at most a
    quarter of what must be read anyway, or a thirtieth of the text."""
    kept: list[Place] = []
    for number in range(1, count + 1):
        kept.append(Place(number * 1_000, 1))
        gone = set(surplus(kept))
        kept = [place for i, place in enumerate(kept) if i not in gone]
    end, before = kept[-1].position, 0
    for place in kept:
        gap = place.position - before
        assert gap <= max(0.25 * (end - before) + end / 30, 2_000)
        before = place.position
