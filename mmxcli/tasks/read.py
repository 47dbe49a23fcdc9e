"""Read now, ask later."""

import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.reading.corpus import incomplete
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.upto import Upto
from mmxcli.sources.segment import Gap, Remark
from mmxcli.state.record import StoredReading
from mmxcli.tasks.events import Coverage, Event, ModelInfo, ReadingDone, StateInfo, Timing


def read(
    sources: Sequence[str], settings: Settings, stdin: BinaryIO | None = None, upto: Upto | None = None
) -> Iterator[Event]:
    """As far as the place `upto`, if any. Ends with ReadingDone.

    Raises InputError after it when `strict` is on and something could not be read."""
    start = time.perf_counter()
    with Session(settings) as session:
        yield from session.open_weights()
        reading = yield from session.read(sources, stdin, upto)
        yield ReadingDone(
            coverage=coverage(reading.stored),
            state=state_info(reading),
            model=model_info(reading.stored),
            timing=Timing(session.load_s, reading.read_s, total_s=time.perf_counter() - start),
        )
        if settings.strict and reading.gaps:
            raise incomplete(reading.gaps)


def coverage(stored: StoredReading) -> Coverage:
    skipped = tuple(Gap(source, reason, page) for source, reason, page in stored.skipped)
    remarks = tuple(Remark(source, text) for source, text in stored.remarks)
    return Coverage(stored.tokens, stored.read_tokens, stored.mode, skipped, stored.upto, remarks)


def state_info(reading: Reading) -> StateInfo:
    return StateInfo(reading.stored.id, reading.reused_tokens, reading.stored.bytes)


def model_info(stored: StoredReading) -> ModelInfo:
    return ModelInfo(stored.model, stored.memory)
