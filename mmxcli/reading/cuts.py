"""A stream of tokens in pieces for the model, cut where the text divides."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mmxcli.reading.divisions import Divisions
from mmxcli.reading.tokens import TokenChunk


@dataclass(frozen=True, slots=True)
class Piece:
    """Token ids that the model reads in one step. `divides` says whether a part of the text ends with them; `ends` is
    where in the text each of them ends, in code points from its start."""

    ids: list[int]
    divides: bool
    ends: list[int] = field(default_factory=list)


def pieces(chunks: Iterable[TokenChunk], divisions: Divisions, most: int, skip: int = 0) -> Iterator[Piece]:
    """All tokens but the first `skip`, at most `most` in a piece.

    A piece ends before the first token of a new part, unless it would then be shorter than half of `most`: a product
    with few rows costs as much as one with many. Where a piece ends follows from the text before it alone, so that a
    reading that goes on after a piece cuts the rest as if it had never stopped, and what is appended to a text moves no
    cut before it.
    """
    least = (most + 1) // 2
    waiting: list[int] = []
    ends: list[int] = []
    starts: deque[int] = deque()  # places in `waiting` where a part begins
    before = 0  # tokens that are not waiting any more
    for chunk in chunks:
        offsets = divisions.offsets
        while offsets and chunk.spans and offsets[0] <= chunk.spans[-1][0]:
            place = bisect_left(chunk.spans, offsets.popleft(), key=lambda span: span[0])
            starts.append(len(waiting) + place)
        waiting.extend(chunk.ids)
        ends.extend(end for _, end in chunk.spans)
        if before < skip:
            gone = min(skip - before, len(waiting))
            del waiting[:gone], ends[:gone]
            starts = deque(place - gone for place in starts if place > gone)
            before += gone
        done = 0
        while (cut := _cut(starts, done, least, most, len(waiting) - done)) is not None:
            divides = bool(starts) and starts[0] == done + cut
            yield Piece(waiting[done : done + cut], divides, ends[done : done + cut])
            done += cut
        del waiting[:done], ends[:done]
        starts = deque(place - done for place in starts if place > done)
    if waiting:
        yield Piece(waiting, True, ends)


def _cut(starts: deque[int], done: int, least: int, most: int, there: int) -> int | None:
    """How many of the tokens that are `there` after the first `done` make the next piece; None when more must come."""
    while starts and starts[0] - done < least:
        starts.popleft()
    if starts and starts[0] - done <= min(most, there):
        return starts[0] - done
    return most if there > most else None


def chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The ids in pieces of `size`, the last one shorter."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
