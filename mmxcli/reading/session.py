"""A model, a store and a text: finds the stored reading, reads what is missing, and keeps it."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mmxcli import __version__
from mmxcli.config import Settings
from mmxcli.errors import InputError
from mmxcli.models.chat import ChatTemplate
from mmxcli.models.shape import Shape
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import WeightsFolder, locate
from mmxcli.reading.policy import Policy
from mmxcli.reading.progress import Note, Progress, relay
from mmxcli.reading.prompts import reading_prompt
from mmxcli.reading.tokens import TokenStream
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Segment
from mmxcli.state.files import private_folder
from mmxcli.state.store import ReadingStore, StoredReading

if TYPE_CHECKING:
    from mmxcli.models.softmax import SoftmaxModel
    from mmxcli.state.model_state import ModelState

NUMERICS = 1  # raised when the same weights and tokens would give another state
Told = Progress | Note


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that is ready for questions. `state` is None in recall mode."""

    stored: StoredReading
    index: RecallIndex
    state: "ModelState | None"
    gaps: tuple[Gap, ...]
    reused_tokens: int
    read_s: float


class Session:
    """What one run of mmx works with. A context manager: without the `cache` setting it removes what it wrote."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.load_s = 0.0
        self._closing = ExitStack()
        home = settings.home
        if not settings.cache:
            shared_memory = Path("/dev/shm")  # where there is one, nothing touches the disk
            place = shared_memory if shared_memory.is_dir() else None
            home = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="mmx-", dir=place)))
        self.store = ReadingStore(home)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def open_weights(self) -> Iterator[Progress]:
        """Finds the model's files; fetches and converts them first where needed. Comes before all else."""
        settings = self.settings
        self.weights: WeightsFolder = yield from relay(
            lambda report: locate(settings.model, settings.weights_folder, offline=settings.offline, on_progress=report)
        )
        size = sum(file.stat().st_size for file in self.weights.path.glob("*.safetensors"))
        self.shape = Shape.read(self.weights.path)
        self.policy = Policy(settings, self.shape, size)
        self.tokenizer = Tokenizer(self.weights.path)
        self.template = ChatTemplate(self.tokenizer)

    @cached_property
    def model(self) -> "SoftmaxModel":
        """Loaded at first use."""
        start = time.perf_counter()
        import torch

        from mmxcli.models.load import load_model

        if self.settings.threads:
            torch.set_num_threads(self.settings.threads)
        model = load_model(self.weights.path)
        self.load_s = time.perf_counter() - start
        return model

    def read(self, sources: Sequence[str], stdin: BinaryIO | None) -> Generator[Told, None, Reading]:
        """Everything that must happen before a question about `sources` can be asked.

        Raises InputError when nothing of them can be read, BudgetError when the reading would not fit.
        """
        start = time.perf_counter()
        documents, gaps = opened(sources, stdin)
        collection = _collection(documents, gaps)
        stored = self._find(collection)
        reused = stored.read_tokens if stored else 0
        if stored is None:
            stored = yield from self._index(documents, gaps, collection)
        else:
            yield Note(f"state {stored.id}: {reused:,} of {stored.tokens:,} tokens were read before")
        self.policy.check_budget(stored.tokens)
        if stored.mode == "full" and not stored.complete:
            stored = yield from self._read_through(documents, stored)
        state = self._load_state(stored) if stored.mode == "full" else None
        skipped = tuple(Gap(source, reason, page) for source, reason, page in stored.skipped)
        seconds = time.perf_counter() - start
        return Reading(stored, RecallIndex(stored.index_path), state, skipped, reused, seconds)

    def identity(self, mode: str) -> str:
        """Names everything but the text that a stored reading depends on."""
        parts = [__version__, NUMERICS, self.weights.identity, mode]
        if mode == "full":
            parts += [self.settings.window, self.settings.chunk]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _identifier(self, mode: str, collection: str) -> str:
        return hashlib.sha256(f"{self.identity(mode)} {collection}".encode()).hexdigest()[:16]

    def _find(self, collection: str) -> StoredReading | None:
        """The stored reading to use. In auto mode the one in full goes first, but only a complete one: that
        of another command may be a long way from its end."""
        full, recall = (self.store.get(self._identifier(mode, collection)) for mode in ("full", "recall"))
        if self.settings.read == "recall":
            return recall
        if self.settings.read == "full" or (full is not None and (full.complete or self.policy.fits(full.tokens))):
            return full
        return recall if recall is not None and not self.policy.fits(recall.tokens) else None

    def _index(
        self, documents: Sequence[Document], gaps: Sequence[Gap], collection: str
    ) -> Generator[Told, None, StoredReading]:
        """One pass over the text: passages indexed, tokens counted. Stores a reading whose state is still empty."""
        found = list(gaps)
        tokens, visible = 0, False
        progress = _Place(documents)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=private_folder(self.store.folder)))
        try:
            with IndexWriter(building / "recall.sqlite") as writer:

                def texts() -> Iterator[str]:
                    nonlocal visible
                    for item in progress.follow(items(documents)):
                        if isinstance(item, Gap):
                            found.append(item)
                        elif isinstance(item, Segment):
                            visible = visible or bool(item.text.strip())
                            writer.add(item)
                            yield item.text
                        else:
                            yield item

                for chunk in TokenStream(self.tokenizer).feed(texts()):
                    tokens += len(chunk.ids)
                    yield Progress("index", progress.done, progress.total, "bytes", progress.where)
                if not visible:
                    raise InputError(_nothing([document.name for document in documents], found))
                writer.finish()
            mode = self.policy.mode(tokens)
            identifier = self._identifier(mode, collection)
            stored = StoredReading(
                id=identifier,
                path=self.store.path(identifier),
                sources=tuple(document.name for document in documents),
                model=self.weights.name,
                mode=mode,
                memory=self.policy.memory(mode, tokens),
                tokens=tokens,
                read_tokens=tokens if mode == "recall" else 0,
                bytes=0,
                complete=mode == "recall",
                updated=time.time(),
                skipped=tuple((gap.source, gap.reason, gap.page) for gap in found),
            )
            self.store.adopt(building, stored)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        yield Progress("index", progress.total, progress.total, "bytes")
        return stored

    def _read_through(
        self, documents: Sequence[Document], stored: StoredReading
    ) -> Generator[Told, None, StoredReading]:
        """Streams every token through the model, from the last checkpoint on."""
        yield Note(self.policy.describe(stored.tokens))
        model = self.model

        from mmxcli.reading.prefill import prefill
        from mmxcli.state.snapshot import save_snapshot

        prompt = reading_prompt(self.template)
        window = self.policy.window(stored.tokens)
        state = self._load_state(stored) if stored.state_path.exists() else model.new_state(window)

        def save(state: "ModelState") -> None:
            nonlocal stored
            save_snapshot(state, stored.state_path, self.identity("full"), window)
            read = max(0, state.position - len(prompt))
            stored = self.store.put(replace(stored, read_tokens=read, complete=read == stored.tokens))

        def ids() -> Iterator[list[int]]:
            yield prompt
            for chunk in TokenStream(self.tokenizer).feed(_text(item) for item in items(documents)):
                yield chunk.ids

        total = len(prompt) + stored.tokens
        yield from prefill(model, state, ids(), total, self.settings.chunk, save, self.settings.checkpoint_tokens)
        return stored

    def _load_state(self, stored: StoredReading) -> "ModelState":
        from mmxcli.state.snapshot import load_snapshot

        state, _ = load_snapshot(stored.state_path, self.identity("full"))
        return state


