"""Questions about what changed from one text to another, answered from the two texts alone."""

import re
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from mmxcli.recall.alignment import Alignment, Run, align
from mmxcli.recall.found import Found, Span, cut
from mmxcli.recall.history import AFTER
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import NONE, Kindred, Near, kindred, share
from mmxcli.recall.passages import is_code
from mmxcli.recall.quotes import LONGEST, best_quotes
from mmxcli.recall.rewording import Weight, rewording, weight
from mmxcli.recall.sides import Side, meant, without_names
from mmxcli.recall.units import Units
from mmxcli.recall.words import content_words

VERSIONS = 0.2  # of the units of the shorter text that the other must have, or nearly have, to be a version of it
NEAREST = 32  # passages in which is looked for what did not change
ABOUT = 0.5  # of the weight of a topic's words that stand in a change, or above it
_THINGS = (
    r"(?:sentence|line|row|word|passage|paragraph|part|section|clause|rule|item|entr(?:y|ie)|file|function|method|"
    r"classe?|number|price|figure|amount|value|date|thing)s?"
)
_ONLY = {
    "numbers": re.compile(r"\b(?:number|price|figure|amount|value|date)s?\b", re.I),
    "functions": re.compile(r"\b(?:function|method|class)(?:e?s)?\b", re.I),
    "files": re.compile(r"\bwhich (?:files|documents)\b", re.I),
}
_DEFINITION = re.compile(
    r"^[ \t]*(?:(?:async|export|public|private|static|pub)\s+)*(?:def|class|function|func|fn|sub)\b", re.M
)
_VERB = (
    r"(?:changed?|altered|different|differs?|modified|edited|reworded|added|inserted|removed|deleted|dropped|new"
    r"|missing|gone)"
)
_BEING = r"(?:\W+(?:is|s|are|was|were|has|have|had|been|else|all|exactly))*"
_ASKED = re.compile(
    rf"^\W*(?:(?:and|so|please|tell me|show me|list)\W+)*(?:what{_BEING}\W+{_VERB}\b{AFTER}"
    rf"|(?:what|which)(?:\W+\w+){{0,3}}?\W+{_THINGS}{_BEING}\W+{_VERB}\b{AFTER}"
    rf"|(?:what|which)(?:\W+\w+){{1,3}}?{_BEING}\W+(?:changed|altered|different|differs?)\b{AFTER}"
    r"|what (?:is|are|were) (?:all )?(?:the )?(?:\w+ )?(?:changes|differences?)\b"
    r"|(?:(?:summari[sz]e|describe|give|explain)\b(?: me)? )?(?:all )?(?:the )?(?:changes|differences)\b"
    r"|how (?:has|have|did|do|does|is|are)\b.*\b(?:changed?|differ|different)\b"
    r"|(?:has|have|did|is|are) any(?:thing| \w+) (?:been )?(?:changed?|different|new|added|removed)\b"
    r"|compare\b)",
    re.I,
)
_FRAME = re.compile(
    rf"\b(?:{_VERB}|changes|altered|alterations|differences?|differ|compared?|between|from|versions?|files?|texts?|"
    rf"documents?|sources?|revisions?|editions?|two|both|old|older|newer|latest|previous|earlier|later|first|second|last|"
    rf"list|show|give|summari[sz]e|describe|explain|since|anything|everything|regarding|concerning|{_THINGS})\b",
    re.I,
)
_APART = re.compile(r"\bcompare|\bdiffer", re.I)  # of what: of the sources, or of two things in them?
_THEM = re.compile(r"\b(?:both|these|them|(?:version|file|document|text|edition|revision|source)s?)\b", re.I)


class Kind(StrEnum):
    """What happened to it."""

    ALTERED = "altered"
    ADDED = "added"
    REMOVED = "removed"


_KINDS = {
    Kind.ADDED: re.compile(
        r"\b(?:added|inserted|introduced|new (?:in|since|here|there|with)|(?:is|are|what's) new)\b", re.I
    ),
    Kind.REMOVED: re.compile(r"\b(?:removed|deleted|dropped|gone|missing|left out|taken out)\b", re.I),
    Kind.ALTERED: re.compile(r"\b(?:altered|reworded|edited|modified)\b", re.I),
}


