"""Sections of a text by the version, date, number or name that their headings have."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.outline import Heading, Headings, Lines
from mmxcli.recall.parts import rank_of
from mmxcli.recall.passages import is_code
from mmxcli.sources.tree import is_tree

MOST = 20_000  # headings of one source that are looked at
LINE = 100  # code points of a line that may be a heading for its version
LEAST = 40  # code points below a heading, or it is a line of the contents
HISTORY = re.compile(r"chang|history|news|release|whats-?new", re.I)  # what files are called that tell what changed
_VERSION = r"\d+(?:\.\d+)+(?:[-.]?(?:alpha|beta|rc|a|b|c|dev|post|pre)\.?\d*)?"
_NUMBERED = re.compile(
    r"\b(?P<sort>chapter|part|book|volume|section|letter|act|scene|canto|stave|appendix)\s+(?P<label>\w+)", re.I
)
_NAMED = re.compile(rf"(?<![\w.])v?(?P<version>{_VERSION})(?:-\d{{1,3}})?(?![\w.]*\w)", re.I)  # 1.2-1: of a package
_RELEASE = re.compile(r"\b(?:version|release|v)\s?(?P<version>\d+)(?![\w.]*\w)", re.I)
_LINE = re.compile(rf"(?!\s)(?:\W*\w[\w+-]*\W+){{0,3}}?\W*v?{_VERSION}\b(?!.*[,;]$).*", re.I)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)
_DATE = re.compile(
    rf"(?<![\w.-])(?:(?P<year>(?:19|20)\d\d)(?:[-/.](?P<month>\d\d?)(?:[-/.](?P<day>\d\d?))?)?"
    rf"|(?:(?P<day1>\d\d?)(?:st|nd|rd|th)?\s+)?(?P<name>{_MONTH})\.?(?:\s+(?P<day2>\d\d?)(?:st|nd|rd|th)?)?,?\s+"
    r"(?P<year2>(?:19|20)\d\d))(?![\w.]*\w)",
    re.I,
)
_RANGE = re.compile(
    rf"\b(?:between|from)\s+v?(?P<low>{_VERSION})\s+(?:and|to|until)\s+v?(?P<high>{_VERSION})"
    rf"|\b(?:since|after)\s+(?:version\s+)?v?(?P<since>{_VERSION})",
    re.I,
)
_RELEASED = re.compile(r"\b(?:released|date|unreleased)\b", re.I)


@dataclass(frozen=True, slots=True)
class Section:
    """What stands from a heading, which ends at `below`, to the next that is as high."""

    title: str
    source: str
    start: int
    below: int
    end: int


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    words: str
    rank: int


def names_a_section(question: str) -> bool:
    """Whether a question has a version, a date or the number of a chapter."""
    return any(kind.search(question) for kind in (_NUMBERED, _NAMED, _RELEASE, _DATE))


def label(question: str) -> str:
    """The question without what names a section in it."""
    for kind in (_RANGE, _NUMBERED, _NAMED, _RELEASE, _DATE):
        question = kind.sub(" ", question)
    return question


def sections(index: RecallIndex, question: str) -> list[Section] | None:
    """Those that the question names: by version (or from one version to another), by date, or as a chapter. Of several
    documents those are looked at that are called changes, history, news. None where sections are not called so."""
    every = [source for source in index.sources if not is_tree(source) and not is_code(source)]
    named = [source for source in every if HISTORY.search(PurePath(source).stem)]
    found, versions = list[Section](), False
    for source in named if len(every) > 1 else every:
        marks = list(_marks(index, source))
        found += _chosen(index, source, marks, question)
        versions = versions or sum(_version(mark.words) is not None for mark in marks) > 1
    return found if found or (versions and _version(question)) else None


def _chosen(index: RecallIndex, source: str, marks: Sequence[_Mark], question: str) -> Iterator[Section]:
    """Those of a source; what stands in one of them is not one of its own."""
    fits = _fitting(question)
    end = index.length(source)
    done = 0
    for at, mark in enumerate(marks):
        begins = index.text(source, mark.start, mark.start + 3 * LINE)
        if mark.start < done or not fits(mark.words, begins):
            continue
        until = next((other.start for other in marks[at + 1 :] if other.rank <= mark.rank), end)
        below = mark.start + len(begins.partition("\n")[0])
        if until - below >= LEAST or until == end:
            done = until
            yield Section(mark.words.strip("_*. "), source, mark.start, below, until)


def _fitting(question: str) -> Callable[[str, str], bool]:
    """Whether words of a heading, or those just below it, are what the question names."""
    if found := _RANGE.search(question):
        low, high = (_order(found[name]) if found[name] else None for name in ("low", "high"))
        since = _order(found["since"]) if found["since"] else None

        def between(words: str, _: str) -> bool:
            its = _version(words)
            if its is None:
                return False
            return its > since if since else low is not None and high is not None and low < its <= high

        return between
    if version := _version(question):
        return lambda words, _: _version(words) == version
    if found := _NUMBERED.search(question):
        wanted = Heading(0, f"{found['sort']} {found['label']}").label
        return lambda words, _: bool(wanted[1]) and Heading(0, words).label == wanted
    date = _date(question)
    return lambda words, text: date is not None and _within(_date(words) or _released(text), date)


def _version(text: str) -> tuple[object, ...] | None:
    found = _NAMED.search(text) or _RELEASE.search(text)
    if not found or (_DATE.fullmatch(found[0]) and not _RELEASE.search(text)):
        return None
    return _order(found["version"])


def _order(version: str) -> tuple[object, ...]:
    """Versions in their order; what comes before a release, such as 2.0rc1, before it. Zeros at the end say nothing."""
    numbers, _, rest = re.match(r"(\d+(?:\.\d+)*)([-.]?)(.*)", version.lower()).groups()  # type: ignore[union-attr]
    parts = [int(part) for part in numbers.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return (parts, not rest or rest.startswith("post"), rest)


def _date(text: str) -> tuple[int, ...] | None:
    """Year, month and day, as far as they are there."""
    found = _DATE.search(text)
    if not found:
        return None
    month = found["month"] or (_month(found["name"]) if found["name"] else None)
    parts = (found["year"] or found["year2"], month, found["day"] or found["day1"] or found["day2"])
    return tuple(int(part) for part in parts if part)


def _month(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _released(text: str) -> tuple[int, ...] | None:
    """The date that the first lines below a heading have, if they only tell that."""
    lines = [line for line in text.split("\n")[1:5] if line.strip() and len(line) < LINE]
    return next((_date(line) for line in lines if _date(line) and len(line.split()) <= 6), None)


def _within(date: tuple[int, ...] | None, asked: tuple[int, ...]) -> bool:
    return date is not None and date[: len(asked)] == asked


def _marks(index: RecallIndex, source: str) -> Iterator[_Mark]:
    """Headings, and lines after a blank one that begin with a version, where no heading has one."""
    scan, lines, blank = Headings(), Lines(), True
    found, plain = list[_Mark](), list[_Mark]()
    texts = (block.text for block in index.blocks(source))
    for text, last in [*((text, False) for text in texts), ("", True)]:
        for heading in scan.read(text, last=last):
            if heading.alone and len(found) < MOST:
                found.append(_Mark(heading.start, heading.words, rank_of(heading)))
        for start, line in lines.read(text, last=last):
            if blank and len(line) <= LINE and _LINE.fullmatch(line) and len(plain) < MOST:
                plain.append(_Mark(start, line.strip(), 1))
            blank = not line.strip()
    yield from found if any(_version(mark.words) for mark in found) or not plain else plain
