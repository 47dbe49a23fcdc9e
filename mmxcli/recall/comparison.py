"""What a text says of two things, side by side."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmxcli.recall.found import Found, Span
from mmxcli.recall.gist import Told, gist, statements
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.numbers import numbers
from mmxcli.recall.quotes import Quote, best_quotes, quote_of
from mmxcli.recall.sentences import points_back
from mmxcli.recall.sides import Side, without_names
from mmxcli.recall.words import STOP_WORDS, content_words, words

PASSAGES, SENTENCES = 64, 64  # in which facts about one side are looked for
LOOKED_AT, GIST = 200_000, 120  # code points of a document that is compared as a whole, and words of an extract of it
ENOUGH, MOST = 3, 4  # sentences of one side; that have one of the other beside them
# Of the weight of the words of a side that a sentence must hold: all of FEW words, but that of a name a part is enough
# ("Captain Ahab"), if the whole stands somewhere.
LEAST, FEW = 0.6, 3
ALIKE = 0.15  # from which on two sentences say the same kind of thing
UNIT = 0.5  # more for numbers of the same unit
_SIDES = tuple(
    re.compile(rf"^\W*(?:(?:and|so|please|but)\W+)*{pattern}[?.!\s]*$", re.I)
    for pattern in (
        r"compare\s+(?P<one>.+?)\s+(?:and|with|to|against|versus|vs\.?)\s+(?P<other>.+?)",
        r"what (?:is|are|was|were)\s+(?:the\s+)?(?:\w+\s+)?differences?\s+between\s+(?P<one>.+?)\s+and\s+"
        r"(?P<other>.+?)",
        r"how (?:do|does|did|is|are|was|were)\s+(?P<one>.+?)\s+(?:differ(?:s|ent)?|distinct)\s+from\s+(?P<other>.+?)",
        r"how (?:do|does|did)\s+(?P<one>.+?)\s+and\s+(?P<other>.+?)\s+(?:differ|compare)",
        r"how (?:do|does|did)\s+(?P<one>.+?)\s+compare\s+(?:to|with)\s+(?P<other>.+?)",
        r"what (?:distinguishes|sets)\s+(?P<one>.+?)\s+(?:apart\s+)?from\s+(?P<other>.+?)",
    )
)
_IN_SOURCES = re.compile(r"^\W*(?:compare|what (?:is|are) the differences?|how (?:do|does))\b", re.I)
_ASPECT = re.compile(
    r",?\s+(?:in terms of|with (?:respect|regard) to|when it comes to|as to|regarding|concerning)\s+(?P<aspect>.+)$",
    re.I,
)
_TAIL = re.compile(r"\s+(?:of|in|at|for|from|on)\s+", re.I)  # what follows a name, and need not stand beside it
_FRAME = re.compile(
    r"\b(?:compare[ds]?|between|differences?|differ|(?:document|file|text|source|report)s?|two|both|say|about)\b", re.I
)
_SPEECH = re.compile(r"[“”\"?!]")
_COMPARING = re.compile(r"\b(?:than|unlike|whereas|while|both|differs?|instead|contrary|contrast)\b", re.I)
SHORT = 5  # words


@dataclass(frozen=True, slots=True)
class _Sought:
    """One side: what it is called, its stems, those of them that tell it from the other, and the documents it is looked
    for in."""

    name: str
    query: str
    stems: frozenset[str]
    own: frozenset[str]
    sources: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Fact:
    """A sentence of one side, the stems of what it says besides naming it, and of what it counts. `ease`: how well it
    can be taken alone."""

    quote: Quote
    stems: frozenset[str]
    units: frozenset[str]
    fit: float
    ease: float

    @property
    def worth(self) -> float:
        return self.fit + self.ease


def asks_to_compare(question: str, sides: Sequence[Side] = ()) -> bool:
    """Whether a question is one: it names two things, or two of these sides."""
    return any(kind.search(question) for kind in _SIDES) or len(_sides_of(question, sides)) == 2


def _sides_of(question: str, sides: Sequence[Side]) -> list[Side]:
    return [side for side in sides if side.is_in(question)] if _IN_SOURCES.search(question) else []


def comparison(index: RecallIndex, question: str, sides: Sequence[Side] = ()) -> Found | None:
    """What the text says of each, what is of the same kind first. Where one is not there, that is said; the text is ""
    where neither is. None where it is no such question."""
    sought = _sought(index, question, sides)
    if not sought:
        return None
    facts = [_facts(index, side, frozenset().union(*(one.stems for one in sought))) for side in sought]
    if not any(facts):
        return Found("", ())
    chosen = _beside(index, *facts)
    lines, spans = list[str](), list[Span]()
    for side, its in zip(sought, chosen, strict=True):
        said = []
        for fact in its:
            spans.append((fact.quote.source, fact.quote.start, fact.quote.end))
            said.append(f"{' '.join(fact.quote.text.split())} [{len(spans)}]")
        lines.append(f"{side.name}: {' '.join(said) or 'the text does not seem to say'}")
    return Found("\n".join(lines), tuple(spans))


def _sought(index: RecallIndex, question: str, sides: Sequence[Side]) -> list[_Sought]:
    """The two sides; [] where the question has none, or they cannot be told apart."""
    named = _sides_of(question, sides)
    plain = _FRAME.sub(" ", without_names(sides, question))
    topic = " ".join(content_words(plain))
    if len(named) == 2:
        own = frozenset(index.question_weights(topic))
        return [_Sought(side.name, topic, own, own, frozenset(side.sources)) for side in named]
    found = next((found for kind in _SIDES if (found := kind.search(question))), None)
    if not found:
        return []
    one, other = found["one"].strip("\"'“”‘’ "), found["other"]
    aspect = _ASPECT.search(other)
    other = (other[: aspect.start()] if aspect else other).strip("\"'“”‘’ ")
    stems = [frozenset(index.question_weights(name)) for name in (one, other)]
    heads = [frozenset(index.question_weights(_TAIL.split(name)[0])) for name in (one, other)]
    heads = heads if heads[0] - heads[1] and heads[1] - heads[0] else stems
    if not (heads[0] - heads[1] and heads[1] - heads[0]):
        return []
    more = aspect["aspect"] if aspect else ""
    return [
        _Sought(name, f"{name} {more}", its, its - rest)
        for name, its, rest in ((one, heads[0], heads[1]), (other, heads[1], heads[0]))
    ]


def _facts(index: RecallIndex, side: _Sought, named: frozenset[str]) -> list[_Fact]:
    """Sentences that are about one side, with what they say besides the names of both; those that can be taken alone,
    if there are enough. None where no sentence has its whole name, unless it is a long one."""
    if not side.query:
        return list(_telling(index, side))
    hits = index.search(side.query, PASSAGES)
    passages = [hit.passage for hit in hits if side.sources is None or hit.passage.source in side.sources]
    weights = {stem: index.rarity(stem) for stem in side.own}
    long = len(side.own) > FEW
    least = (LEAST if long or side.name != side.name.lower() else 1) * sum(weights.values())
    facts, whole = list[_Fact](), long
    for quote in best_quotes(index, side.query, None, passages, SENTENCES):
        found = list(words(quote.text))
        stems = index.stems(word.text for word in found)
        every = frozenset(stems.values())
        telling = frozenset(stems[word.text] for word in found if word.text.lower() not in STOP_WORDS) - {""} - named
        if sum(weight for stem, weight in weights.items() if stem in every) >= least and telling:
            first = next(word.start for word in found if stems[word.text] in side.own)
            fit = quote.score + 0.5 * (first < len(quote.text) / 3) + 0.5 * (side.stems <= every)
            facts.append(_Fact(quote, telling, frozenset(_units(index, quote.text)), fit, _ease(quote.text)))
            whole = whole or side.stems <= every
    facts = list({" ".join(fact.quote.text.split()): fact for fact in reversed(facts)}.values())[::-1]
    alone = [fact for fact in facts if fact.ease >= 0]
    return (alone if len(alone) >= ENOUGH else facts) if whole else []


def _telling(index: RecallIndex, side: _Sought) -> Iterator[_Fact]:
    """What tells most of documents that are compared as a whole."""
    for source in sorted(side.sources or ()):
        offered = list(statements(index, source, 0, LOOKED_AT))
        for told in gist(index, offered, Told(index, index.text(source, 0, LOOKED_AT)).weights(index), GIST):
            quote = quote_of(index, told.source, told.start, told.end)
            units = frozenset(_units(index, quote.text))
            yield _Fact(quote, frozenset(index.stems_of(quote.text)), units, 1.0, _ease(quote.text))


def _ease(text: str) -> float:
    """How well a sentence can be taken alone: a part, a title, speech and what hangs on another less."""
    worth = 0.0 if len(text.split()) >= SHORT and text[-1:] in ".;" else -1.0
    worth -= 0.8 if _SPEECH.search(text) else 0.0
    worth -= 0.4 if points_back(text) else 0.0
    return worth + (0.4 if _COMPARING.search(text) else 0.0)


def _units(index: RecallIndex, text: str) -> Iterator[str]:
    """The stems of what its numbers count."""
    every = list(words(text))
    for number in numbers(text):
        following = next((word.text for word in every if word.start >= number.end), "")
        if following.lower() not in STOP_WORDS:
            yield index.stems([following]).get(following, "")


def _beside(index: RecallIndex, ones: list[_Fact], others: list[_Fact]) -> tuple[list[_Fact], list[_Fact]]:
    """Up to MOST facts of each side: those that say the same kind of thing first, beside each other, then the best, up
    to ENOUGH. A sentence about both stands on the first side."""
    both = {(fact.quote.source, fact.quote.start) for fact in ones}
    shared = [fact for fact in others if (fact.quote.source, fact.quote.start) in both]
    others = [fact for fact in others if fact not in shared] or others
    scored = sorted(
        (
            (_alike(index, one, other), one.worth + other.worth, at, there)
            for at, one in enumerate(ones)
            for there, other in enumerate(others)
        ),
        reverse=True,
    )
    left, right = list[int](), list[int]()
    for alike, _, at, there in scored:
        if alike < ALIKE or len(left) == MOST:
            break
        if at not in left and there not in right:
            left.append(at)
            right.append(there)
    for chosen, facts in ((left, ones), (right, others)):
        for at in sorted(range(len(facts)), key=lambda at: -facts[at].worth):
            if len(chosen) < ENOUGH and at not in chosen:
                chosen.append(at)
    return [ones[at] for at in left], [others[at] for at in right]


def _alike(index: RecallIndex, one: _Fact, other: _Fact) -> float:
    """How much of what the two say is of the same kind: the weight of the words that both have."""
    shared = sum(index.rarity(stem) for stem in one.stems & other.stems)
    every = sum(index.rarity(stem) for stem in one.stems | other.stems) or 1
    return shared / every + UNIT * bool((one.units & other.units) - {""})
