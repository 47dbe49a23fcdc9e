"""Say what a text says: its parts, from the innermost outwards, each with where it stands."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.reading.corpus import incomplete
from mmxcli.reading.overview import overview
from mmxcli.reading.parsed import Parsed
from mmxcli.reading.scribe import Scribe
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.summary import Summary, Wanted, summarise
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
    settings = replace(settings, read="recall")  # every part is looked at by itself: no state of the whole is needed
    with Session(settings) as session:
        yield from session.open_weights()
        reading = yield from session.read(sources, stdin, upto)
        title = few(sources)
        if is_repository(reading.index) and not wanted.focus:
            with Scribe(session) as scribe, Parsed(session.home) as parsed:
                repository = Repository(reading.index, parsed.module)
                summary = yield from overview(scribe, reading.index, repository, title, wanted)
        else:
            summary = yield from summarise(reading.index, parts_of(reading.index, title), wanted)
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


def _part(reading: Reading, summary: Summary) -> PartSummary:
    told = tuple(_told(reading, one) for one in summary.statements)
    parts = tuple(_part(reading, one) for one in summary.parts)
    return PartSummary(summary.title, summary.source, summary.words, told, parts)


def _says(part: PartSummary) -> bool:
    return bool(part.told) or any(map(_says, part.parts))


def _told(reading: Reading, one: Statement) -> Told:
    quote = quote_of(reading.index, one.source, one.start, one.end)
    return Told(one.text, one.origin, cited(reading.index, quote))
