"""Texts as rows of units that can be compared: sentences, or the lines of code and tables."""

import re
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.passages import is_code
from mmxcli.recall.sentences import sentences
from mmxcli.recall.words import PLAIN

WINDOW = 1 << 16  # code points that are looked at together
LONGEST = 600  # code points of a unit
_WORD = re.compile(r"\S+\s*")
_BULLET = re.compile(r"[-*•+#>|\s]+(?=\w)")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\s*(?=[^\W\d_])")
# No words, or the number of an item alone: it changes with what comes before.
_EMPTY = re.compile(r"[\W_]*|\W*(?:\d{1,3}|[ivxlc]{1,5}|[a-z])[.)]", re.I)


class Units:
    """The units of some documents, one after another, numbered from 0. Of each only key and place are kept, 24 bytes:
    equal keys mean the same words and marks, however their lines are broken and their words divided.

    `read` comes first.
    """

    def __init__(self, index: RecallIndex, sources: Sequence[str]) -> None:
        self._index = index
        self.sources = sources
        self.keys, self._starts, self._ends = array("q"), array("q"), array("q")
        self._firsts: list[int] = []  # unit with which each source begins
        self._begins: dict[str, int] = {}  # the same by name

    def __len__(self) -> int:
        return len(self.keys)

    def read(self) -> Iterator[int]:
        """The code points that were looked at, after each source and each WINDOW."""
        done = 0
        for source in self.sources:
            self._firsts.append(len(self))
            self._begins[source] = len(self)
            told = 0
            for start, text in _units(self._index, source):
                if not _EMPTY.fullmatch(text):
                    self.keys.append(hash(key(text, is_code(source))))
                    self._starts.append(start)
                    self._ends.append(start + len(text))
                if start - told >= WINDOW:
                    told = start
                    yield done + told
            done += self._index.length(source)
            yield done

    def source(self, number: int) -> str:
        return self.sources[self._of(number)]

    def first(self, number: int) -> bool:
        """Whether a source begins with it; so does one after the last unit."""
        return number >= len(self) or self._firsts[self._of(number)] == number

    def begin(self, source: str) -> int:
        """The first unit of a source."""
        return self._begins[source]

    def place(self, first: int, until: int) -> tuple[str, int, int]:
        """Source and half-open code point offsets of units that follow each other in it."""
        return self.source(first), self._starts[first], self._ends[until - 1]

    def text(self, first: int, until: int) -> str:
        return self._index.text(*self.place(first, until))

    def _of(self, number: int) -> int:
        return bisect_right(self._firsts, number) - 1


def key(text: str, code: bool) -> str:
    """What is the same where only white space, kinds of quotation marks and dashes, bullets or, in prose, the division
    of words differ."""
    text = text.translate(PLAIN)
    if not code:
        text = _HYPHEN.sub("", text)
        if bullet := _BULLET.match(text):
            text = text[bullet.end() :]
    return "".join(text.split()).replace("--", "-")


def _units(index: RecallIndex, source: str) -> Iterator[tuple[int, str]]:
    """Start and text of each, streaming."""
    code, at, rest = is_code(source), 0, ""
    for block in index.blocks(source):
        at = at if rest else block.start
        rest += block.text
        if len(rest) >= WINDOW:
            *complete, last = _spans(rest, code)
            yield from ((at + start, text) for start, text in complete)
            at, rest = at + last[0], rest[last[0] :]
    yield from ((at + start, text) for start, text in _spans(rest, code))


def _spans(text: str, code: bool) -> list[tuple[int, str]]:
    """Its units; where there is none, the end of the text."""
    found = [piece for start, end in sentences(text, code) for piece in _pieces(start, text[start:end])]
    return found or [(len(text), "")]


def _pieces(at: int, text: str) -> Iterator[tuple[int, str]]:
    """A unit that is too long, divided where its own words say so, so that it is divided alike whatever stands before:
    after a colon or semicolon, else a comma, else words that one in eight is."""
    low = 0
    for word in _WORD.finditer(text) if len(text) > LONGEST else ():
        said = word.group().rstrip()
        long = word.end() - low > LONGEST // 2
        if said[-1] in ";:" or (long and (said[-1] == "," or zlib.crc32(said.encode("utf-8", "replace")) % 8 == 0)):
            yield at + low, text[low : word.end()].rstrip()
            low = word.end()
    if low < len(text):
        yield at + low, text[low:]
