"""When a reading is stored."""

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.reading.checkpoints import LONGEST, SHARE, Pace

STEPS = st.lists(st.tuples(st.integers(1, 600), st.floats(0.01, 40), st.booleans()), min_size=1, max_size=60)


@given(STEPS, st.integers(100, 20_000), st.floats(0, 5))
def test_nothing_is_unstored_for_long_and_storing_is_cheap(
    steps: list[tuple[int, float, bool]], every: int, cost: float
) -> None:
    """Of pieces of some tokens that take some seconds each, and checkpoints that take `cost`."""
    now, read, stored_at, optional, worked = 0.0, 0, 0.0, 0.0, 0.0
    pace = Pace(every, 0, lambda: now)

    def save() -> bool:
        nonlocal now
        now += cost
        return True

    for tokens, seconds, divides in steps:
        now, read, worked = now + seconds, read + tokens, worked + seconds
        if pace.due(read, divides):
            must = read - pace.read >= every or now - stored_at >= LONGEST
            pace.store(read, save)
            stored_at = now
            optional += 0 if must else cost
        assert read - pace.read < every
        assert now - stored_at < LONGEST + SHARE * cost
    assert optional <= worked / SHARE + cost  # the first one's cost is not known before


def test_what_could_not_be_stored_is_tried_again_when_the_next_one_is_due() -> None:
    now = 0.0
    pace = Pace(100, 0, lambda: now)
    assert pace.due(100, divides=False)
    pace.store(100, lambda: False)
    assert pace.read == 0 and not pace.due(101, divides=False) and pace.due(200, divides=False)
