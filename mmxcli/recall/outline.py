"""Under which headings a place stands: the chapter of a book, the class and function of a line of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mmxcli.recall.columns import Columns
from mmxcli.recall.numbers import SMALL

LONGEST = 120  # code points of one heading, or of one line of it
DEEPEST = 8
WRAPPED = 3  # lines of one heading at most
_LINE_OF_CODE = re.compile(r"^([ \t]*)([^\s)\]}][^\n]*)", re.M)
_HASHES = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r"={3,}|-{3,}|~{3,}")
_DIVISION = re.compile(r"(?=[A-Z])(?i:chapter|part|book|volume|section|appendix|letter|act|scene)\b.{0,110}")
_UNNUMBERED = re.compile(r"(?=[A-Z])(?i:prologue|epilogue|preface|foreword|afterword|interlude)\b.{0,80}")
_CAPITALS = re.compile(r"(?=.*[A-Z]{2})[^a-z]{3,80}")

_LABEL = re.compile(
    r"(?:(?P<sort>[a-z]+)\s+)?(?:(?P<digits>\d{1,6})|(?P<word>[a-z]+)(?:[-\s](?P<more>[a-z]+))?)\b(?P<end>.?)"
)
_ROMAN = re.compile(r"m{0,3}(?:cm|cd|d?c{0,4})(?:xc|xl|l?x{0,4})(?:ix|iv|v?i{0,4})")
_ROMAN_ALONE = re.compile(rf"(?=[A-Z])(?i:{_ROMAN.pattern})\.?")
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


class Outline:
    """Reads a document piece by piece and knows the headings above the place that it has come to."""

    def __init__(self, code: bool, columns: Columns | None = None) -> None:
        """`columns`: of a table, where they stand above every row."""
        self._code = code
        self._columns = columns
        self._trail: list[tuple[int, str]] = []  # indentation and text, outermost first

    def above(self, text: str) -> str:
        """The headings of `text`, which comes next: outermost first, one a line."""
        if self._columns:
            return self._columns.above(text)
        first = _LINE_OF_CODE.search(text) if self._code else None
        indent = len(first[1].expandtabs()) if first else 1
        return "\n".join(heading for depth, heading in self._trail[:DEEPEST] if depth < indent)

    def read(self, text: str) -> None:
        """Go on to the end of `text`, which should begin where a line does."""
        if self._columns:
            self._columns.read(text)
            return
        if not self._code:
            for heading in headings(text):
                self._trail = [(0, heading.words)]
            return
        # A line belongs to what stands above it and is indented less.
        for match in _LINE_OF_CODE.finditer(text):
            indent = len(match[1].expandtabs())
            while self._trail and self._trail[-1][0] >= indent:
                self._trail.pop()
            self._trail.append((indent, match[2][:LONGEST]))


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins `start` code points after the text does. `alone`: without it, text goes on in the same paragraph, so that
    it may also be a sentence that begins like a heading. `depth`: 1 for the highest, where its mark tells; else 0."""

    start: int
    words: str
    alone: bool = True
    depth: int = 0

    @property
    def label(self) -> tuple[str, int]:
        """Sort and number: "chapter" and 12 of "CHAPTER XII. The Sea", "number" and 7 of "7 Results", "letter" and 4 of
        "Letter Four"; the number is 0 where there is none."""
        found = _LABEL.match(self.words.lower())
        if not found:
            return "", 0
        sort, digits, word, more = found["sort"], found["digits"], found["word"], found["more"]
        if not digits and not sort and more and _number(word, "") == 0:
            return "", 0
        number = int(digits) if digits else _number(word, more or "")
        # A word alone, such as "I" or "One", is a number only where it ends there: "I. The Sea".
        if not number or not (sort or digits or found["end"] in ("", ".", ":", ")")):
            return "", 0
        return sort or "number", number


def headings(text: str) -> Iterator[Heading]:
    """Those of a text in prose, which begins where a paragraph does."""
    return (heading for heading in Headings().read(text, last=True) if heading.alone)


class Lines:
    """The lines of a text that comes piece by piece. Of one that is longer than any heading no more is kept than shows
    that it is too long."""

    def __init__(self) -> None:
        self._place = 0  # where the next line begins
        self._rest = ""  # of a line whose end is not there yet

    def read(self, text: str, *, last: bool) -> Iterator[tuple[int, str]]:
        """Those that are complete with `text`, each with its place."""
        lines = (self._rest + text).split("\n")
        self._rest = "" if last else lines.pop()
        for line in lines:
            yield self._place, line
            self._place += len(line) + 1
        self._place += max(0, len(self._rest) - 2 * LONGEST)
        self._rest = self._rest[: 2 * LONGEST]


class Headings:
    """Finds the headings of a text in prose that comes piece by piece: marked with hashes, underlined, or a paragraph
    of their own that is numbered like a chapter or all in capitals."""

    def __init__(self) -> None:
        self._scan = Lines()
        self._lines: list[tuple[int, str]] = []  # place and words of the first lines of this paragraph
        self._count = 0  # lines of it

    def read(self, text: str, *, last: bool) -> Iterator[Heading]:
        """Those that are complete with `text`, in order."""
        for place, line in self._scan.read(text, last=last):
            yield from self._line(place, line)
        if last:
            yield from self._paragraph()

    def _line(self, at: int, line: str) -> Iterator[Heading]:
        words = line.strip()
        if not words:
            yield from self._paragraph()
        elif (hashes := _HASHES.match(line)) and len(line) < 2 * LONGEST:
            yield from self._paragraph()
            yield Heading(at, hashes[2].strip()[:LONGEST], depth=len(hashes[1]))
        elif self._lines and _UNDERLINE.fullmatch(words) and self._may_be_underlined:
            place, title = self._lines[-1]
            self._lines, self._count = [], 0
            yield Heading(place, title, depth=1 if words[0] == "=" else 2)
        else:
            if len(self._lines) == WRAPPED:
                self._lines.pop()  # the last one may be underlined; the first tell whether it is a heading
            self._lines.append((at + len(line) - len(line.lstrip()), words[: LONGEST + 1]))
            self._count += 1

    @property
    def _may_be_underlined(self) -> bool:
        _, words = self._lines[-1]
        return len(words) < LONGEST and (words[0].isalnum() or words[0] == "_")

    def _paragraph(self) -> Iterator[Heading]:
        """The heading that the paragraph before this place is, if it is one."""
        lines, count = self._lines, self._count
        self._lines, self._count = [], 0
        if not lines:
            return
        (start, first), words = lines[0], " ".join(line for _, line in lines)
        heading = Heading(start, words[:LONGEST])
        if _DIVISION.fullmatch(first) and heading.label[1]:
            only = Heading(start, first, alone=False)
            whole = count <= WRAPPED and len(words) <= 2 * LONGEST
            yield heading if whole or len(first.split()) <= 2 else only
        elif (count <= WRAPPED and _CAPITALS.fullmatch(words)) or (
            count == 1 and any(kind.fullmatch(first) for kind in (_DIVISION, _UNNUMBERED, _ROMAN_ALONE))
        ):
            yield heading


def _number(word: str, more: str) -> int:
    """Of a number in words or a Roman one; 0 for any other word."""
    if word in SMALL:
        tens, units = SMALL[word], SMALL.get(more, 0)
        return tens + units if tens >= 20 and units < 10 else tens
    if not _ROMAN.fullmatch(word):
        return 0
    values = [_VALUES[letter] for letter in word]
    return sum(-value if value < max(values[i:]) else value for i, value in enumerate(values))