@dataclass(frozen=True, slots=True)
class Change:
    """`worth`: how much it tells, beside others; `numbers`: whether it is one of numbers. Of what was added or removed
    one of the runs is there."""

    kind: Kind
    old: Run | None
    new: Run | None
    worth: float
    numbers: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question about changes wants to know: of which kinds (none: of all), `only` of numbers, functions or whole
    files, and what about."""

    kinds: frozenset[Kind]
    only: frozenset[str]
    topic: str

    def __str__(self) -> str:
        return (f" about {self.topic}" if self.topic else "") + (f", {', '.join(self.only)} only" if self.only else "")


def asks_about_changes(question: str) -> bool:
    """Whether a question may be one, if there are several sources."""
    return _ASKED.search(question) is not None


def changes(
    index: RecallIndex, every: Sequence[Side], question: str, most: int, near: Near | None = None
) -> Generator[int, None, Found | None]:
    """What changed from each side to the next, the `most` telling first. Where no change has the words that it is asked
    about, those `near` them may stand for them. Yields the code points that were looked at of the sides. None where it
    is no such question, or they are not versions of one text."""
    chosen, asked = meant(every, question), _asked(every, question)
    of_two = _APART.search(question) and asked.topic and not _THEM.search(question)
    if len(chosen) < 2 or not asks_about_changes(question) or (of_two and not any(s.is_in(question) for s in every)):
        return None
    done, lines, spans, apart = 0, list[str](), list[Span](), list[str]()
    old: tuple[Side, Units] | None = None
    for side in chosen:
        new = Units(index, side.sources)
        for read in new.read():
            yield done + read
        done += sum(map(index.length, side.sources))
        if old:
            before, units = old
            names, alignment = _between(before.name, side.name), align(units, new, _twins(before, side))
            if not _are_versions(units, new, alignment):
                apart.append(f"{names}: too little in common to be versions of one text")
            elif told := _Report(index, units, new, alignment, asked).told(names, most, len(spans), near):
                lines.append(told.text)
                spans += told.spans
            if not lines and apart:
                return None
        old = side, new
    return Found("\n".join(lines + apart), tuple(spans)) if lines else None


def _asked(every: Sequence[Side], question: str) -> Asked:
    plain = without_names(every, question)
    kinds = frozenset(kind for kind, words in _KINDS.items() if words.search(plain))
    only = frozenset(name for name, words in _ONLY.items() if words.search(plain))
    topic = " ".join(content_words(_FRAME.sub(" ", plain)))
    return Asked(kinds, only - {"numbers"} if topic else only, topic)


def _twins(one: Side, other: Side) -> dict[str, str]:
    """Of the documents of one side those of the other at the same place; of two that are single documents it is that
    one."""
    if len(one.sources) == len(other.sources) == 1:
        return {one.sources[0]: other.sources[0]}
    below = {other.below(source): source for source in other.sources}
    return {source: below[its] for source in one.sources if (its := one.below(source)) and its in below}


def _between(old: str, new: str) -> str:
    """By their last parts, where these tell them apart."""
    short = [PurePath(name).name for name in (old, new)]
    return " -> ".join(short if len({*short}) == 2 else (old, new))


def _are_versions(old: Units, new: Units, found: Alignment) -> bool:
    shared = found.same + len(found.altered)
    return shared >= VERSIONS * min(len(old), len(new)) and shared > 0


class _Report:
    """Puts what was found into words."""

    def __init__(self, index: RecallIndex, old: Units, new: Units, found: Alignment, asked: Asked) -> None:
        self._index, self._old, self._new, self._found, self._asked = index, old, new, found, asked
        self._headings: dict[str, list[tuple[int, str]]] = {}
        self._weights = index.question_weights(asked.topic) if asked.topic else {}
        self._kindred: Kindred = NONE

    def told(self, names: str, most: int, before: int, near: Near | None) -> Found | None:
        """`before`: quotes that there are already. None where the text has nothing about the topic."""
        every = list(self._all())
        fitting = [change for change in every if self._fits(change)]
        if not fitting and self._weights and near:
            self._kindred = kindred(self._index, self._asked.topic, near)
            fitting = [change for change in every if self._fits(change)]
        fitting.sort(key=lambda change: (-self._about(change, ()), -change.worth))
        counts = {kind: sum(change.kind is kind for change in fitting) for kind in Kind}
        same = f"{self._found.same:,} {self._noun} are the same"
        if not fitting:
            unchanged = self._unchanged()
            return Found(f"{names}: nothing changed{self._asked}; {same}", unchanged) if unchanged else None
        wanted = [change for change in fitting if not self._asked.kinds or change.kind in self._asked.kinds]
        head = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
        if self._asked.kinds and not wanted:
            head = f"nothing {' or '.join(sorted(self._asked.kinds))}; {head}"
            wanted = fitting
        shown = wanted[:most]
        lines, spans = [f"{names}: {head}{self._asked}; {same}"], list[Span]()
        for change in shown:
            line, its = self._line(change, before + len(spans))
            lines.append(line)
            spans += its
        if rest := len(wanted) - len(shown):
            lines.append(f"and {rest:,} more")
        return Found("\n".join(lines), tuple(spans))

    @property
    def _noun(self) -> str:
        kinds = {is_code(source) for source in self._new.sources}
        return "sentences and lines" if len(kinds) > 1 else "lines" if kinds == {True} else "sentences"

    def _all(self) -> Iterator[Change]:
        for one, other in self._found.altered:
            kind, shared = weight(self._old.text(*one), self._new.text(*other))
            yield Change(Kind.ALTERED, one, other, kind + 2 * shared, kind is Weight.NUMBERS)
        for run in self._found.added:
            yield Change(Kind.ADDED, None, run, *self._worth(self._new, run))
        for run in self._found.removed:
            yield Change(Kind.REMOVED, run, None, *self._worth(self._old, run))

    @staticmethod
    def _worth(units: Units, run: Run) -> tuple[float, bool]:
        """About as much as words that turn a sense: by the telling words, and whether there is a number."""
        text = units.text(*run)
        numbers = any(letter.isdigit() for letter in text)
        return 2.9 + min(1.0, len(set(content_words(text))) / 24) + 0.5 * numbers, numbers

    def _fits(self, change: Change) -> bool:
        """Whether it is about what was asked."""
        only = self._asked.only
        if (
            ("numbers" in only and not change.numbers)
            or ("functions" in only and not any(map(_DEFINITION.search, self._texts(change))))
            or ("files" in only and not self._file(change))
        ):
            return False
        return self._about(change, self._above(change))

    def _about(self, change: Change, more: Iterable[str]) -> bool:
        """Whether its words, or these, are of the topic."""
        if not self._weights:
            return True
        stems = self._index.stems_of(" ".join([*self._texts(change), *more]))
        return share(stems, self._weights, self._kindred) >= ABOUT

    def _texts(self, change: Change) -> Iterator[str]:
        for units, run in ((self._old, change.old), (self._new, change.new)):
            if run:
                yield units.text(*run)

    def _above(self, change: Change) -> Iterator[str]:
        """The names and headings that it stands under."""
        for units, run in ((self._old, change.old), (self._new, change.new)):
            if run:
                source, start, _ = units.place(*run)
                above = self._headings.setdefault(source, self._index.headings(source))
                yield source
                yield above[max(0, bisect_right(above, start, key=lambda one: one[0]) - 1)][1] if above else ""

    def _file(self, change: Change) -> str:
        """The document that was added or removed as a whole, among others; "" where it is less."""
        units, run = (self._new, change.new) if change.new else (self._old, change.old)
        if not run or (change.old and change.new) or len(units.sources) == 1:
            return ""
        return units.source(run.first) if units.first(run.first) and units.first(run.until) else ""

    def _line(self, change: Change, before: int) -> tuple[str, list[Span]]:
        """In words, with the numbers of its quotes, and where these stand."""
        if change.old and change.new:
            reworded = rewording(self._old.text(*change.old), self._new.text(*change.new))
            one = self._part(self._old, change.old, reworded.old)
            other = self._part(self._new, change.new, reworded.new)
            shown = f"{one[0]} [{before + 1}] -> {other[0]} [{before + 2}]"
            return f"altered: {shown}", [one[1], other[1]]
        units, run = (self._new, change.new) if change.new else (self._old, change.old)
        assert run
        source, start, end = units.place(*run)
        if end - start > LONGEST and run.until - run.first > 1:
            source, start, end = units.place(run.first, run.first + 1)
        text, end = cut(units.text(run.first, run.until)[: end - start], start, LONGEST)
        more = run.until - run.first - 1 if (source, start, end) != units.place(*run) else 0
        rest = f" and {more:,} more {self._noun if more > 1 else self._noun.rpartition(' ')[2][:-1]}" if more else ""
        whole = f"{file}: " if (file := self._file(change)) else ""
        return f"{change.kind}: {whole}{text} [{before + 1}]{rest}", [(source, start, end)]

    @staticmethod
    def _part(units: Units, run: Run, part: tuple[int, int]) -> tuple[str, Span]:
        """The words between two offsets of the run, and a quote that has them."""
        source, start, _ = units.place(*run)
        text = units.text(*run)
        low, high = part
        said, high = cut(text[low:high], low, LONGEST)
        room = LONGEST - (high - low)
        begin = 0 if high <= LONGEST else max(0, low - room // 2)
        begin += 0 if begin == 0 else len(text[begin:low]) - len(text[begin:low].partition(" ")[2])
        until = min(len(text), begin + LONGEST)
        if until < len(text):
            until = max(high, text.rfind(" ", high, until))
        return said, (source, start + begin, start + until)

    def _unchanged(self) -> tuple[Span, ...]:
        """What the new text says about the topic; without one, how it begins."""
        if not self._asked.topic:
            return (self._new.place(0, 1),)
        hits = self._index.search(self._asked.topic, NEAREST)
        passages = [hit.passage for hit in hits if hit.passage.source in self._new.sources]
        best = best_quotes(self._index, self._asked.topic, None, passages, 1)
        return tuple((quote.source, quote.start, quote.end) for quote in best)
