"""Cuts the text of one document into segments."""

from collections.abc import Iterator
from dataclasses import dataclass

from mmxcli.sources.segment import Place, Segment

LIMIT = 1 << 16  # characters in a segment at most


@dataclass(slots=True)
class Cutter:
    """Counts characters and lines while the text of `source` comes by in pieces of any size."""

    source: str
    start: int = 0
    line: int = 1
    rest: str = ""

    def cut(self, text: str, page: int | None = None, place: Place | None = None, *, last: bool) -> Iterator[Segment]:
        """The segments that are complete with `text`, cut after a line's end where one is near enough.

        Unless this is the `last` piece (of the page or place), what may yet belong to a longer segment is kept.
        """
        text, done = self.rest + text, 0
        while len(text) - done > LIMIT or (last and done < len(text)):
            end = min(done + LIMIT, len(text))
            if end < len(text):
                end = text.rfind("\n", done, end) + 1 or end
            segment = Segment(self.source, text[done:end], self.start, self.line, page, place)
            self.start += len(segment.text)
            self.line += segment.text.count("\n")
            done = end
            yield segment
        self.rest = text[done:]
