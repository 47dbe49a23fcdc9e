"""Which stored states have read the beginning of a text: those, and no others."""

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.state.chain import TokenChain
from mmxcli.state.prefix import prefixes
from mmxcli.state.snapshot import Snapshot

IDS = st.lists(st.integers(0, 3), max_size=600)


def snapshot(ids: list[int]) -> Snapshot:
    chain = TokenChain()
    chain.extend(ids)
    return Snapshot(len(ids), chain.hexdigest(), "0" * 64)


@given(IDS, st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), max_size=8), st.integers(1, 99), st.data())
def test_exactly_those_that_are_beginnings(
    ids: list[int], places: list[tuple[int, int]], piece: int, data: st.DataObject
) -> None:
    """Of snapshots of beginnings of the text, some of them with one token changed."""
    read = []
    for length, changed in places:
        beginning = ids[:length]
        if beginning and changed < len(beginning) and data.draw(st.booleans()):
            beginning[changed] ^= 1
        read.append(beginning)
    cut = [ids[start : start + piece] for start in range(0, len(ids), piece)]
    found = prefixes(cut, map(snapshot, read))
    expected = sorted({len(beginning) for beginning in read if beginning == ids[: len(beginning)]} - {0})
    assert [one.position for one in found if one.position] == expected


def test_no_more_tokens_are_asked_for_than_the_longest_has_read() -> None:
    def ids() -> object:
        yield [1, 2, 3]
        raise AssertionError("too many")

    assert [one.position for one in prefixes(ids(), [snapshot([1, 2]), snapshot([1, 2, 3])])] == [2, 3]  # type: ignore[arg-type]
