"""What a text is made of: folders of documents, their chapters and sections, as a tree."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mmxcli.recall.contents import PLURALS, title_below
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.outline import Heading, Headings
from mmxcli.recall.passages import is_code
from mmxcli.sources.tree import is_tree

LONGEST = 40_000  # code points of a part that is not divided further; about 7,000 words
# Code points of what stands below a heading, or the heading is a line of the contents, or a part of the one before; in
# a short document a twentieth of it, though no fewer than SHORT.
LEAST, SHORT = 400, 40
MOST = 5_000  # headings of one document that are looked at
_RANKS = {"volume": 1, "book": 2, "part": 3, "act": 3, "chapter": 5, "letter": 5, "section": 6, "scene": 6}
_APPARATUS = re.compile(
    r"\W*(?:(?:table of )?contents|(?:general )?index|(?:list of )?(?:illustrations|plates|figures|tables)|errata"
    r"|(?:foot|end)notes|bibliography|references)\W*",
    re.I,
)
_OTHER = 7  # capitals, a number alone
# What stands before or after a text and says what it is for.
_PREFATORY = re.compile(
    r"\W*(?:[\divx]+\W+)?(?:\(beginning\)|(?:\w+['’]s )?(?:preface|foreword|introduction|introductory|preamble|abstract"
    r"|overview|synopsis|summary|conclusions?|about|scope|purpose|what is)\b.{0,60}|(?:\w+['’]s )?note)\W*",
    re.I,
)
_LABELLED = re.compile(r"(?:[a-z]+\s+)?(?:\d+(?:\.\d+)*|[ivxlc]+|[a-z]+(?:-[a-z]+)?)(?:[.:)—–-]+|\s+|$)\W*", re.I)
_CUT = re.compile(r"(?:lines|pages?|slide|sheet) [\d-]+")  # names that say where a part stands
LONGEST_NAME = 12  # words


@dataclass(frozen=True, slots=True)
class Part:
    """A division of the text. `source` is empty for a folder, or for several sources; else the part stands between the
    code point offsets `start` and `end`."""

    title: str
    source: str
    start: int
    end: int
    parts: tuple["Part", ...] = ()

    @property
    def is_apparatus(self) -> bool:
        """Whether it lists what is in the text or stands beside it, and says nothing itself."""
        return _APPARATUS.fullmatch(self.title) is not None

    @property
    def is_prefatory(self) -> bool:
        """Whether it says what the text is: a preface, an introduction, an abstract."""
        return _PREFATORY.fullmatch(self.title) is not None

    @property
    def leaves(self) -> Iterator["Part"]:
        """All that have no parts, in their order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves


def parts_of(index: RecallIndex, title: str, sources: Sequence[str] | None = None) -> Part:
    """All documents of an index but what mmx lists itself, or those of these names, as one tree. One alone is it."""
    root = _Folder()
    every = [source for source in index.sources if not is_tree(source)]
    for source in every if sources is None else sources:
        *folders, _ = source.split("/")
        root.put(folders, _document(index, source))
    while len(root.entries) == 1:
        (only,) = root.entries.values()
        if isinstance(only, Part):
            return only
        root = only
    return root.part(title)


