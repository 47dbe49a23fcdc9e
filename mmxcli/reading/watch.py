"""What a stream is searched for: of each line it is seen how near it is to the question and how new, the few that stand
out wait for the next asking, and the rest leaves counts behind. All of it is bounded, however long the stream is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mmxcli.reading.judge import gain
from mmxcli.reading.meaning import Meaning
from mmxcli.recall.shapes import Ranks, Recent, WordCounts, kind, line_words, severe
from mmxcli.sources.lines import Line

KINDS = 16_384  # kinds of lines that are remembered
REPORTED = 512  # of which a line was reported
WAITING = 64  # lines at most that wait for an asking
# A line stands out when no more than this share of all kinds of lines is nearer to the question, or so few.
SHARE, FEW = 0.02, 20
LEARNING = 300  # lines until it is known which words are common, and so how near a kind of line is
QUIET = 150  # askings without a line of a kind after which the next one is news again
ORDINARY = 4  # lines that stand for all others
NEWS = 1.0  # the score of a line of a kind that was reported long ago
SETTLED = 500  # lines before anything can be called unusual
NOVEL = 0.5  # from which a new kind of line is unusual (WordCounts.novelty)
SEVERE = 0.1  # what a line that calls itself an error has before others


@dataclass(slots=True)
class Candidate:
    """A line that stands out; `kind` names its shape, and `score` tells how much, from 0 to 1. `more` came like it
    since, the last of them on line `last`."""

    number: int
    text: str
    kind: str
    score: float
    last: int
    more: int = 0


@dataclass(slots=True)
class Seen:
    """A kind of which line `first` was reported: how many came since, not told yet, the last of them, and in which
    asking."""

    first: int
    last: int
    asking: int
    more: int = 0


@dataclass(slots=True)
class Watch:
    """What has been learnt from a stream. `early` are the words of the kinds that came first, until it is known how
    near they are; `asking` counts the askings; `ordinary` is what the question's probability is after ordinary lines
    (judge.py), None until that is known; `unasked` counts lines that stood out and for which there was no room."""

    meaning: Meaning
    words: WordCounts = field(default_factory=WordCounts)
    kinds: Recent[int] = field(default_factory=lambda: Recent(KINDS))  # 1: judged, and no finding
    ranks: Ranks = field(default_factory=Ranks)
    reported: Recent[Seen] = field(default_factory=lambda: Recent(REPORTED))
    waiting: dict[str, Candidate] = field(default_factory=dict)
    early: list[list[str]] = field(default_factory=list)
    asking: int = 0
    ordinary: float | None = None
    unasked: int = 0

    @property
    def learning(self) -> bool:
        """Whether it is too early to ask, unless somebody must know."""
        return self.words.lines < LEARNING

    def see(self, line: Line) -> None:
        """Takes in one line, which can be read."""
        values = self.meaning.values_in(line.text)
        name = kind(line.text, values)
        words = line_words(line.text)
        known = self.kinds.known(name)
        if waits := self.waiting.get(name):
            waits.more, waits.last = waits.more + 1, line.number
        elif seen := self.reported.known(name):
            self._again(seen, line, name)
        elif known != 1:
            score = self._score(line.text, words, len(values), known)
            if known is None and not self.meaning.open:
                self._learn(words, score)
            if score > 0 and (self.learning or self._stands_out(score)):
                self._wait(Candidate(line.number, line.text, name, score, line.number))
        if known is None:
            self.kinds[name] = 0
        self.words.add(words)

    def ask(
        self, expectation: Callable[[str], float] | None, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Candidate]:
        """The findings among the lines that wait, in the order of the stream, until `stop`; those that were looked at
        wait no more. `expectation` is that of a Judge, asked of each; None for an open question, where what is new is
        enough."""
        self.asking += 1
        ordinary = self._sift()
        if self.waiting and expectation and self.ordinary is None:
            self.ordinary = sum(map(expectation, ordinary)) / len(ordinary)
        for one in sorted(self.waiting.values(), key=lambda one: one.number):
            if stop():
                return
            del self.waiting[one.kind]
            if expectation is None or self._says(expectation(one.text), one.score):
                self.reported[one.kind] = Seen(one.number, one.last, self.asking, one.more)
                yield one
            else:
                self.kinds[one.kind] = 1

    def _sift(self) -> list[str]:
        """Leaves those waiting that stand out by what is known now; the texts of some that do not, or of nothing."""
        self._settle()
        left = sorted((one for one in self.waiting.values() if not self._stands_out(one.score)), key=_score)
        for one in left:
            del self.waiting[one.kind]
        return [one.text for one in left[:ORDINARY]] or [""]

    def _learn(self, words: list[str], score: float) -> None:
        """How near a new kind is, among all kinds."""
        if self.learning:
            self.early.append(words)
            return
        self._settle()
        self.ranks.add(score)

    def _settle(self) -> None:
        """What came first is ranked by what is known now of how common its words are."""
        if not self.early:
            return
        weight = self.words.weight_elsewhere
        self.ranks = Ranks()
        for words in self.early:
            self.ranks.add(self.meaning.nearness(words, weight))
        for one in self.waiting.values():
            values = len(self.meaning.values_in(one.text))
            one.score = self.meaning.nearness(line_words(one.text), weight, values)
        if not self.learning:
            self.early.clear()

    def _says(self, expectation: float, score: float) -> bool:
        """Whether a line so near to the question, with this expectation, says what is asked."""
        return gain(expectation, self.ordinary or 0.0) + score >= self.meaning.says

    def more(self) -> Iterator[Seen]:
        """The reported kinds of which more lines came than were told; they are told now."""
        for seen in self.reported.values():
            if seen.more:
                yield replace(seen)
                seen.more = 0

    def _again(self, seen: Seen, line: Line, name: str) -> None:
        """A line like one that was reported: counted or, when there was none for long, reported as well."""
        if self.asking - seen.asking > QUIET:
            del self.reported[name]
            self._wait(Candidate(line.number, line.text, name, NEWS, line.number))
            return
        seen.more, seen.last, seen.asking = seen.more + 1, line.number, self.asking

    def _score(self, text: str, words: list[str], values: int, known: int | None) -> float:
        if not self.meaning.open:
            return self.meaning.nearness(words, self.words.weight, values)
        if known is not None or self.words.lines < SETTLED:
            return 0.0
        novelty = self.words.novelty(words) + SEVERE * severe(text)
        return min(1.0, novelty) if novelty >= NOVEL else 0.0

    def _stands_out(self, score: float) -> bool:
        return self.meaning.open or self.ranks.above(score) < max(FEW, SHARE * self.ranks.total)

    def _wait(self, candidate: Candidate) -> None:
        self.waiting[candidate.kind] = candidate
        if len(self.waiting) > WAITING:
            del self.waiting[min(self.waiting.values(), key=_score).kind]
            self.unasked += not self.learning  # till then all wait, and few of them stand out

    def learnt(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "lines": self.words.lines,
            "words": self.words.counts,
            "kinds": dict(self.kinds),
            "measure": self.meaning.measure,
            "ranks": self.ranks.counts,
            "reported": {name: asdict(seen) for name, seen in self.reported.items()},
            "asking": self.asking,
            "ordinary": self.ordinary,
            "unasked": self.unasked,
            "waiting": [asdict(one) for one in self.waiting.values()],
            "early": self.early,
        }

    @classmethod
    def of(cls, meaning: Meaning, learnt: Mapping[str, Any]) -> "Watch":
        """Goes on from what `learnt` gave. Raises ValueError, KeyError or TypeError for what it did not. How near lines
        were by another measure says nothing by this one."""
        ranks = Ranks(_number(count) for count in learnt["ranks"])
        return cls(
            meaning,
            WordCounts(_number(learnt["lines"]), _numbers(learnt["words"])),
            Recent(KINDS, _numbers(learnt["kinds"])),
            ranks if learnt.get("measure") == meaning.measure else Ranks(),
            Recent(REPORTED, {name: _seen(seen) for name, seen in learnt["reported"].items()}),
            asking=_number(learnt["asking"]),
            ordinary=None if learnt["ordinary"] is None else float(learnt["ordinary"]),
            unasked=_number(learnt["unasked"]),
            waiting={one.kind: one for one in map(_candidate, learnt["waiting"])},
            early=[list(map(str, _listed(words))) for words in _listed(learnt["early"])],
        )


def _score(candidate: Candidate) -> float:
    return candidate.score


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**62:
        raise ValueError(f"{value!r} is no count")
    return value


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _numbers(values: Mapping[str, object]) -> dict[str, int]:
    return {str(name): _number(value) for name, value in values.items()}


def _candidate(values: Mapping[str, Any]) -> Candidate:
    number, last, more = (_number(values[name]) for name in ("number", "last", "more"))
    return Candidate(number, str(values["text"]), str(values["kind"]), float(values["score"]), last, more)


def _seen(values: Mapping[str, object]) -> Seen:
    return Seen(**{name: _number(value) for name, value in values.items()})
