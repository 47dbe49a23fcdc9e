"""The sentences that tell most of what a text says, in few words: an extract.

A summary should hold what a text says again and again and other texts seldom do: each stem of a part weighs
log(times in the part) x rarity; of what has many parts, what is in many of them. Sentences are taken one by one, always
the one that adds most weight for its length, and what was said weighs less the next time: coverage of concepts
(Gillick and Favre, "A Scalable Global Model for Summarization", 2009), greedily, with gain over a power of the cost
(Lin and Bilmes, "Multi-document Summarization via Budgeted Maximization of Submodular Functions", 2010).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.sentences import sentences
from mmxcli.recall.words import Word, spaceless, telling, words

SHORTEST, LONGEST = 5, 60  # words of a sentence
LEAD = 1.5  # times what a sentence counts that is the first
OPEN = 0.5  # of one that no mark ends
ONCE = 0.01  # in place of log(times), of a stem that a text has once: it counts where nothing else does
SAID = 0.5  # what a concept still weighs each time after it was said
STRETCH = 0.5  # of the most that a sentence weighs: that there is one of its stretch of the text
SEVERAL, FEW = 4, 20  # texts from which on what they share counts; of so many at least one must share it
_LINKS = """
    he she it they this that these those him her his their its but and so yet or for then however therefore thus such
    here there which who what why how when nor now again also well oh yes no ay aye i you we me my your our otherwise
    moreover besides nevertheless still even both neither either another similarly likewise meanwhile instead see
