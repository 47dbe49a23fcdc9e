"""How much there is to read, and what reading it would cost. Nothing goes through the model."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from mmxcli.config import Settings
from mmxcli.errors import InputError
from mmxcli.models.blueprint import read_blueprint
from mmxcli.reading.corpus import Corpus
from mmxcli.reading.outlook import look_ahead
from mmxcli.reading.session import Session
from mmxcli.reading.tokens import TokenStream
from mmxcli.sources.document import Document
from mmxcli.sources.segment import Gap, Segment
from mmxcli.tasks.events import CountDone, Counted, Event, ModelInfo


def count(sources: Sequence[str], settings: Settings, stdin: BinaryIO | None = None) -> Iterator[Event]:
    """Yields Counted for each document and ends with CountDone. Raises InputError after it when `strict` is on
    and something could not be read."""
    with Session(settings) as session:
        yield from session.open_weights()
        corpus = Corpus.open(sources, stdin)
        counted, gaps = [], list(corpus.gaps)
        for document in corpus.documents:
            one = _count(session, document, gaps)
            counted.append(one)
            yield one
        tokens = sum(one.tokens for one in counted)
        mode = session.policy.mode(tokens)
        blueprint = read_blueprint(session.weights.path, session.weights.name)
        full = look_ahead(blueprint, session.policy, tokens)
        yield CountDone(
            documents=tuple(counted),
            skipped=tuple(gaps),
            tokens=tokens,
            model=ModelInfo(session.weights.name, session.policy.memory(mode, tokens)),
            read_s={"full": full.seconds},
            memory_bytes={"full": full.peak_bytes, "recall": session.policy.peak_bytes(0)},
        )
        if settings.strict and gaps:
            raise InputError(f"{len(gaps)} parts of the input could not be read, and --strict was given")


def _count(session: Session, document: Document, gaps: list[Gap]) -> Counted:
    """Adds to `gaps` what of the document cannot be read."""
    characters = 0

    def texts() -> Iterator[str]:
        nonlocal characters
        for item in document.segments():
            if isinstance(item, Segment):
                characters += len(item.text)
                yield item.text
            else:
                gaps.append(item)

    tokens = sum(len(chunk.ids) for chunk in TokenStream(session.tokenizer).feed(texts()))
    return Counted(document.name, tokens, characters)
