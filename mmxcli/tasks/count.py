"""How much there is to read, and what reading it would cost. Nothing goes through the model."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.models.blueprint import read_blueprint
from mmxcli.reading.corpus import Corpus, incomplete
from mmxcli.reading.outlook import look_ahead
from mmxcli.reading.session import Session
from mmxcli.reading.tokens import TokenStream
from mmxcli.sources.choice import Choice
from mmxcli.sources.document import Document
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.tasks.events import CountDone, Counted, Event, ModelInfo, Progress


def count(sources: Sequence[str], settings: Settings, stdin: BinaryIO | None = None) -> Iterator[Event]:
    """Yields Counted for each document and ends with CountDone. Raises InputError after it when `strict` is on
    and something could not be read."""
    with Session(settings) as session:
        yield from session.open_weights()
        corpus = yield from Corpus.opening(sources, stdin, Choice.of(settings))
        counted, gaps, remarks = [], list(corpus.gaps), list(corpus.remarks)
        done = 0
        for document in corpus.documents:
            yield Progress("index", done, corpus.size, "bytes", document.name)
            done += document.size
            one = _count(session, document, gaps, remarks)
            counted.append(one)
            yield one
        yield Progress("index", corpus.size, corpus.size, "bytes")
        tokens = sum(one.tokens for one in counted)
        mode = session.policy.mode(tokens)
        seconds, peak = _full(session, tokens)
        yield CountDone(
            documents=tuple(counted),
            skipped=tuple(gaps),
            tokens=tokens,
            model=ModelInfo(session.weights.name, session.policy.memory(mode, tokens)),
            read_s=seconds,
            memory_bytes={"full": peak, "recall": session.policy.peak_bytes(0)},
            remarks=tuple(remarks),
        )
        if settings.strict and gaps:
            raise incomplete(gaps)


def _full(session: Session, tokens: int) -> tuple[dict[str, float], int]:
    """What a full reading would take: seconds by mode, which only the processor's are known beforehand, and bytes."""
    policy = session.policy
    if policy.settings.device != "cpu":
        return {}, policy.peak_bytes(tokens, policy.store(tokens))
    ahead = look_ahead(read_blueprint(session.weights.path, session.weights.name), policy, tokens)
    return {"full": ahead.seconds}, ahead.peak_bytes


def _count(session: Session, document: Document, gaps: list[Gap], remarks: list[Remark]) -> Counted:
    """Adds to `gaps` what of the document cannot be read, to `remarks` what is to be told of it."""
    characters = 0

    def texts() -> Iterator[str]:
        nonlocal characters
        for item in document.segments():
            if isinstance(item, Segment):
                characters += len(item.text)
                yield item.text
            elif isinstance(item, Gap):
                gaps.append(item)
            else:
                remarks.append(item)

    tokens = sum(len(chunk.ids) for chunk in TokenStream(session.tokenizer).feed(texts()))
    return Counted(document.name, tokens, characters)