def opened(sources: Sequence[str], stdin: BinaryIO | None) -> tuple[list[Document], list[Gap]]:
    """The documents of `sources`, and what cannot be read. Raises InputError when there is no document."""
    found = list(open_sources(sources, stdin=stdin))
    documents = [item for item in found if isinstance(item, Document)]
    gaps = [item for item in found if isinstance(item, Gap)]
    if not documents:
        raise InputError(_nothing(sources, gaps))
    return documents, gaps


def items(documents: Sequence[Document]) -> Iterator[str | Segment | Gap]:
    """Everything in reading order; where there are several documents, each begins with a line that names it."""
    for number, document in enumerate(documents):
        if len(documents) > 1:
            yield ("\n\n" if number else "") + f"=== {document.name} ===\n"
        yield from document.segments()


def _text(item: str | Segment | Gap) -> str:
    return item.text if isinstance(item, Segment) else item if isinstance(item, str) else ""


def _collection(documents: Sequence[Document], gaps: Sequence[Gap]) -> str:
    """A digest of the names and contents of all documents, and of what could not be read."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update(f"{document.name}\0{document.fingerprint()}\n".encode("utf-8", "surrogateescape"))
    for gap in gaps:
        digest.update(f"{gap.source}\0{gap.reason}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _nothing(sources: Sequence[str], gaps: Sequence[Gap]) -> str:
    names = ", ".join(sources[:3]) + (" …" if len(sources) > 3 else "")
    reasons = sorted({gap.reason for gap in gaps}) or ["no readable files"]
    return f"nothing to read in {names}: {'; '.join(reasons[:3])}"


class _Place:
    """Follows the items of documents and knows how many of their bytes have gone by, roughly, and where it is."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._sizes = {document.name: document.size for document in documents}
        self.total = sum(self._sizes.values())
        self.done = 0
        self.where: str | None = None
        self._before = 0

    def follow(self, found: Iterator[str | Segment | Gap]) -> Iterator[str | Segment | Gap]:
        for item in found:
            if not isinstance(item, str):
                if item.source != self.where:
                    self._before += self._sizes.get(self.where or "", 0)
                    self.where = item.source
                if isinstance(item, Segment):
                    self.done = min(self._before + self._sizes.get(item.source, 0), self.done + len(item.text))
            yield item
