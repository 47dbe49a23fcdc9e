"""What reading a source yields: text with its origin, the reason why there is none, or a remark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person finds it, where pages and lines do not tell: `slide 4`, `chapter 3: The Storm`. With `base`, a
    number follows that grows by one with each line, as in `sheet Prices, row 12`: 12 where the line is base + 12."""

    words: str
    base: int | None = None

    def at(self, line: int) -> str:
        return self.words if self.base is None else f"{self.words} {line - self.base}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text with its origin.

    The texts of one document's segments, joined in order, are that document's extracted text; `start`
    counts Unicode code points in it from 0. `line` (from 1) is the line of the first character, where a
    new line begins after each "\\n"; `page` is the physical page from 1, None where there are no pages.
    A segment never spans two pages or places.
    """

    source: str
    text: str
    start: int
    line: int
    page: int | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not read, and why. `page` is None when the whole document is meant."""

    source: str
    reason: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about how a source was read that a person may want to know, though nothing is missing."""

    source: str
    text: str
