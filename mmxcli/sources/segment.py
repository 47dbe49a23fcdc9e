"""The two things that reading a source yields: text with its origin, or the reason why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text with its origin.

    The texts of one document's segments, joined in order, are that document's extracted text; `start`
    counts Unicode code points in it from 0. `line` (from 1) is the line of the first character, where a
    new line begins after each "\\n"; `page` is the physical page from 1, None where there are no pages.
    A segment never spans two pages.
    """

    source: str
    text: str
    start: int
    line: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not read, and why. `page` is None when the whole document is meant."""

    source: str
    reason: str
    page: int | None = None
