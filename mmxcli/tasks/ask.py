"""Answer questions about a text: read it, recall passages, let the model answer, check the quotes."""

import time
from collections.abc import Generator, Iterator, Sequence
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.reading.ability import TO_COMPOSE, able
from mmxcli.reading.answering import Evidence, Origin, Said, answer, gather, gather_by_meaning
from mmxcli.reading.composing import GIVEN, asks_to_tell, compose
from mmxcli.reading.conversation import Conversation
from mmxcli.reading.corpus import incomplete
from mmxcli.reading.exact import asks_for_something_exact, compared, exact
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.upto import Upto
from mmxcli.reading.whole import ASKED_FOR, RECOGNISED, asks_for_all, collect, wanted
from mmxcli.recall.backing import rival
from mmxcli.recall.quotes import Quote, best_quotes, with_another
from mmxcli.tasks.citing import cited
from mmxcli.tasks.events import Answer, AnswerText, Event, Looking, Timing
from mmxcli.tasks.read import coverage, model_info, state_info

OTHERWISE = "another place says otherwise: the second quote"
NOT_FOUND = "The text does not seem to say."
UNTOLD = "none of the nearest sentences has"  # an age
CITATIONS = 3
NEAREST = 3


def ask(
    sources: Sequence[str],
    questions: Sequence[str],
    settings: Settings,
    stdin: BinaryIO | None = None,
    upto: Upto | None = None,
    *,
    whole: bool = False,
) -> Iterator[Event]:
    """Yields AnswerText pieces and then the Answer, question by question, as of the place `upto` in the text. With
    `whole`, every sentence that bears on a question is asked, and not only the best.

    Raises InputError after the answers when the `strict` setting is on and something could not be read.
    """
    start = time.perf_counter()
    with Session(settings) as session:
        yield from session.open_weights()
        reading = yield from session.read(sources, stdin, upto)
        yield from answers(session, reading, questions, start, whole=whole)
        if settings.strict and reading.gaps:
            raise incomplete(reading.gaps)


def answers(
    session: Session,
    reading: Reading,
    questions: Sequence[str],
    start: float,
    *,
    whole: bool = False,
    after: Conversation | None = None,
) -> Iterator[Event]:
    """The events of each question about a text that is ready for them. `start`: when the first was asked, by
    time.perf_counter. `after`: the conversation that a single question goes on from."""
    left = list(questions)
    while left:
        question = left[0]
        about_whole = yield from _whole(session, reading, question, start, asked=whole)
        if about_whole or (yield from _composed(session, reading, question, start, after)):
            taken = 1
        elif found := compared(reading, question):
            yield from _checked(session, reading, question, found.quotes, found.said, start)
            taken = 1
        else:
            taken = yield from _answer(session, reading, left, start, whole=whole, after=after)
        del left[:taken]
        start = time.perf_counter()


def _whole(
    session: Session, reading: Reading, question: str, start: float, *, asked: bool
) -> Generator[Event, None, bool]:
    """Answers a question about the whole text, from the text alone, or from many of its sentences; whether it was
    one."""
    if found := (yield from exact(session, reading, question, whole=asked)):
        yield from _checked(session, reading, question, found.quotes, found.said, start)
        return True
    if not (asked or asks_for_all(question)) or not gather(reading, wanted(question), 1).near:
        return False
    yield from session.prepare_writing()
    collected = yield from collect(session, reading, question, ASKED_FOR if asked else RECOGNISED)
    if collected:
        yield from _checked(session, reading, question, collected.quotes, collected.said, start)
    return collected is not None


def _composed(
    session: Session, reading: Reading, question: str, start: float, after: Conversation | None
) -> Generator[Event, None, bool]:
    """Answers a question that wants to be told something, where the model can put an answer together and it is borne
    out; whether that was so."""
    if not asks_to_tell(question) or (after and after.about(question)) or not (yield from able(session)):
        return False
    evidence = yield from _evidence(session, reading, question, GIVEN, None)
    evidence_s = time.perf_counter() - start
    if not evidence.found:
        return False
    yield Looking(cited(reading.index, evidence.quotes[0], question))
    composed = yield from compose(session, reading.index, question, evidence.quotes)
    if composed:
        said = Said(composed.text, Origin.COMPOSED, evidence.sure, numbered=True)
        yield from _checked(session, reading, question, composed.quotes, said, start, (evidence_s, evidence_s))
    return composed is not None