"""
_HANGING = re.compile(rf"[^\w]*(?:{'|'.join(_LINKS.split())})\b", re.I)
_SPOKEN = re.compile(r"""["“«„‘]|.*\?["”’»]*$""", re.S)
_SPEECH = re.compile(r"""[-"“«„‘—–]|.*[?!]["”’»]*$|.*["“”«»]|.*\b(?:thou|thee|thy|ye)\b""", re.S)
ENDED = re.compile(r"""[.!?…。！？।؟]["'”’»)\]*_]*$""")
_BULLET = re.compile(r"(?:[-*+•>|#]+|--+|\(?\d{1,3}[.)])\s+|[|>#]+")
_FENCE = re.compile(r"^[ \t]*(?P<mark>```+|~~~+).*?(?:^[ \t]*(?P=mark)|\Z)", re.M | re.S)
_INDENTED = re.compile(r"^(?: {4}|\t).*$", re.M)  # code, in Markdown
_MARKDOWN = frozenset((".md", ".markdown", ".rst"))
_LINK = re.compile(r"!?\[([^\]]{1,200})\]\([^)\s]{1,500}\)|(?P<bold>\*\*|__)(?P<words>[^*_]{1,200})(?P=bold)")
_NO_PROSE = re.compile(
    r"\[!\[|<\w+[ />]|\]\[|\.{5}|_{5}|={4}|\|.*\||^\W*\[?(?:(?:\w+ )?illustration|sidenote|\d+\])|https?://\S+$|\{[^}]*\}",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Style:
    """What sentences are taken. A sentence's gain is divided by its length to the power of `cost`; one that needs the
    one before it counts only `hanging`, speech and questions `spoken`. `otherwise`: of a text that has none such."""

    shortest: int
    longest: int
    cost: float
    hanging: float
    spoken: float
    speech: re.Pattern[str]
    otherwise: "Style | None" = None


# Measured (benchmarks/answers/summaries.py). Sentences from all over a long text have to be clear by themselves, all
# the more where the text is told by a few of them.
NEAR = Style(SHORTEST, LONGEST, cost=0.75, hanging=0.7, spoken=0.5, speech=_SPOKEN)
FAR = Style(10, 40, cost=0.5, hanging=0.5, spoken=0.3, speech=_SPEECH, otherwise=NEAR)
WHOLE = Style(12, 40, cost=0.25, hanging=0.4, spoken=0.1, speech=_SPEECH)

Concept = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that a text says, in one line, and where: `source` has what bears it out between the code point
    offsets `start` and `end`. `origin` is "extract" for a sentence of the text, "found" for what was read off code,
    headings and names, "written" for a model's own words; `also` are other places that such a line needs to be borne
    out."""

    text: str
    source: str
    start: int
    end: int
    origin: str = "extract"
    also: tuple[tuple[str, int, int], ...] = ()


def length(text: str) -> int:
    """In words; of scripts without spaces, two characters count as one."""
    run = spaceless(text)
    return len(text.split()) + run // 2


def statements(index: RecallIndex, source: str, start: int, end: int) -> Iterator[Statement]:
    """The sentences between two offsets that may stand alone in a summary: prose, neither very short nor very long. Of
    what has none, such as a log or a list, its lines."""
    prose = _FENCE.sub(_blank, index.text(source, start, end))
    if PurePath(source).suffix.lower() in _MARKDOWN:
        prose = _INDENTED.sub(_blank, prose)
    every = (_spoken(prose, *span) for span in sentences(prose))
    plain = [one for one in every if _is_prose(prose, *one)]
    lines = (_spoken(prose, *span) for span in sentences(prose, code=True))
    for text, low, high in plain or [one for one in lines if SHORTEST <= length(one[0]) <= LONGEST]:
        yield Statement(text, source, start + low, start + high)


def _spoken(text: str, begin: int, end: int) -> tuple[str, int, int]:
    """A sentence in one line, without its bullet and its marks, and where it stands."""
    bullet = _BULLET.match(text, begin, end)
    low = bullet.end() if bullet else begin
    return _LINK.sub(lambda link: link[1] or link["words"], " ".join(text[low:end].split())), low, end


def _is_prose(text: str, sentence: str, low: int, high: int) -> bool:
    letters = sum(character.isalpha() for character in sentence)
    plain = letters > 0.6 * len(sentence) and not _NO_PROSE.search(text[low:high]) and not _is_list(sentence)
    return plain and SHORTEST <= length(sentence) <= LONGEST and sentence[-1:] not in (":", ",")


class Told:
    """What a text tells of: the stems of its telling words and how often it has each, pairs of them that stand side by
    side, and names. `+` puts what two texts tell together, and counts in `spread` how many of them have a pair or name.
    """

    def __init__(self, index: RecallIndex, text: str = "") -> None:
        """No text counts as none."""
        found = list(words(text))
        every = index.stems(word.text for word in found)
        tells = set(telling(text))
        told = [every[word.text] if word in tells else "" for word in found]
        self.texts = 1 if text else 0
        self.stems = Counter(stem for stem in told if stem)
        pairs = {(one, other) for one, other in pairwise(told) if one and other and one != other}
        names = {every[word.text] for word in found if _is_name(text, word)} - {""}
        self.spread: Counter[Concept] = Counter([*pairs, *names])

    def __iadd__(self, other: "Told") -> "Told":
        self.texts += other.texts
        self.stems.update(other.stems)
        self.spread.update(other.spread)
        return self

    @property
    def many(self) -> bool:
        """Whether it is of several texts that may be far from each other."""
        return self.texts >= SEVERAL

    @property
    def concepts(self) -> set[Concept]:
        return self.stems.keys() | self.spread.keys()

    def weights(self, index: RecallIndex) -> Mapping[Concept, float]:
        """Of a single text each stem, by how often it comes again and how rare it is elsewhere; of several, the pairs
        and names that many of them share, if there are any."""
        least = max(2, self.texts // FEW)
        shared = {concept: math.log(count) for concept, count in self.spread.items() if count >= least}
        if self.many and shared:
            return shared
        return {stem: (math.log(count) or ONCE) * index.rarity(stem) for stem, count in self.stems.items()}


def gist(
    index: RecallIndex,
    offered: Sequence[Statement],
    weighing: Mapping[Concept, float],
    limit: int,
    style: Style = NEAR,
    stretches: int = 0,
    favour: Callable[[Statement], float] | None = None,
) -> list[Statement]:
    """Those of the statements, in their order, that tell most in at most `limit` words; at least one, if any says
    something. From each of so many `stretches` of as many statements one should be taken, and `favour` tells how much
    more each counts."""
    left = dict(weighing)
    told = [Told(index, one.text).concepts & left.keys() for one in offered]
    if stretches:
        most = max((sum(left[concept] for concept in concepts) for concepts in told), default=0.0)
        for at, concepts in enumerate(told):
            stretch = ("", str(at * stretches // len(told)))
            left[stretch] = STRETCH * most
            concepts.add(stretch)
    lengths = [length(one.text) for one in offered]
    price = [_ease(one.text, style) / max(1, words) ** style.cost for one, words in zip(offered, lengths, strict=True)]
    first = {one.text: at for at, one in reversed(list(enumerate(offered)))}
    price = [first[one.text] == at and price[at] for at, one in enumerate(offered)]  # nothing is told twice
    if price:
        price[0] *= LEAD
    if favour:
        price = [one and one * favour(statement) for one, statement in zip(price, offered, strict=True)]
    hangs = [_HANGING.match(one.text) is not None for one in offered]
    chosen: set[int] = set()
    room = limit
    while True:
        best, most = -1, 0.0
        for at, concepts in enumerate(told):
            if at in chosen or (lengths[at] > room and chosen):
                continue
            worth = sum(left[concept] for concept in concepts) * price[at]
            worth *= style.hanging if hangs[at] and at - 1 not in chosen else 1
            if worth > most:
                best, most = at, worth
        if best < 0 and not chosen and style.otherwise:
            return gist(index, offered, weighing, limit, style.otherwise)
        if best < 0:
            return [offered[at] for at in sorted(chosen)]
        chosen.add(best)
        room -= lengths[best]
        for concept in told[best]:
            left[concept] *= SAID


def stands_alone(one: Statement) -> bool:
    """Whether it is a sentence that is clear without those around it."""
    clear = ENDED.search(one.text) and not FAR.speech.match(one.text) and not _HANGING.match(one.text)
    return bool(clear) and length(one.text) <= FAR.longest


def _ease(text: str, style: Style) -> float:
    """How well a sentence can be taken: 0 for not at all, 1 for well."""
    fits = style.shortest <= length(text) <= style.longest
    return fits * (style.spoken if style.speech.match(text) else 1) * (1 if ENDED.search(text) else OPEN)


def _blank(code: re.Match[str]) -> str:
    """As long as the code, and no sentence."""
    return "\n" * len(code.group())


def _is_name(text: str, word: Word) -> bool:
    """Whether it has a capital where no sentence begins."""
    before = text[max(0, word.start - 2) : word.start]
    return (
        word.text[0].isupper()
        and not word.text.isupper()
        and before[-1:] == " "
        and (before[0].isalnum() or before[0] in ",;")
    )


def _is_list(sentence: str) -> bool:
    """Whether most of its words have capitals: a title, a reference, a list of names."""
    beginnings = [word[0] for word in sentence.split()]
    return sum(letter.isupper() for letter in beginnings) > sum(letter.islower() for letter in beginnings)
