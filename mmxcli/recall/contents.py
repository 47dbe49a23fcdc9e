"""Questions about how a document is divided, answered from its headings: how many chapters there are, what the parts
are called, which two have the same title."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.outline import Heading, Headings

LISTED = 24  # divisions that an answer names; of more it names the first and the last
TITLE = 120  # code points of a paragraph below a heading that may be its title
SORTS = ("chapter", "part", "book", "volume", "section", "letter", "act", "scene", "canto", "stave", "appendix")
PLURALS = {"stave": "staves", "appendix": "appendices"}
_UNITS = "|".join(f"{sort}s?" for sort in SORTS) + "|staves|appendices"
_PLURALS = "|".join(PLURALS.get(sort, f"{sort}s") for sort in SORTS)
_COUNT = re.compile(
    rf"\bhow many (?:\w+ )?(?P<unit>{_UNITS})\b.*\b(?:have|has|divided|contains?|consists?|are there)\b",
    re.I,
)
_EACH = re.compile(r"\b(?:title|name|subject|heading)s?\b.*\b(?:each|they|their|them)\b|\bcalled\b", re.I)
_LIST = re.compile(
    rf"\b(?:titles|subjects|names|headings) of (?:\w+ ){{0,4}}?(?P<of>{_PLURALS})\b"
    rf"|\bin (?:what|which) order do (?:the )?(?P<order>{_PLURALS})\b"
    rf"|\b(?:list|name) (?:all |of |the )*(?P<list>{_PLURALS})\b"
    rf"|\bwhat (?:are|were) (?:all |the )*(?P<what>{_PLURALS})\b",
    re.I,
)
_SAME = re.compile(rf"\b(?P<unit>{_PLURALS})\b.*\bsame (?:title|name|heading)\b", re.I)
_RANGE = re.compile(rf"\b(?:{_PLURALS})\s+(?P<first>\w+)\s*(?:to|through|until|-|–|—)\s*(?P<last>\w+)\b", re.I)


@dataclass(frozen=True, slots=True)
class Entry:
    """A division of a document: "chapter", 12, "XII", its title. Its heading stands at [start, end)."""

    sort: str
    number: int
    label: str
    title: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.label}, {self.title}" if self.title else self.label


@dataclass(frozen=True, slots=True)
class Contents:
    """What the headings say about a question, and those that bear it out."""

    text: str
    entries: tuple[Entry, ...]


def asks_about_contents(question: str) -> bool:
    """Whether a question may be one that the headings answer."""
    return any(kind.search(question) for kind in (_COUNT, _LIST, _SAME))


def contents(index: RecallIndex, question: str) -> Contents | None:
    """None where it is no such question, or there is more than one document, or none of its divisions is meant."""
    listed, same = _LIST.search(question), _SAME.search(question)
    found = _COUNT.search(question) or listed or same
    if not found or len(index.sources) != 1:
        return None
    unit = next(word for word in found.groups() if word).lower()
    sort = next(sort for sort in SORTS if unit in (sort, f"{sort}s", PLURALS.get(sort)))
    entries = _meant([entry for entry in _entries(index, index.sources[0]) if entry.sort == sort], question)
    if len(entries) < 2:
        return None
    plural = PLURALS.get(sort, f"{sort}s")
    if same:
        return _twins(entries, plural)
    few = len(entries) <= LISTED
    if few and (listed or _EACH.search(question)):
        named = f"{len(entries)} {plural}: {'; '.join(map(str, entries))}"
        return Contents(named, tuple(entries))
    return Contents(f"{len(entries)} {plural}: from {entries[0]} to {entries[-1]}", (entries[0], entries[-1]))


def _meant(entries: Sequence[Entry], question: str) -> list[Entry]:
    """Those in the range that the question names, if it names one."""
    if found := _RANGE.search(question):
        first, last = (_ordinal("x", word)[1] for word in (found["first"], found["last"]))
        if first and last:
            return [entry for entry in entries if first <= entry.number <= last]
    return list(entries)


def _twins(entries: Sequence[Entry], plural: str) -> Contents | None:
    by_title: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.title:
            by_title[entry.title.casefold().strip(" .")].append(entry)
    alike = [group for group in by_title.values() if len(group) > 1]
    if not alike:
        return None
    texts = [f"{plural} {' and '.join(entry.label for entry in group)}: {group[0].title}" for group in alike]
    return Contents("; ".join(texts), tuple(entry for group in alike for entry in group))


def _entries(index: RecallIndex, source: str) -> list[Entry]:
    """Each division once, in the order of its numbers: as it stands in the text, not in a list of contents."""
    found: dict[tuple[str, int], Entry] = {}
    for heading in _headings(index, source):
        entry = _entry(index, source, heading)
        if entry and (entry.title or (entry.sort, entry.number) not in found):
            found[entry.sort, entry.number] = entry
    return sorted(found.values(), key=lambda entry: entry.number)


def _headings(index: RecallIndex, source: str) -> Iterator[Heading]:
    scan = Headings()
    for block in index.blocks(source):
        yield from (heading for heading in scan.read(block.text, last=False) if heading.alone)
    yield from (heading for heading in scan.read("", last=True) if heading.alone)


def _entry(index: RecallIndex, source: str, heading: Heading) -> Entry | None:
    sort, _, rest = heading.words.partition(" ")
    label, number, title = _ordinal(sort.lower(), rest)
    if sort.lower() not in SORTS or not number:
        return None
    end = heading.start + len(heading.words)
    if not title:
        title, end = title_below(index, source, end)
    return Entry(sort.lower(), number, label, title.rstrip(" ."), heading.start, end)


def title_below(index: RecallIndex, source: str, end: int) -> tuple[str, int]:
    """The title of a heading that only has a number and ends there: the next paragraph, if it may be one, else "". And
    where it ends."""
    below = index.text(source, end, end + 2 * TITLE)
    first, _, _ = below.strip().partition("\n\n")
    if first and len(first) <= TITLE and (first.istitle() or first.isupper() or first.endswith(".")):
        return " ".join(first.split()), end + below.index(first) + len(first)
    return "", end


def _ordinal(sort: str, rest: str) -> tuple[str, int, str]:
    """The label of a division, its number, and its title: "IV", 4, "The Sea" of "IV. The Sea"; 1 for "A"."""
    label, _, title = rest.partition(" ")
    label = label.strip(".:,)—–-")
    title = title.strip(" .:—–-")
    if sort == "appendix" and re.fullmatch("[A-Z]", label):
        return label, ord(label) - ord("A") + 1, title
    return label, Heading(0, f"x {label}").label[1], title
