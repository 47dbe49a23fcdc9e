"""Where a text divides: at files, pages, places and chapters."""

from collections import deque
from collections.abc import Iterable, Iterator

from mmxcli.reading.corpus import Item, text_of
from mmxcli.recall.outline import headings
from mmxcli.recall.passages import is_code
from mmxcli.sources.segment import Segment


class Divisions:
    """Follows the items of a text. `offsets` are the places where a part begins, in code points from the start of all
    text, ascending; whoever uses one up may take it away."""

    def __init__(self) -> None:
        self.offsets: deque[int] = deque()
        self._length = 0
        self._place: tuple[object, ...] | None = None

    def follow(self, items: Iterable[Item]) -> Iterator[str]:
        """The text of each item, whose divisions are then known."""
        for item in items:
            if isinstance(item, str):  # the line that names a document
                self._divide(item.index("===") if "===" in item else 0)
                self._place = None
            elif isinstance(item, Segment):
                place = (item.source, item.page, item.place)
                if self._place not in (None, place):
                    self._divide(0)
                self._place = place
                if not is_code(item.source):
                    for heading in headings(item.text):
                        self._divide(heading.start)
            text = text_of(item)
            self._length += len(text)
            yield text

    def _divide(self, offset: int) -> None:
        place = self._length + offset
        if place and (not self.offsets or place > self.offsets[-1]):
            self.offsets.append(place)
