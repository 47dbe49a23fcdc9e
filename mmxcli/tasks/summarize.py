"""Say what a text says: its parts, from the innermost outwards, each with where it stands."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.reading.ability import able
from mmxcli.reading.corpus import incomplete
from mmxcli.reading.overview import overview
from mmxcli.reading.parsed import Parsed
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.retelling import TOKENS, End, Reteller, carried, is_told
from mmxcli.reading.scribe import Scribe
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.summary import Summary, Wanted, summarise
from mmxcli.reading.trials import PASSAGES, TO_RETELL
from mmxcli.reading.upto import Upto
from mmxcli.recall.gist import Statement
from mmxcli.recall.parts import parts_of
from mmxcli.recall.quotes import quote_of
from mmxcli.recall.repository import Repository, is_repository
from mmxcli.sources.choice import few
from mmxcli.tasks.citing import cited
from mmxcli.tasks.events import Event, PartSummary, SummaryDone, Timing, Told
from mmxcli.tasks.read import coverage, model_info, state_info


def summarize(
    sources: Sequence[str],
    settings: Settings,
    wanted: Wanted,
    stdin: BinaryIO | None = None,
    upto: Upto | None = None,
) -> Iterator[Event]:
    """As of the place `upto`, if any. Ends with SummaryDone.

    Raises InputError after it when `strict` is on and something could not be read.
    """
    start = time.perf_counter()
    # Every part is looked at by itself: only a model that can write needs a state of the whole.
    with Session(replace(settings, read="recall")) as session:
        yield from session.open_weights()
        reading = yield from session.read(sources, stdin, upto)
        title = few(sources)
        if is_repository(reading.index) and not wanted.focus:
            with Scribe(session) as scribe, Parsed(session.home) as parsed:
                repository = Repository(reading.index, parsed.module)
                summary = yield from overview(scribe, reading.index, repository, title, wanted)
        else:
            reading, summary = yield from _of_text(session, settings, reading, title, wanted)
        told = _part(reading, summary)
        seconds = time.perf_counter() - start
        yield SummaryDone(
            summary=told,
            found=bool(told.told) or (not wanted.focus and any(_says(part) for part in told.parts)),
            focus=wanted.focus,
            coverage=coverage(reading.stored),
            state=state_info(reading),
            model=model_info(reading.stored),
            timing=Timing(session.load_s, reading.read_s, first_token_s=seconds, total_s=seconds),
        )
        if settings.strict and reading.gaps:
            raise incomplete(reading.gaps)


def _of_text(
    session: Session, settings: Settings, reading: Reading, title: str, wanted: Wanted
) -> Generator[Progress | Note, None, tuple[Reading, Summary]]:
    """In the words of the model where it can, after a state that has read what comes before where the reading is to be
    a full one and its memory carries that; with a focus in the text's own, which are about it."""
    whole = parts_of(reading.index, title)
    # One that is short enough is told as it is.
    worth = not wanted.focus and any(map(is_told, whole.leaves))
    if not worth or not (yield from able(session, TO_RETELL, PASSAGES, TOKENS)):
        if settings.read == "full":
            yield Note(f"{reading.stored.model} does not read it through: it is told by its own sentences")
        return reading, (yield from summarise(reading.index, whole, wanted))
    with Scribe(session) as scribe:
        written: Mapping[End, str] = {}
        policy, tokens = replace(session.policy, settings=settings), reading.stored.tokens
        if policy.mode(tokens) == "full" and policy.memory("full", tokens) != "windowed":
            reading, written = yield from carried(session, scribe, reading, whole)
        reteller = Reteller(reading.index, scribe, written)
        return reading, (yield from summarise(reading.index, whole, wanted, reteller))


def _part(reading: Reading, summary: Summary) -> PartSummary:
    told = tuple(_told(reading, one) for one in summary.statements)
    parts = tuple(_part(reading, one) for one in summary.parts)
    return PartSummary(summary.title, summary.source, summary.words, told, parts)


def _says(part: PartSummary) -> bool:
    return bool(part.told) or any(map(_says, part.parts))


def _told(reading: Reading, one: Statement) -> Told:
    quote = quote_of(reading.index, one.source, one.start, one.end)
    also = tuple(cited(reading.index, quote_of(reading.index, *place)) for place in one.also)
    return Told(one.text, one.origin, cited(reading.index, quote), also)
