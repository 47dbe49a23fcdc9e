"""What a PDF says of its own pages: the labels that are printed on them, and the headings of its outline."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from mmxcli.sources.segment import Place

if TYPE_CHECKING:
    import pypdfium2

MOST_HEADINGS = 50_000  # an outline may run in circles
LONGEST = 80  # code points of a heading or label
_DAMAGE = (RuntimeError, ValueError)  # pdfium's errors, and text that does not decode


class Structure:
    """The label and the headings of each page, by its number from 1."""

    def __init__(self, document: "pypdfium2.PdfDocument") -> None:
        self._document = document
        self._headings: defaultdict[int, list[tuple[str, float]]] = defaultdict(list)
        with suppress(*_DAMAGE):
            for bookmark in islice(document.get_toc(max_depth=8), MOST_HEADINGS):
                target, title = bookmark.get_dest(), _shortened(bookmark.get_title())
                if title and target is not None and (page := target.get_index()) is not None:
                    self._headings[page + 1].append((title, self._height(page, *target.get_view())))
        self._pages = sorted(self._headings)

    def _height(self, page: int, mode: int, numbers: list[float]) -> float:
        """How far down a page a place is: 0 at its top, 1 at its foot."""
        from pypdfium2.raw import PDFDEST_VIEW_FITH, PDFDEST_VIEW_XYZ

        _, height = self._document.get_page_size(page)
        at = {PDFDEST_VIEW_XYZ: 1, PDFDEST_VIEW_FITH: 0}.get(mode)
        return 1 - numbers[at] / height if at is not None and at < len(numbers) and numbers[at] and height else 0.0

    def _label(self, page: int) -> str:
        with suppress(*_DAMAGE):
            return _shortened(self._document.get_page_label(page - 1))
        return ""

    def parts(self, page: int, text: str) -> Iterator[tuple[str, Place | None]]:
        """The text of a page, parted where a heading of the outline begins, each part with its place."""
        label = self._label(page)
        printed = f"printed page {label}" if label not in ("", str(page)) else ""
        before = bisect_right(self._pages, page - 1)
        heading = self._headings[self._pages[before - 1]][-1][0] if before else ""
        start = 0
        for title, height in self._headings.get(page, ()):
            at = _found(title, text, start, height)
            if text[start:at].strip():
                yield text[start:at], _place(printed, heading)
                start = at
            heading = title
        yield text[start:], _place(printed, heading)


def _place(*words: str) -> Place | None:
    told = ", ".join(filter(None, words))
    return Place(told) if told else None


def _found(title: str, text: str, start: int, height: float) -> int:
    """Where the line begins that is this heading, its number before it or not; `start` where none is. A running head
    may say the same, but stands elsewhere."""
    words = r"\s+".join(map(re.escape, title.split()))
    lines = re.compile(rf"^(?:(?:[a-z]+ )?[\da-z.]{{1,10}}[.:)]?\s+)?{words}(?!\w)", re.M | re.I).finditer(text, start)
    return min((line.start() for line in lines), key=lambda at: abs(at / len(text) - height), default=start)


def _shortened(words: str) -> str:
    return " ".join(words.split())[:LONGEST].strip()
