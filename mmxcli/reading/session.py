"""A model, a store and a text: finds the stored reading, reads what is missing, and keeps it."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mmxcli import __version__
from mmxcli.config import Settings
from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.registry import SENTENCE_ENCODER
from mmxcli.models.threads import threads
from mmxcli.models.weights import WeightsFolder, encoder_folder, failed_lately, locate, locate_encoder
from mmxcli.models.writing import place
from mmxcli.reading.corpus import Corpus, text_of
from mmxcli.reading.cuts import pieces
from mmxcli.reading.divisions import Divisions
from mmxcli.reading.indexing import Earlier, earlier, index_text
from mmxcli.reading.loaded import hold, loaded
from mmxcli.reading.policy import Policy
from mmxcli.reading.progress import Note, Progress, relay
from mmxcli.reading.prompts import opening, reading_prompt
from mmxcli.reading.stops import Stops
from mmxcli.reading.tokens import TokenStream
from mmxcli.reading.upto import Upto, until
from mmxcli.recall.index import RecallIndex
from mmxcli.sources.choice import Choice, few
from mmxcli.sources.folder import shown
from mmxcli.sources.open import STDIN, STDIN_NAME
from mmxcli.sources.segment import Gap
from mmxcli.state.files import passing_folder
from mmxcli.state.maker import Maker
from mmxcli.state.record import INDEX, StoredReading
from mmxcli.state.store import ReadingStore

if TYPE_CHECKING:
    from mmxcli.models.near_words import NearWords
    from mmxcli.models.runner import Model
    from mmxcli.models.sentence_encoder import SentenceEncoder
    from mmxcli.models.writing import Writer
    from mmxcli.state.model_state import ModelState

NUMERICS = 11  # raised when the same weights and tokens would give another state, or an index has another form
BITS = {"int8": 8, "nf4": 4}
Told = Progress | Note


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that is ready for questions. `named`: its sources, as a person named them, each once. `state` is None in
    recall mode. `corpus` is what it was read from."""

    stored: StoredReading
    named: tuple[str, ...]
    index: RecallIndex
    state: "ModelState | None"
    gaps: tuple[Gap, ...]
    reused_tokens: int
    read_s: float
    corpus: Corpus


