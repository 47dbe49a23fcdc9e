"""Where a chapter ends."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from mmxcli.errors import UsageError
from mmxcli.recall.outline import LONGEST, Heading, Headings, Lines

AFTER = re.compile(r"(epilogue|afterword|conclusion|interlude|author.s note)\b", re.I)  # no part of the chapter before
ABOVE = ("part", "book", "volume")  # what chapters are parts of
BODY = 200  # code points below a heading, before the next one, that make it more than a line of the contents
LAST = 1 << 30  # the number of "the last"
_LINE = re.compile(
    r"""[\W_]*(?:(?P<sort>chapter|part|book|volume|section|letter|act|scene|canto|stave)\s+)?
        (?P<number>the\ last|[a-z]+-[a-z]+|\w+)\b(?P<more>.*)""",
    re.I | re.X,
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A heading that stands alone, and whether a text of its own follows."""

    heading: Heading
    sort: str
    number: int
    has_body: bool


def end_of_chapter(texts: Iterable[str], number: int) -> int:
    """Where in all of `texts` the chapter after that one begins, or what stands above it, such as the title of a part.

    Nothing of what comes later may be before that place: raises UsageError where there is no such chapter, where there
    are several, and where the next one cannot be told.
    """
    length, scan, lines = 0, Headings(), Lines()
    found: list[Heading] = []
    loose: list[tuple[int, str, int]] = []
    for text in chain(texts, [None]):  # None: the end
        length += len(text or "")
        loose += _loose(lines.read(text or "", last=text is None))
        found += scan.read(text or "", last=text is None)
    every = list(_marks([heading for heading in found if heading.alone], length))
    marks = list(_without_contents(every))
    sort = _sort_of(marks, number)
    same = [mark for mark in marks if mark.sort == sort]
    times = [label for label, _ in groupby(mark.number for mark in same)].count(number)
    if times > 1:
        raise _unclear(f"it has {times} chapters {number}")
    start = next(mark.heading.start for mark in same if mark.number == number)
    end = length
    for heading in found:
        own, its_number = heading.label
        if heading.start <= start or (own == sort and its_number == number):
            continue
        if own == sort and (heading.alone or its_number == number + 1):
            if its_number not in (number + 1, 1):
                raise _unclear(f"the next one after chapter {number} that can be told is {its_number}")
            end = heading.start
            break
        if heading.alone and (AFTER.match(heading.words) or (own in ABOVE and sort not in ABOVE)):
            end = heading.start
            break
    following = (number + 1, LAST)
    if any(start < place < end and kind in (sort, "") and its in following for place, kind, its in loose):
        raise _unclear(f"a line in it begins like chapter {number + 1}")
    between = [mark for mark in every if start < mark.heading.start < end] if end < length else []
    while between and not between[-1].has_body:
        end = between.pop().heading.start
    return end


def _loose(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, int]]:
    """Place, sort or "", and number of the lines that may be headings in a form that is none elsewhere: in small
    letters, between dashes, in the middle of a paragraph. They end no chapter, but where one is there, it is not known
    to end anywhere else."""
    for place, line in lines:
        if len(line) <= LONGEST and (match := _LINE.match(line)):
            sort, number = Heading(0, f"{match['sort']} {match['number']}").label if match["sort"] else ("", 0)
            if match["sort"] and match["number"].lower().startswith("the last"):
                number = LAST
            elif not match["sort"]:
                _, number = Heading(0, match["number"]).label
                number = 0 if match["more"].strip("*_#=-. \t\r") else number
            if number:
                yield place + len(line) - len(line.lstrip()), sort, number


def _marks(found: Sequence[Heading], length: int) -> Iterator[_Mark]:
    ends = [heading.start for heading in found[1:]] + [length]
    for heading, end in zip(found, ends, strict=False):
        yield _Mark(heading, *heading.label, end - heading.start - len(heading.words) >= BODY)


def _without_contents(marks: Sequence[_Mark]) -> Iterator[_Mark]:
    """Without those in a list of headings of one sort, of which the last alone has a text below it, if they come again
    later."""
    lists: list[list[_Mark]] = [[]]
    for mark in marks:
        lists[-1].append(mark)
        if mark.has_body:
            lists.append([])
    later = Counter((mark.sort, mark.number) for mark in marks)
    for listed in lists:
        sorts = Counter(mark.sort for mark in listed if mark.number)
        for mark in listed:
            later[mark.sort, mark.number] -= 1
            if mark.number and not (sorts[mark.sort] > 1 and later[mark.sort, mark.number]):
                yield mark


def _sort_of(marks: Sequence[_Mark], number: int) -> str:
    """What the chapters are called: "chapter" where there are such, else as the first heading of that number."""
    chapters = [mark for mark in marks if mark.sort == "chapter"] or marks
    for mark in chapters:
        if mark.number == number:
            return mark.sort
    highest = max((mark.number for mark in chapters), default=0)
    what = f"the highest number of its chapters is {highest}" if highest else "its chapters have no numbers"
    raise UsageError(f"--upto names a place that the text does not have: {what}")


def _unclear(why: str) -> UsageError:
    return UsageError(f"where that chapter ends is not clear: {why}; use page: or line:")
