"""Answer questions about a text: read it, recall passages, let the model answer, check the quotes."""

import time
from collections.abc import Generator, Iterator, Sequence
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.errors import InputError
from mmxcli.reading.answering import Evidence, answer, gather
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
        left = list(questions)
        while left:
            taken = yield from _answer(session, reading, left, start)
            del left[:taken]
            start = time.perf_counter()
        if settings.strict and reading.gaps:
            raise InputError(f"{len(reading.gaps)} parts of the input could not be read, and --strict was given")


def _answer(session: Session, reading: Reading, questions: Sequence[str], start: float) -> Generator[Event, None, int]:
    """Answers as many of the first questions as are best written together; returns how many."""
    recalled: list[tuple[str, Evidence, float]] = []
    together = 1
    for question in questions:
        if len(recalled) == together:
            break
        recall_start = time.perf_counter()
        evidence = gather(reading, question, NEAREST)
        recalled.append((question, evidence, time.perf_counter() - recall_start))
        if evidence.found:  # else nothing is written, and no model is needed
            yield from session.prepare_writing()
            if session.writer:
                together = session.writer.together(reading.state.bytes if reading.state else 0)
    found = [(question, evidence) for question, evidence, _ in recalled if evidence.found]
    texts = iter(answer(session, reading, found) if found else ())
    for question, evidence, recall_s in recalled:
        text = next(texts) if evidence.found else NOT_FOUND
        yield from _checked(session, reading, question, evidence, text, recall_s, start)
    return len(recalled)


def _checked(
    session: Session, reading: Reading, question: str, evidence: Evidence, text: str, recall_s: float, start: float
) -> Iterator[Event]:
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
    verified = verify(quote, reading.index)
    return Citation(
        quote.source, quote.start, quote.end, quote.page, quote.line, quote.text, verified, place=quote.place
    )
