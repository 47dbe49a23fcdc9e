"""Questions whose answer stands in many places: what each sentence that bears on one says is collected, then put in the
order of the text."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mmxcli.reading.answering import Origin, Said, named
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.backing import backed, borne_out
from mmxcli.recall.kin import share
from mmxcli.recall.numbers import numbers
from mmxcli.recall.quotes import Quote, best_quotes
from mmxcli.recall.select import select

LEAST = 0.5  # of the weight of a question's words that a sentence must hold
PASSED = 256  # passages at a time
_NAMED = r"(?:are|were) (?:there )?(?:mentioned|named|listed|described|told of)"
_COUNTING = re.compile(rf"\bhow many (?P<what>(?:\w+ ){{1,4}}?){_NAMED}\b", re.I)
_HOW_MANY = re.compile(r"\bhow many\b", re.I)
_LISTING = re.compile(
    r"^\W*(?:please )?(?:list|enumerate)\b|\b(?:what|who|which) (?:\w+ )?are all\b|\b(?:name|find) (?:all|every)\b"
    rf"|{_COUNTING.pattern}",
    re.I,
)
# Says nothing about where they stand.
_FRAME = re.compile(rf"\b(?:list|enumerate|names?|find|all|every|how many|{_NAMED})\b", re.I)


class Extent(NamedTuple):
    """How many passages are looked at (None: all that have a word of the question), of how many of their sentences the
    model is asked, and how many facts an answer has, at most."""

    passages: int | None
    sentences: int
    facts: int


RECOGNISED, ASKED_FOR = Extent(48, 32, 12), Extent(None, 256, 48)  # by its words; with --whole


@dataclass(frozen=True, slots=True)
class Collected:
    """An answer made of many, and the sentences that say them."""

    said: Said
    quotes: tuple[Quote, ...]


def asks_for_all(question: str) -> bool:
    """Whether the question itself asks for a list."""
    return _LISTING.search(question) is not None


def wanted(question: str) -> str:
    """What of the question may stand in the text."""
    return _FRAME.sub(" ", question)


def collect(
    session: Session, reading: Reading, question: str, extent: Extent = RECOGNISED
) -> Generator[Note | Progress, None, Collected | None]:
    """The model is asked of each sentence that shares enough with the question. None where none says anything."""
    sought = wanted(question)
    if extent.passages is None:
        hits = reading.index.search(sought, reading.index.count)
    else:
        hits = select(reading.index, sought, extent.passages)
    weights = reading.index.question_weights(sought)
    found: dict[tuple[str, int], Quote] = {}
    for start in range(0, len(hits), PASSED):
        yield Progress("recall", start, len(hits), "passages")
        passages = [hit.passage for hit in hits[start : start + PASSED]]
        for quote in best_quotes(reading.index, sought, None, passages, extent.sentences):
            if share(reading.index.stems_of(quote.text), weights) >= LEAST:
                found.setdefault((quote.source, quote.start), quote)
    yield Progress("recall", len(hits), len(hits), "passages")
    quotes = sorted(found.values(), key=lambda quote: -quote.score)[: extent.sentences]
    yield Note(f"{len(quotes)} sentences of {len(hits):,} passages bear on the question; each is asked")
    asked = _HOW_MANY.sub("which", question) if _COUNTING.search(question) else question
    facts: list[tuple[Quote, str]] = []
    together = session.writer.together(0) if session.writer else 1
    for start in range(0, len(quotes), together):
        yield Progress("ask", start, len(quotes), "sentences")
        some = quotes[start : start + together]
        for quote, text in zip(some, named(session, [(asked, quote.text) for quote in some]), strict=True):
            if kept := borne_out(reading.index, question, text, [quote.text]):
                facts.append((quote, kept))
    yield Progress("ask", len(quotes), len(quotes), "sentences")
    chosen = _different(reading, question, facts, extent.facts)
    if not chosen:
        return None
    told = "; ".join(text for _, text in chosen)
    if _HOW_MANY.search(question) and len(chosen) > 1 and not any(list(numbers(text)) for _, text in chosen):
        told = f"at least {len(chosen)}: {told}"  # no sentence says how many: what they name is counted
    return Collected(Said(told, Origin.COLLECTED), tuple(quote for quote, _ in chosen))


def _different(
    reading: Reading, question: str, facts: Sequence[tuple[Quote, str]], most: int
) -> list[tuple[Quote, str]]:
    """Those that say something that no better one has said, in the order of the text."""
    kept: list[tuple[Quote, str]] = []
    for quote, text in facts:  # best first
        if len(kept) < most and not backed(reading.index, question, text, [other for _, other in kept]):
            kept.append((quote, text))
    order = {source: at for at, source in enumerate(reading.index.sources)}
    return sorted(kept, key=lambda fact: (order[fact[0].source], fact[0].start))
