"""Where a text divides, and the pieces that the model reads."""

from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.models.encoded import Encoded
from mmxcli.reading.cuts import Piece, chunks, pieces
from mmxcli.reading.divisions import Divisions
from mmxcli.reading.tokens import TokenChunk
from mmxcli.sources.segment import Gap, Segment


class Known(Divisions):
    """Divisions at these offsets."""

    def __init__(self, offsets: list[int]) -> None:
        super().__init__()
        self.offsets.extend(offsets)


def tokens(widths: list[int], arriving: list[int]) -> Iterator[TokenChunk]:
    """Tokens of these widths in code points, numbered, so many in a chunk."""
    ends = [0]
    for width in widths:
        ends.append(ends[-1] + width)
    spans, start = list(pairwise(ends)), 0
    for count in [*arriving, len(widths)]:
        part = slice(start, start + count)
        encoded = cast("Encoded", SimpleNamespace(spans=lambda _, part=part: spans[part]))
        yield TokenChunk(list(range(len(widths)))[part], encoded, 0, 0)
        start += count


WIDTHS = st.lists(st.integers(1, 5), min_size=1, max_size=300)
ARRIVING = st.lists(st.integers(0, 40), max_size=10)
OFFSETS = st.lists(st.integers(1, 900), max_size=30, unique=True).map(sorted)
MOST = st.integers(1, 40)


@given(WIDTHS, ARRIVING, OFFSETS, MOST)
def test_all_tokens_in_pieces_that_end_where_a_part_does(
    widths: list[int], arriving: list[int], offsets: list[int], most: int
) -> None:
    """And however they arrive."""
    found = list(pieces(tokens(widths, arriving), Known(offsets), most))
    assert [number for piece in found for number in piece.ids] == list(range(len(widths)))
    assert found == list(pieces(tokens(widths, []), Known(offsets), most))
    starts = {sum(1 for i in range(len(widths)) if sum(widths[:i]) < offset) for offset in offsets}
    end = 0
    for piece in found:
        start, end = end, end + len(piece.ids)
        assert len(piece.ids) <= most
        last = end == len(widths)
        assert piece.divides == (last or end in starts)
        assert last or len(piece.ids) == most or (piece.divides and len(piece.ids) >= most / 2)
        assert not any(start + (most + 1) // 2 <= place < end for place in starts)  # no part begins in the later half


@given(WIDTHS, OFFSETS, MOST, st.data())
def test_going_on_cuts_the_rest_alike(widths: list[int], offsets: list[int], most: int, data: Any) -> None:
    found = list(pieces(tokens(widths, []), Known(offsets), most))
    done = data.draw(st.integers(0, len(found)))
    skip = sum(len(piece.ids) for piece in found[:done])
    assert list(pieces(tokens(widths, [7, 30]), Known(offsets), most, skip)) == found[done:]


@given(WIDTHS, st.lists(st.integers(1, 5), max_size=60), OFFSETS, MOST)
def test_what_is_appended_moves_no_cut(widths: list[int], more: list[int], offsets: list[int], most: int) -> None:
    """But the last, which the end of the text has made."""
    short = list(pieces(tokens(widths, []), Known(offsets), most))
    long = list(pieces(tokens(widths + more, []), Known(offsets), most))
    assert [piece.ids for piece in long[: len(short) - 1]] == [piece.ids for piece in short[:-1]]


def test_a_text_divides_at_documents_pages_and_chapters() -> None:
    prose = "CHAPTER 1. Sea\n\nCalm.\n\nCHAPTER 2. Land\n\nDry.\n"
    items = [
        "=== a.txt ===\n",
        Segment("a.txt", prose, 0, 1),
        Gap("a.txt", "lost"),
        "\n\n=== b.pdf ===\n",
        Segment("b.pdf", "one", 0, 1, page=1),
        Segment("b.pdf", " and more", 3, 1, page=1),
        Segment("b.pdf", "two", 12, 1, page=2),
        "\n\n=== c.py ===\n",
        Segment("c.py", "# CHAPTER 3\n", 0, 1),
    ]
    divisions = Divisions()
    text = "".join(divisions.follow(items))
    found = [text[offset:].split("\n", 1)[0] for offset in divisions.offsets]
    assert found == ["CHAPTER 1. Sea", "CHAPTER 2. Land", "=== b.pdf ===", "two", "=== c.py ==="]


def test_chunks() -> None:
    assert list(chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert Piece([1], divides=True) == Piece([1], True)
