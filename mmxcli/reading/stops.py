"""Places of a text at which its reading pauses, with a state that has read up to there."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mmxcli.reading.cuts import Piece
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.tokens import TokenChunk

if TYPE_CHECKING:
    from mmxcli.models.runner import Model
    from mmxcli.state.model_state import ModelState

Visit = Callable[[int, "ModelState"], Iterator[Progress | Note]]  # the number of the place, from 0, and the state


class Stops:
    """Each visit is given a state of its own, which is let go afterwards: there is never more than one beside that of
    the reading. It is the one that a reading leaves that ends there."""

    def __init__(self, places: Sequence[int] = (), visit: Visit | None = None) -> None:
        """`places`, ascending, in code points from the start of all text."""
        self.first = places[0] if places else None
        self._left = deque(enumerate(places))
        self._visit = visit

    def before_first(self, chunks: Iterable[TokenChunk]) -> Iterator[Sequence[int]]:
        """The tokens before the first of the places; all, where there is none."""
        for chunk in chunks:
            if self.first is not None and chunk.end > self.first:
                yield chunk.ids[: bisect_right([end for _, end in chunk.spans], self.first)]
                return
            yield chunk.ids

    def within(self, model: "Model", state: "ModelState", piece: Piece) -> Iterator[Progress | Note]:
        """The places before the end of the piece that `state` is to read next."""
        while self._left and self._left[0][1] < piece.ends[-1]:
            number, place = self._left.popleft()
            there = state.fork()
            if ids := piece.ids[: bisect_right(piece.ends, place)]:
                model.advance(there, ids)
            yield from self._visited(number, there)

    def rest(self, state: "ModelState") -> Iterator[Progress | Note]:
        """Those that are left where `state` has read everything."""
        while self._left:
            yield from self._visited(self._left.popleft()[0], state.fork())

    def _visited(self, number: int, state: "ModelState") -> Iterator[Progress | Note]:
        if self._visit:
            yield from self._visit(number, state)
