"""Questions whose answer stands in many places: what each sentence that bears on one says is collected, then put in the
order of the text."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from mmxcli.reading.answering import Origin, Said, named
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.backing import backed, borne_out
from mmxcli.recall.kin import share
from mmxcli.recall.quotes import Quote, best_quotes
from mmxcli.recall.select import select

PASSAGES, SENTENCES = 48, 32  # that are looked at, and of which the model is asked
LEAST = 0.5  # of the weight of a question's words that a sentence must hold
SHOWN = 12  # facts of an answer
_LISTING = re.compile(
    r"^\W*(?:please )?(?:list|enumerate)\b|\b(?:what|who|which) (?:\w+ )?are all\b|\b(?:name|find) (?:all|every)\b",
    re.I,
)


_FRAME = re.compile(r"\b(?:list|enumerate|names?|find|all|every)\b", re.I)  # says nothing about where they stand


@dataclass(frozen=True, slots=True)
class Collected:
    """An answer made of many, and the sentences that say them."""

    said: Said
    quotes: tuple[Quote, ...]


def asks_for_all(question: str) -> bool:
    """Whether the question itself asks for a list."""
    return _LISTING.search(question) is not None


def collect(session: Session, reading: Reading, question: str) -> Generator[Note | Progress, None, Collected | None]:
    """The model is asked of each sentence that shares enough with the question. None where none says anything."""
    wanted = _FRAME.sub(" ", question)
    passages = [hit.passage for hit in select(reading.index, wanted, PASSAGES)]
    quotes = best_quotes(reading.index, wanted, None, passages, SENTENCES)
    weights = reading.index.question_weights(wanted)
    quotes = [quote for quote in quotes if share(reading.index.stems_of(quote.text), weights) >= LEAST]
    yield Note(f"{len(quotes)} sentences bear on the question; each is asked")
    facts: list[tuple[Quote, str]] = []
    together = session.writer.together(0) if session.writer else 1
    for start in range(0, len(quotes), together):
        yield Progress("recall", start, len(quotes), "sentences")
        some = quotes[start : start + together]
        for quote, text in zip(some, named(session, [(question, quote.text) for quote in some]), strict=True):
            if kept := borne_out(reading.index, question, text, [quote.text]):
                facts.append((quote, kept))
    yield Progress("recall", len(quotes), len(quotes), "sentences")
    chosen = _different(reading, question, facts)
    if not chosen:
        return None
    return Collected(Said("; ".join(text for _, text in chosen), Origin.COLLECTED), tuple(quote for quote, _ in chosen))


def _different(reading: Reading, question: str, facts: Sequence[tuple[Quote, str]]) -> list[tuple[Quote, str]]:
    """Those that say something that no better one has said, in the order of the text."""
    kept: list[tuple[Quote, str]] = []
    for quote, text in facts:  # best first
        if len(kept) < SHOWN and not backed(reading.index, question, text, [other for _, other in kept]):
            kept.append((quote, text))
    order = {source: at for at, source in enumerate(reading.index.sources)}
    return sorted(kept, key=lambda fact: (order[fact[0].source], fact[0].start))
