"""Answer questions about a text: read it, recall passages, let the model answer, check the quotes."""

import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.errors import InputError
from mmxcli.reading.answering import answer, gather
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.upto import Upto
from mmxcli.recall.quotes import Quote, best_quotes, verify
from mmxcli.tasks.events import Answer, AnswerText, Citation, Event, Timing
from mmxcli.tasks.read import coverage, model_info, state_info

NOT_FOUND = "The text does not seem to say."
CITATIONS = 2
NEAREST = 3


def ask(
    sources: Sequence[str],
    questions: Sequence[str],
    settings: Settings,
    stdin: BinaryIO | None = None,
    upto: Upto | None = None,
) -> Iterator[Event]:
    """Yields AnswerText pieces and then the Answer, question by question, as of the place `upto` in the text.

    Raises InputError after the answers when the `strict` setting is on and something could not be read.
    """
    start = time.perf_counter()
    with Session(settings) as session:
        yield from session.open_weights()
        reading = yield from session.read(sources, stdin, upto)
        for question in questions:
            yield from _answer(session, reading, question, start)
            start = time.perf_counter()
        if settings.strict and reading.gaps:
            raise InputError(f"{len(reading.gaps)} parts of the input could not be read, and --strict was given")


def _answer(session: Session, reading: Reading, question: str, start: float) -> Iterator[Event]:
    recall_start = time.perf_counter()
    evidence = gather(reading, question, NEAREST)
    recall_s = time.perf_counter() - recall_start
    text = answer(session, reading, question, evidence) if evidence.found else NOT_FOUND
    quotes: Sequence[Quote] = evidence.quotes
    if evidence.found:
        quotes = best_quotes(reading.index, question, text, evidence.passages, CITATIONS)
    citations = tuple(_citation(reading, quote) for quote in quotes)
    yield AnswerText(text)
    first_token_s = time.perf_counter() - start
    yield Answer(
        question=question,
        text=text,
        found=evidence.found,
        citations=citations if evidence.found else (),
        nearest=() if evidence.found else citations,
        coverage=coverage(reading.stored),
        state=state_info(reading),
        model=model_info(reading.stored),
        timing=Timing(session.load_s, reading.read_s, recall_s, first_token_s, time.perf_counter() - start),
    )


def _citation(reading: Reading, quote: Quote) -> Citation:
    return Citation(
        quote.source, quote.start, quote.end, quote.page, quote.line, quote.text, verify(quote, reading.index)
    )
