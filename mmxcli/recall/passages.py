"""Cuts a stream of segments into overlapping passages, holding no more than a few of them in memory."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from mmxcli.recall.columns import Columns, is_table
from mmxcli.recall.outline import Outline
from mmxcli.sources.segment import Segment

SHORTEST, LONGEST = 500, 700  # code points; 90 to 120 words of English
LEAST_OVERLAP, MOST_OVERLAP = 120, 260

_PARAGRAPH = re.compile(r"\n\s*\n")
_OUTERMOST = re.compile(r"\n(?=[^\s)\]}])")  # a line that is not indented begins something new
_SENTENCE = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？]")
_LINE = re.compile(r"\n")
_CLAUSE = re.compile(r"[,;:](?=\s)|[，、；]")
_SPACE = re.compile(r"\s")
# The best places to part a text first.
_PROSE = (_PARAGRAPH, _SENTENCE, _LINE, _CLAUSE, _SPACE)
_CODE = (_OUTERMOST, _PARAGRAPH, _LINE, _SPACE)
_SUFFIXES = """
    .bash .c .cc .cfg .clj .cpp .cs .css .csv .cu .dart .ex .go .h .hpp .hs .ini .java .js .json
    .jsonl .jsx .kt .log .lua .m .php .pl .ps1 .py .pyi .r .rb .rs .scala .sh .sql .swift .tf .toml .ts
    .tsv .tsx .xls .xlsb .xlsx .ods .xml .yaml .yml .zig
"""
_CODE_SUFFIXES = frozenset(_SUFFIXES.split())


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a source that can be recalled and read again.

    `start` and `end` count code points of the source's extracted text; `line` and `page` are those of the
    first character. `id` counts from 1 over all sources of an index. `headings` are those that it stands
    under, outermost first, one a line.
    """

    id: int
    source: str
    start: int
    end: int
    line: int
    page: int | None
    text: str
    headings: str = ""


@lru_cache(maxsize=1024)
def is_code(source: str) -> bool:
    """Whether lines, not sentences, are the units of this source: code, data, logs. Of a page in HTML only the text is
    read, which is prose."""
    return PurePath(source).suffix.lower() in _CODE_SUFFIXES


def stands_alone(source: str) -> bool:
    """Whether each line says all by itself: a row of a table, a line of a log."""
    return is_table(source) or PurePath(source).suffix.lower() in (".log", ".jsonl")


def cut(segments: Iterable[Segment]) -> Iterator[Passage]:
    """The passages of one document after another. Only white space may be in none of them."""
    cutter = Cutter()
    for segment in segments:
        yield from cutter.add(segment)
    yield from cutter.finish()


class Cutter:
    """Takes segments and gives passages as soon as they are certain; the first has the id `first`."""

    def __init__(self, first: int = 1) -> None:
        self._next_id = first
        self._source = ""
        self._text = ""  # from the start of the next passage on
        self._start = 0
        self._line = 1
        self._origins: list[tuple[int, int | None, str]] = []  # where each page or place begins in the source
        self._outline = Outline(code=False)

    def add(self, segment: Segment) -> Iterator[Passage]:
        """The passages that `segment` completes. Raises ValueError when it does not continue its document."""
        if segment.source != self._source:
            yield from self.finish()
            self._source, self._start, self._line = segment.source, segment.start, segment.line
            self._outline = Outline(is_code(segment.source), Columns() if is_table(segment.source) else None)
        if segment.start != self._start + len(self._text):
            raise ValueError(f"{segment.source}: a segment starts at {segment.start}, not where the last one ended")
        place = segment.place.words if segment.place else ""
        if not self._origins or self._origins[-1][1:] != (segment.page, place):
            self._origins.append((segment.start, segment.page, place))
        self._text += segment.text
        yield from self._cut(keep=2 * LONGEST)

    def finish(self) -> Iterator[Passage]:
        """The last passages of the document."""
        yield from self._cut(keep=0)
        self._source, self._text, self._origins = "", "", []

    def _cut(self, keep: int) -> Iterator[Passage]:
        """Passages from the text at hand until no more than `keep` of it is left."""
        text, ranks, start = self._text, _CODE if is_code(self._source) else _PROSE, 0
        while len(text) - start > keep:
            end = following = len(text)
            if end - start > LONGEST:
                end = _boundary(text, start + SHORTEST, start + LONGEST, ranks)
                if len(text) > end + LONGEST or text[end:].strip():
                    following = _boundary(text, end - MOST_OVERLAP, end - LEAST_OVERLAP, ranks)
            yield from self._passage(text[start:end].rstrip())
            self._line += text.count("\n", start, following)
            self._outline.read(text[start:following])
            self._start += following - start
            start = following
        self._text = text[start:]
        del self._origins[: bisect_right(self._origins, self._start, key=_offset) - 1]

    def _passage(self, text: str) -> Iterator[Passage]:
        """The passage that begins with `text`, without blank lines before it; none where nothing is left."""
        blank = re.match(r"(?:\s*\n)?", text)
        if not text or not blank:
            return
        skip = blank.end()
        start = self._start + skip
        _, page, place = self._origins[bisect_right(self._origins, start, key=_offset) - 1]
        line = self._line + text.count("\n", 0, skip)
        end = self._start + len(text)
        text = text[skip:]
        headings = self._outline.above(text)
        if is_table(self._source):
            headings = f"{place}\n{headings}" if headings else place
        elif page is not None or not headings:
            headings = place
        yield Passage(self._next_id, self._source, start, end, line, page, text, headings)
        self._next_id += 1


def _offset(origin: tuple[int, int | None, str]) -> int:
    return origin[0]


def _boundary(text: str, low: int, high: int, ranks: tuple[re.Pattern[str], ...]) -> int:
    """The last of the best places in (low, high] to part `text`; `high` where there is none."""
    for pattern in ranks:
        ends = [match.end() for match in pattern.finditer(text, low, high + 1) if low < match.end() <= high]
        if ends:
            return ends[-1]
    return high