class Session:
    """What one run of mmx works with. A context manager: without the `cache` setting it removes what it wrote."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.load_s = 0.0
        self.writer: Writer | None = None
        self.abilities: dict[str, bool] = {}  # what was tried whether the model can do it (ability.py)
        self._writes_in_8_bits = False
        self._encoder: SentenceEncoder | None = None
        self._encoder_asked = False
        self._closing = ExitStack()
        home = settings.home
        if not settings.cache:
            shared_memory = Path("/dev/shm")  # where there is one, nothing touches the disk
            place = shared_memory if shared_memory.is_dir() else None
            home = self._closing.enter_context(passing_folder(place, "mmx"))
        self.home = home
        self.store = ReadingStore(home)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def open_weights(self) -> Iterator[Told]:
        """Finds the model's files; fetches and converts them first where needed. Comes before all else."""
        settings = self.settings
        self.weights: WeightsFolder = yield from relay(
            lambda report: locate(settings.model, settings.weights_folder, offline=settings.offline, on_progress=report)
        )
        start = time.perf_counter()
        size = sum(file.stat().st_size for file in self.weights.path.glob("*.safetensors"))
        self.loaded = loaded(self.weights)
        self.anatomy = self.loaded.anatomy
        self._copy = place(settings.weights_folder, self.weights.identity)
        self.policy = Policy(settings, self.anatomy, size, copied=self._copy.exists(), widens=self.loaded.widens)
        self.quant = self.policy.quant
        self._writes_in_8_bits = self.policy.writes_in_8_bits(0)  # as long as nothing was read
        self.tokenizer = self.loaded.tokenizer
        self.template = self.loaded.template
        self.load_s = time.perf_counter() - start
        if self.quant in BITS:
            yield Note(f"{self.weights.name}: weights in {BITS[self.quant]} bits, which changes what it says a little")

    @cached_property
    def model(self) -> "Model":
        """Loaded at first use, and tried when this checkpoint never was. Raises ModelError when it fails."""
        start = time.perf_counter()
        import torch

        torch.set_num_threads(threads(self.settings.threads))
        from mmxcli.models.trust import trusted

        model = self.loaded.model(self.quant, self.settings.device)
        folder = self.settings.weights_folder
        trusted(model, self.anatomy, self.weights.identity, self.weights.name, folder, self.quant)
        self.load_s += time.perf_counter() - start
        return model

    def near_words(self) -> "NearWords | None":
        """Comes after `open_weights`."""
        return self.loaded.near_words

    def sentence_encoder(self) -> Generator[Told, None, "SentenceEncoder | None"]:
        """Fetched the first time that it is needed; None, and a note once, where it cannot be had."""
        if not self._encoder_asked:
            self._encoder_asked = True
            from mmxcli.models.sentence_encoder import SentenceEncoder

            folder = self.settings.weights_folder
            offline = self.settings.offline or failed_lately(folder)
            if not offline and not encoder_folder(folder).exists():
                size = f"{SENTENCE_ENCODER.bytes / 1e6:.0f} MB"
                yield Note(f"{SENTENCE_ENCODER.name}: {size}, fetched once: it {SENTENCE_ENCODER.summary}")
            try:
                path = yield from relay(lambda report: locate_encoder(folder, offline=offline, on_progress=report))
                self._encoder = SentenceEncoder(path, threads(self.settings.threads))
            except (ModelError, DamagedError) as error:
                yield Note(f"where a question shares few words with the text, less is found ({error})")
        return self._encoder

    def _model_to_copy(self) -> "Model":
        """The model; let go afterwards where nothing else has needed it, so that its memory is free for the rest."""
        needed = "model" in self.__dict__
        model = self.model
        if not needed:
            del self.model
            self.loaded.let_go()
        return model

    def hold(self) -> None:
        """Keeps what this process loads of the model for other sessions; loads the tokenizer, and the code that
        computes. Raises what opening a model raises."""
        for _ in self.open_weights():
            pass
        self.loaded = hold(self.weights)
        if self.policy.writes_in_8_bits(0):
            from mmxcli.models.writing import load_kernels

            load_kernels()

    def load(self, *, whole: bool) -> None:
        """Comes after `hold`: loads what writes, which reads how questions begin, and, with `whole`, what reads."""
        if whole:
            _ = self.model
        self._writes_in_8_bits = self._copy.exists() and self.policy.writes_in_8_bits(0)
        for _ in self.prepare_writing():
            pass
        assert self.writer
        self.writer.read_ahead(opening(self.template))

    def prepare_writing(self) -> Iterator[Told]:
        """Comes after `read`, where something is read, and before answers are written. The first time for a model this
        takes some seconds; where something goes wrong, answers are written more slowly."""
        if self.writer:
            return
        from mmxcli.models.writing import Writer

        self.writer = Writer(lambda: self.model)
        if not self._writes_in_8_bits:
            return
        before, start = self.load_s, time.perf_counter()
        if not self._copy.exists():
            yield Note(f"{self.weights.name}: getting ready to write, once on this machine")
        try:
            fast = self.loaded.writer(self._copy, threads(self.settings.threads), self._model_to_copy)
            self.writer = Writer(lambda: self.model, fast)
        except Exception as error:  # noqa: BLE001 - a compiler on a machine that nobody has seen
            yield Note(f"answers are written more slowly: {type(error).__name__}: {error}", warning=True)
        self.load_s = before + time.perf_counter() - start  # the model too, if it was needed

    def read(
        self, sources: Sequence[str], stdin: BinaryIO | None, upto: Upto | None = None
    ) -> Generator[Told, None, Reading]:
        """Everything that must happen before a question about `sources`, as of the place `upto`, can be asked.

        Raises InputError when nothing of them can be read, BudgetError when the reading would not fit.
        """
        start = time.perf_counter()
        corpus = yield from Corpus.opening(sources, stdin, Choice.of(self.settings))
        if upto:
            corpus = until(corpus, upto, self.tokenizer)
        named = tuple(dict.fromkeys(STDIN_NAME if source == STDIN else shown(source) for source in sources))
        return (yield from self._read(corpus, named, start, Stops()))

    def read_in_full(self, reading: Reading, stops: Stops) -> Generator[Told, None, Reading]:
        """The same text, every token through the model, with `stops` on the way. What was read after the first of them
        is read again."""
        self.settings = replace(self.settings, read="full")
        self.policy = replace(self.policy, settings=self.settings)
        return (yield from self._read(reading.corpus, reading.named, time.perf_counter(), stops))

    def _read(
        self, corpus: Corpus, named: tuple[str, ...], start: float, stops: Stops
    ) -> Generator[Told, None, Reading]:
        stored, found = yield from self._indexed(corpus)
        if not stored.complete and any(Path(source).is_dir() for source in named):
            yield Note("files of a folder come in the order of their last change, so that what changes is read last")
        self.policy.check_budget(stored.tokens)
        if not self.writer:
            self._writes_in_8_bits = self.policy.writes_in_8_bits(stored.tokens)  # before the memory is taken
        reused = stored.read_tokens if found else 0
        state = None
        if stored.mode == "full":
            stored, state, reused = yield from self._read_through(corpus, stored, stops)
        elif found:
            yield Note(f"state {stored.id}: all {reused:,} tokens were read before")
        index = self._open_index(stored)
        if self.settings.size_limit is not None:
            for removed in self.store.prune(self.settings.size_limit):
                yield Note(f"state {removed.id} of {few(removed.sources)} was removed: over the size limit")
        passed = tuple((remark.source, remark.text) for remark in corpus.remarks)  # may be others at any time
        told = (*passed, *stored.remarks)
        stored = replace(stored, bytes=self.store.describe(stored.id).bytes, upto=corpus.upto, remarks=told)
        skipped = tuple(Gap(source, reason, page) for source, reason, page in stored.skipped)
        seconds = time.perf_counter() - start
        return Reading(stored, named, index, state, skipped, reused, seconds, corpus)

    def _indexed(self, corpus: Corpus) -> Generator[Told, None, tuple[StoredReading, bool]]:
        """The reading of this text, in use from now on, and whether it was there. Made when it is not, its state still
        empty; again when another process removes it meanwhile."""
        for _ in range(3):
            found = self._find(corpus.digest)
            stored = found or (yield from self._index(corpus))
            with suppress(DamagedError):
                self._closing.enter_context(self.store.using(stored.id))
                if current := self.store.get(stored.id):  # it may have grown since
                    return current, found is not None
        raise DamagedError("the stored reading is removed again and again by another program: end that first")

    def _open_index(self, stored: StoredReading) -> RecallIndex:
        """Raises DamagedError when a single byte of it is not as it was written."""
        if damage := stored.index_damage:
            raise DamagedError(f"the recall index {damage}: remove it with `mmx states rm {stored.id}`")
        return RecallIndex(stored.index_path)

    def maker(self, mode: str) -> Maker:
        """Everything but the text that a stored reading depends on."""
        same = Maker(mmx=__version__, numerics=NUMERICS, weights=self.weights.identity, mode=mode)
        if mode == "recall":
            return same
        settings = self.settings
        rounded = settings.kv_cache == "int8"
        return replace(same, window=settings.window, rounded=rounded, quant=self.quant, chunk=self.policy.chunk)

    @property
    def writes_as(self) -> str:
        """Everything but the prompt that what is written from nothing depends on."""
        return f"{self.maker('recall')} {'8 bits' if self._writes_in_8_bits else self.quant}"

    def _identifier(self, mode: str, digest: str) -> str:
        return self.maker(mode).identifier(digest)

    def _find(self, digest: str) -> StoredReading | None:
        """The stored reading to use. In auto mode the one in full goes first, but only a complete one: that
        of another command may be a long way from its end."""
        full, recall = (self.store.get(self._identifier(mode, digest)) for mode in ("full", "recall"))
        if self.settings.read == "recall":
            return recall
        if self.settings.read == "full" or (full is not None and (full.complete or self.policy.fits(full.tokens))):
            return full
        return recall if recall is not None and not self.policy.fits(recall.tokens) else None

    def _index(self, corpus: Corpus) -> Generator[Told, None, StoredReading]:
        """Stores a reading whose state is still empty. Where most of the documents were indexed with others before,
        only the rest is."""
        if not self.loaded.checked:
            _ = self.model  # what is wrong with it is told before anything is read
        with self.store.building() as building, ExitStack() as using:
            earlier = self._earlier(corpus, using)
            path = building / INDEX
            found = yield from index_text(corpus, path, self.tokenizer, reading_prompt(self.template), earlier)
            if earlier and self.policy.mode(found.tokens) == "full":  # which needs the chain of all tokens
                path.unlink()
                found = yield from index_text(corpus, path, self.tokenizer, reading_prompt(self.template))
            corpus.check_unchanged()
            mode = self.policy.mode(found.tokens)
            identifier = self._identifier(mode, corpus.digest)
            stored = StoredReading(
                id=identifier,
                text=corpus.digest,
                maker=self.maker(mode),
                path=self.store.path(identifier),
                sources=tuple(document.name for document in corpus.documents),
                model=self.weights.name,
                mode=mode,
                memory=self.policy.memory(mode, found.tokens),
                tokens=found.tokens,
                read_tokens=found.tokens if mode == "recall" else 0,
                bytes=0,
                complete=mode == "recall",
                updated=time.time(),
                skipped=tuple((gap.source, gap.reason, gap.page) for gap in found.gaps),
                remarks=tuple((remark.source, remark.text) for remark in found.remarks),
                upto=corpus.upto,
                window=self.policy.window(found.tokens) if mode == "full" else None,
                chain=found.chain if mode == "full" else "",
            )
            stored = self.store.adopt(building, stored)
        yield Progress("index", corpus.size, corpus.size, "bytes")
        return stored

    def _earlier(self, corpus: Corpus, using: ExitStack) -> Earlier | None:
        """The stored reading that has indexed most of these documents, if any has indexed half of them; in use and open
        as long as `using`."""
        names = {document.name for document in corpus.documents}
        maker = self.maker("recall")
        fitting: list[tuple[int, float, StoredReading]] = []
        for identifier in self.store.identifiers() if len(names) > 1 and corpus.until is None else ():
            with suppress(DamagedError):
                stored = self.store.get(identifier)
                if stored and stored.maker == maker and stored.complete and stored.upto is None:
                    fitting.append((len(names.intersection(stored.sources)), stored.updated, stored))
        fitting.sort(key=lambda one: one[:2])
        for shared, _, stored in fitting[-1:]:
            with suppress(DamagedError):
                using.enter_context(self.store.using(stored.id))
                index = using.enter_context(closing(self._open_index(stored)))
                return earlier(corpus, stored, index) if 2 * shared >= len(names) else None
        return None

    def _read_through(
        self, corpus: Corpus, stored: StoredReading, stops: Stops
    ) -> Generator[Told, None, tuple[StoredReading, "ModelState", int]]:
        """Streams every token through the model that no stored state has read, or none before the first stop. Returns
        the reading, its state, and how many tokens were read before."""
        from mmxcli.reading.keeper import Keeper
        from mmxcli.reading.prefill import prefill

        prompt = reading_prompt(self.template)
        pages = self.policy.store(stored.tokens)
        keeper = Keeper(self.store, stored, prompt, pages, self.settings.device)
        chunks = TokenStream(self.tokenizer).feed(map(text_of, corpus.items()))
        state = keeper.begin(stops.before_first(chunks), whole=stops.first is None)
        reused = state.position - len(prompt) if state else 0
        if state:
            yield Note(f"state {stored.id}: {reused:,} of {stored.tokens:,} tokens were read before")
            if reused == stored.tokens:
                keeper.check(state)
                yield from stops.rest(state)
                return keeper.stored, state, reused
        yield Note(self.policy.describe(stored.tokens))
        model = self.model
        state = state or model.new_state(stored.window, pages)
        notes: list[Note] = []

        def save(state: "ModelState") -> bool:
            try:
                keeper.save(state)
            except OSError as error:
                reason = error.strerror or str(error)
                notes.append(Note(f"the state cannot be stored ({reason}); reading goes on without", warning=True))
                return False
            return True

        divisions = Divisions()
        chunks = TokenStream(self.tokenizer).feed(divisions.follow(corpus.items()))
        cut = pieces(chunks, divisions, self.policy.chunk, skip=reused)
        every = self.settings.checkpoint_tokens
        for progress in prefill(model, state, prompt, cut, stored.tokens, save, every, stops):
            yield from notes
            notes.clear()
            yield progress
        keeper.check(state)
        return replace(keeper.stored, read_tokens=stored.tokens), state, reused