class _Folder:
    """What a folder holds, by name, in the order of the text."""

    def __init__(self) -> None:
        self.entries: dict[str, _Folder | Part] = {}

    def put(self, folders: Sequence[str], document: Part) -> None:
        if not folders:
            self.entries[document.source] = document
            return
        first, *rest = folders
        inner = self.entries.setdefault(f"{first}/", _Folder())
        assert isinstance(inner, _Folder)  # a document's name ends without a slash
        inner.put(rest, document)

    def part(self, title: str) -> Part:
        """A folder with one thing in it shares its line."""
        parts = [e if isinstance(e, Part) else e.part(name) for name, e in self.entries.items()]
        if len(parts) == 1 and title.endswith("/"):
            return replace(parts[0], title=f"{title}{parts[0].title}")
        return Part(title, "", 0, 0, tuple(parts))


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a part begins, what it is called, and how high it stands: 1 is highest."""

    start: int
    title: str
    rank: int


def _document(index: RecallIndex, source: str) -> Part:
    end = index.length(source)
    name = source.rsplit("/", 1)[-1]
    if is_code(source):
        return Part(name, source, 0, end, tuple(_cut(index, source, 0, end)))
    marks = list(_places(index, source)) or list(_headings(index, source))
    marks = _with_text(marks, end)
    return Part(name, source, 0, end, tuple(_nested(index, source, marks, 0, end)))


def _places(index: RecallIndex, source: str) -> Iterator[_Mark]:
    """The parts of a document whose format names them: slides, sheets, headings of an outline."""
    before = None
    for block in index.blocks(source):
        words = block.place.words if block.place else ""
        title = ", ".join(word for word in words.split(", ") if not word.startswith("printed page "))
        if title and title != before:
            yield _Mark(block.start, title, _OTHER)
        before = title


def _headings(index: RecallIndex, source: str) -> Iterator[_Mark]:
    scan, count = Headings(), 0
    texts = (block.text for block in index.blocks(source))
    for text, last in [*((text, False) for text in texts), ("", True)]:
        for heading in scan.read(text, last=last):
            if heading.alone and count < MOST:
                count += 1
                yield _Mark(heading.start, _title(index, source, heading), rank_of(heading))


def _title(index: RecallIndex, source: str, heading: Heading) -> str:
    words = heading.words.strip("_* ")
    if heading.depth or len(words.split()) > 2 or not Heading(0, words if " " in words else f"x {words}").label[1]:
        return words
    below, _ = title_below(index, source, heading.start + len(heading.words))
    return f"{words.rstrip('.')}. {below.strip('_* ')}" if below else words


def rank_of(heading: Heading) -> int:
    return heading.depth or _RANKS.get(heading.label[0], _OTHER)


def _with_text(marks: Sequence[_Mark], end: int) -> list[_Mark]:
    """Those that have something to read below them, before the next one, or parts that have. A line of the contents has
    nothing, and what it names comes again."""
    kept: list[_Mark] = []
    following, later, least = end, set[str](), max(SHORT, min(LEAST, end // 20))
    for mark in reversed(marks):
        has_text = following - mark.start >= least
        has_parts = bool(kept) and kept[-1].rank > mark.rank and mark.title not in later
        if has_text or has_parts:
            kept.append(mark)
        following = mark.start
        later.add(mark.title)
    return kept[::-1]


def _nested(index: RecallIndex, source: str, marks: Sequence[_Mark], start: int, end: int) -> Iterator[Part]:
    """The parts of [start, end) that these marks begin; what stands before the first is one too."""
    if not marks:
        yield from _cut(index, source, start, end)
        return
    highest = min(mark.rank for mark in marks)
    own = [at for at, mark in enumerate(marks) if mark.rank == highest]
    before = marks[own[0]].start
    if own[0]:
        yield from _nested(index, source, marks[: own[0]], start, before)
    elif before - start >= min(LEAST, max(SHORT, (end - start) // 20)):
        yield Part("(beginning)", source, start, before, tuple(_cut(index, source, start, before)))
    for at, after in zip(own, [*own[1:], len(marks)], strict=True):
        until = marks[after].start if after < len(marks) else end
        inner = tuple(_nested(index, source, marks[at + 1 : after], marks[at].start, until))
        yield Part(marks[at].title, source, marks[at].start, until, inner)


def _cut(index: RecallIndex, source: str, start: int, end: int) -> Iterator[Part]:
    """A stretch without headings in parts of a length that can be looked at as a whole; none, where it is one."""
    if end - start <= LONGEST:
        return
    count = -(-(end - start) // LONGEST)
    places = [start]
    for number in range(1, count):
        about = start + (end - start) * number // count
        near = index.text(source, about, about + 2_000)
        breaks = near.find("\n\n")
        places.append(about + (breaks + 2 if breaks >= 0 else near.find("\n") + 1))
    places = sorted({*places, end})
    for low, high in pairwise(places):
        yield Part(_span(index, source, low, high), source, low, high)


def _span(index: RecallIndex, source: str, start: int, end: int) -> str:
    first, last = index.origin(source, start), index.origin(source, end - 1)
    if first.page and last.page:
        return f"pages {first.page}-{last.page}" if first.page != last.page else f"page {first.page}"
    return f"lines {first.line}-{last.line}"


def contents(part: Part, limit: int) -> str:
    """How many chapters it has, where their numbers tell, and what its parts are called, in at most `limit` words: the
    longest of them, where there is no room for all, and parts of theirs, where there is more; "" where that says
    nothing."""
    if len(part.parts) == 1:
        return contents(part.parts[0], limit)
    named = _named(part)
    kept = _longest(named, limit - 2)
    room = limit - 2 - sum(len(_name(one.title).split()) for one in kept)
    number = _number(part.parts)
    labelled = sum(Heading(0, one.title).label[1] > 0 for one in part.parts)
    if len(kept) < 2 or (number and 2 * len(named) < labelled):
        return number
    listed = list[str]()
    for one in kept:
        inner = _longest(_named(one), room * (one.end - one.start) // (part.end - part.start))
        within = "; ".join(_name(own.title) for own in inner)
        listed.append(f"{_name(one.title)} ({within})" if within else _name(one.title))
    return f"{number or 'its parts'}{', the longest' if len(kept) < len(named) else ''}: {'; '.join(listed)}"


def _named(part: Part) -> list[Part]:
    """Its parts that tell what they are about, but for those that are far shorter than others."""
    least = (part.end - part.start) / (20 * max(1, len(part.parts)))
    found: dict[str, Part] = {}
    for one in part.parts:
        if one.end - one.start > least and not (one.is_apparatus or one.is_prefatory) and _name(one.title):
            before = found.setdefault(_name(one.title).casefold(), one)
            if one.end - one.start > before.end - before.start:
                found[_name(one.title).casefold()] = one
    return sorted(found.values(), key=lambda one: one.start)


def _longest(parts: Sequence[Part], limit: int) -> list[Part]:
    """Those whose titles have at most `limit` words together, in their order."""
    kept = list[Part]()
    for one in sorted(parts, key=lambda one: one.start - one.end):
        limit -= len(_name(one.title).split())
        if limit < 0:
            break
        kept.append(one)
    return [one for one in parts if one in kept]


def _number(parts: Sequence[Part]) -> str:
    """How many they are, where their labels count them: "12 chapters"."""
    labels = [Heading(0, part.title).label for part in parts]
    sort = next(iter(Counter(sort for sort, number in labels if number).most_common(1)), ("", 0))[0]
    numbers = [number for one, number in labels if one == sort]
    highest = max(numbers, default=0)
    if not sort or len(set(numbers)) < len(numbers) or len(numbers) < 0.8 * highest or 2 * len(numbers) < len(parts):
        return ""
    return f"{highest} {PLURALS.get(sort, f'{sort}s') if sort != 'number' else 'sections'}"


def _name(title: str) -> str:
    """Without its label: "The Sea" of "CHAPTER XII. The Sea"; "" where it has no other words."""
    if _CUT.fullmatch(title):
        return ""
    found = _LABELLED.match(title)
    name = (title[found.end() :] if found and Heading(0, title).label[1] else title).strip(" .:—–-_*")
    return name if re.search(r"[^\W\d_]{3}", name) and len(name.split()) <= LONGEST_NAME else ""
