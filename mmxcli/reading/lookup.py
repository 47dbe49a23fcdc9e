"""What may come next, looked up where the same tokens stood before."""

from collections.abc import Iterable


class Lookup:
    """The tokens of one text. Answers repeat what their passages say, so what followed the same two tokens last is a
    good guess (prompt lookup decoding). Pairs guess as well as longer runs do, and single tokens guess too often:
    docs/benchmarks.md."""

    def __init__(self, ids: Iterable[int]) -> None:
        self._ids: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}  # where the token stands that came after these two, the last time
        self.extend(ids)

    def extend(self, ids: Iterable[int]) -> None:
        for token in ids:
            self._after[tuple(self._ids[-2:])] = len(self._ids)
            self._ids.append(token)

    def draft(self, count: int) -> list[int]:
        """At most so many tokens that may come next; none where nothing speaks for any."""
        place = self._after.get(tuple(self._ids[-2:]), len(self._ids))
        return self._ids[place : place + count]