def _evidence(
    session: Session, reading: Reading, question: str, limit: int, after: Conversation | None
) -> Generator[Event, None, Evidence]:
    """By words, and where those find too little by meaning."""
    evidence = gather(reading, question, limit, after.about(question) if after else "")
    if evidence.quotes and not evidence.sure:
        encoder = yield from session.sentence_encoder()
        evidence = gather_by_meaning(reading, question, limit, evidence, session.near_words(), encoder)
    return evidence


def _answer(
    session: Session,
    reading: Reading,
    questions: Sequence[str],
    start: float,
    *,
    whole: bool,
    after: Conversation | None,
) -> Generator[Event, None, int]:
    """Answers as many of the first questions as are best written together; returns how many."""
    recalled: list[tuple[str, Evidence, float, float]] = []
    together = 1
    for question in questions:
        if len(recalled) == together or (recalled and _answered_alone(session, reading, question, asked=whole)):
            break
        recall_start = time.perf_counter()
        evidence = yield from _evidence(session, reading, question, NEAREST, after)
        now = time.perf_counter()
        recalled.append((question, evidence, now - recall_start, now - start))
        if evidence.found:  # else nothing is written, and no model is needed
            yield Looking(cited(reading.index, evidence.quotes[0], question))
            yield from session.prepare_writing()
            if session.writer:
                together = session.writer.together(reading.state.bytes if reading.state else 0)
    found = [(question, evidence) for question, evidence, *_ in recalled if evidence.found]
    said = iter(answer(session, reading, found, after) if found else ())
    for question, evidence, recall_s, evidence_s in recalled:
        one = next(said) if evidence.found else None
        quotes, otherwise = list(evidence.quotes), None
        if one:
            quotes = best_quotes(
                reading.index, question, one.text, evidence.passages, CITATIONS, evidence.kindred, evidence.about
            )
            quotes = with_another(quotes, evidence.quotes, CITATIONS)
            otherwise = rival(reading.index, question, one.text, evidence.quotes)
        if otherwise:
            others = [quote for quote in quotes[1:] if quote.start != otherwise.start]
            quotes = [quotes[0], otherwise, *others][:CITATIONS]
        warnings = [OTHERWISE] if otherwise else []
        if evidence.untold and evidence.near:
            warnings.append(f"{UNTOLD} {evidence.untold}")
        yield from _checked(session, reading, question, quotes, one, start, (recall_s, evidence_s), tuple(warnings))
    return len(recalled)


def _answered_alone(session: Session, reading: Reading, question: str, *, asked: bool) -> bool:
    """Whether it may be, and is not written together with others: about the whole, or to be put together."""
    composed = asks_to_tell(question) and session.abilities.get(TO_COMPOSE) is not False
    return asked or composed or asks_for_all(question) or asks_for_something_exact(reading, question)


def _checked(
    session: Session,
    reading: Reading,
    question: str,
    quotes: Sequence[Quote],
    said: Said | None,
    start: float,
    spent: tuple[float, float] = (0.0, 0.0),
    warnings: tuple[str, ...] = (),
) -> Iterator[Event]:
    """The text of the answer and the answer; `said` is None where the text does not seem to say. `spent`: seconds of
    recall, and from `start` to its end."""
    text = said.text if said else NOT_FOUND
    citations = tuple(
        cited(reading.index, quote, f"{question} {said.text if said else ''}", session.settings.context)
        for quote in quotes
    )
    yield AnswerText(text)
    first_token_s = time.perf_counter() - start
    yield Answer(
        question=question,
        text=text,
        found=said is not None,
        confidence=said.confidence if said else 0.0,
        numbered=said is not None and said.numbered,
        citations=citations if said else (),
        nearest=() if said else citations,
        warnings=warnings,
        coverage=coverage(reading.stored),
        state=state_info(reading),
        model=model_info(reading.stored),
        timing=Timing(
            session.load_s,
            reading.read_s,
            recall_s=spent[0],
            first_token_s=first_token_s,
            total_s=time.perf_counter() - start,
            evidence_s=spent[1] or first_token_s,
        ),
    )
