"""Follow a stream: read it line by line in bounded memory, ask now and then, tell what is found."""

import re
import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mmxcli.config import Settings
from mmxcli.errors import DamagedError, Interrupted
from mmxcli.reading.answering import named
from mmxcli.reading.every import Every
from mmxcli.reading.interrupt import Interrupt, between_chunks, within
from mmxcli.reading.judge import Judge
from mmxcli.reading.meaning import Meaning
from mmxcli.reading.session import Session, Told
from mmxcli.reading.watch import Watch
from mmxcli.recall.backing import borne_out
from mmxcli.recall.stems import Stemmer
from mmxcli.sources.lines import Line, LineCutter, Lost, is_text
from mmxcli.sources.open import STDIN
from mmxcli.sources.tail import Mark, Pipe, Stream, Tail, Turn
from mmxcli.state.bookmark import Bookmark
from mmxcli.tasks.events import Event, Finding, Followed, MoreFound, Note, Progress, Skipped

if TYPE_CHECKING:
    from mmxcli.reading.directions import Directions

WAIT = 0.25  # seconds that a read waits at most: so soon a signal is noticed
PAUSE = 5.0  # seconds without anything new after which what waits is asked, whatever the interval
MATCHING = 0.25  # seconds that `when` may take for a line
SAVED = 10.0  # seconds between two checkpoints, at most one an asking
_ASKS_FOR_WORDS = re.compile(r"^\W*(?:\w+ ){0,2}?(?:what|which|who|whose|where|when|why|how)\b", re.I)


@dataclass(slots=True)
class Progressed:
    """How far it has come, earlier runs included. `since`: how much of the interval has passed since the last asking,
    in its unit. `unmatched` counts lines for which `when` took too long."""

    findings: int = 0
    replaced: int = 0
    lines: int = 0
    bytes: int = 0
    since: float = 0.0
    unmatched: int = 0


@dataclass(slots=True)
class Follower:
    """A stream that is being followed; what changes with every line stands in `watch`, `cutter` and `done`."""

    session: Session
    question: str
    source: str
    stream: Stream
    every: Every | None
    when: re.Pattern[str] | None
    cutter: LineCutter
    watch: Watch
    done: Progressed
    bookmark: Bookmark | None
    stemmer: Stemmer = field(default_factory=Stemmer)
    asked: threading.Event = field(default_factory=threading.Event)
    judge: Judge | None = None
    saved: float = field(default_factory=time.monotonic)
    told: float = 0.0

    def run(self, interrupt: Interrupt) -> Iterator[Event]:
        """Until the stream ends, or the person has asked to stop."""
        last = asking = time.monotonic()
        while not interrupt.asked:
            data = self.stream.read(WAIT)
            now = time.monotonic()
            if data is None:
                yield from self._lines(self.cutter.rest(), interrupt)
                yield from self._ask(interrupt)
                return
            if isinstance(data, Turn):
                yield from self._lines(self.cutter.rest(), interrupt)
                yield from self._ask(interrupt)  # as long as the lines that wait have their numbers
                yield Note(f"{self.source} {data}: lines count from 1 again", warning=True)
                self.done.replaced += 1
                self.cutter.begin()
            elif data:
                last = now
                lines = data.decode(self.cutter.encoding, "replace").split("\n")
                self.watch.meaning.foresee("\n".join(filter(is_text, lines)))  # of others each word would be new
                yield from self._lines(self.cutter.feed(data), interrupt)
            yield from self._progress(now)
            timed = self.every and self.every.unit == "seconds"
            if timed and self.every and now - asking >= self.every.amount:
                asking = now
                yield from self._ask(interrupt)
            elif self.every and not timed and self.watch.waiting and now - last >= PAUSE:
                yield from self._ask(interrupt)
            if self.asked.is_set():
                self.asked.clear()
                before = self.done.findings
                yield from self._ask(interrupt)
                yield Note(f"asked at line {self.cutter.number:,}: {self.done.findings - before} findings")

    def _lines(self, lines: Iterator[Line], interrupt: Interrupt) -> Iterator[Event]:
        """Takes them in one by one, and asks where the interval ends or one matches."""
        unit = self.every.unit if self.every else "lines"
        for line in lines:
            self.done.lines += 1
            self.done.bytes += line.size
            if line.readable and line.text:
                self.watch.see(line)
            counted = unit == "tokens" and line.readable
            self.done.since += 1 + (len(self.session.tokenizer.encode(line.text)) if counted else 0)
            full = self.every and unit != "seconds" and self.done.since >= self.every.amount
            matches = yield from self._matches(line)
            if matches or (full and not self.watch.learning):
                yield from self._ask(interrupt)
            if interrupt.asked:
                return

    def _matches(self, line: Line) -> Generator[Event, None, bool]:
        """Whether `when` matches, found out in bounded time."""
        if not self.when:
            return False
        try:
            with within(MATCHING):
                return self.when.search(line.text) is not None
        except TimeoutError:
            self.done.unmatched += 1
        if self.done.unmatched == 1:
            yield Note(f"line {line.number:,}: --when took too long, and counts as no match: simplify it", warning=True)
        return False

    def _ask(self, interrupt: Interrupt) -> Iterator[Event]:
        """Tells what is found among the lines that wait."""
        self.done.since = 0.0
        before = self.done.findings
        if self.watch.waiting and not self.watch.meaning.open and not self.judge:
            yield from self.session.prepare_writing()
            self.judge = Judge(self.session, self.question, self.watch.meaning)
        for found in self.watch.ask(self.judge.expectation if self.judge else None, lambda: interrupt.asked):
            self.done.findings += 1
            answer = self._answer(found.text)
            yield Finding(
                self.question, self.source, found.number, found.text, answer, self.done.replaced, self.skipped()
            )
        if self.done.findings > before:
            yield from self.more()
        if self.bookmark and (self.done.findings > before or time.monotonic() - self.saved >= SAVED):
            yield from self.save()

    def _answer(self, line: str) -> str | None:
        """The model's words on the line, where the question asks for words and the line bears them out."""
        if not _ASKS_FOR_WORDS.match(self.question) or not self.session.writer:
            return None
        (text,) = named(self.session, [(self.question, line)])
        kept = borne_out(self.stemmer, self.question, text, [line])
        return kept if 0 < len(kept) <= len(line) / 2 else None  # more is the line once again

    def more(self) -> Iterator[Event]:
        """What came again of what was reported."""
        for seen in self.watch.more():
            yield MoreFound(seen.first, seen.more, seen.last)

    def skipped(self) -> Skipped:
        lost = asdict(self.cutter.lost)
        return Skipped(**lost, unasked_lines=self.watch.unasked, unmatched_lines=self.done.unmatched)

    def followed(self) -> Followed:
        return Followed(
            self.question,
            self.source,
            self.done.lines,
            self.done.bytes,
            self.done.findings,
            self.watch.asking,
            self.done.replaced,
            self.skipped(),
            self.bookmark.name if self.bookmark else None,
        )

    def _progress(self, now: float) -> Iterator[Event]:
        if now - self.told >= WAIT:
            self.told = now
            yield Progress("follow", self.done.lines, None, "lines", None if self.source == STDIN else self.source)

    def save(self) -> Iterator[Event]:
        """The checkpoint, as of the last whole line."""
        assert self.bookmark
        self.saved = time.monotonic()
        mark = self.stream.mark(self.cutter.end) if isinstance(self.stream, Tail) else None
        values = {
            "question": self.question,
            "source": _place(self.source),
            "model": self.session.weights.identity,
            "mark": mark,
            "line": self.cutter.number,
            "lost": asdict(self.cutter.lost),
            "done": asdict(self.done),
            "learnt": self.watch.learnt(),
        }
        try:
            self.bookmark.write(values)
        except OSError as error:
            reason = error.strerror or str(error)
            yield Note(f"the checkpoint cannot be stored ({reason}); following goes on without", warning=True)


def follow(
    question: str,
    source: str,
    settings: Settings,
    stdin: BinaryIO | None,
    every: Every | None,
    when: re.Pattern[str] | None,
    resume: str | None,
) -> Iterator[Event]:
    """Yields a Finding for each line of `source` that answers the question, and Followed at the end. `every` and
    `when`, one of them at least, say when is asked; `resume` names a checkpoint, from which it goes on.

    Raises Interrupted on Ctrl-C, InputError for what cannot be followed, DamagedError for a damaged checkpoint, and
    UsageError for one of another question, source or model.
    """
    with ExitStack() as stack:
        interrupt = stack.enter_context(between_chunks())
        asked = stack.enter_context(_asked_by_signal())
        session = stack.enter_context(Session(settings))
        bookmark = Bookmark(settings.home, resume) if resume else None
        if bookmark:
            stack.enter_context(bookmark.held())
        kept = bookmark.read() if bookmark else None
        stream: Stream = Pipe(stdin.fileno(), source) if stdin else stack.enter_context(closing(Tail(Path(source))))
        cutter = LineCutter(settings.encoding or "utf-8")
        yield from session.open_weights()
        if bookmark and kept:
            _check_same(bookmark, kept, question, source, session)
        meaning = Meaning(question)
        if not meaning.open:
            meaning.measure_by((yield from _directions(session)))
        watch, done = Watch(meaning), Progressed()
        if bookmark and kept:
            cutter, watch, done = yield from _resumed(bookmark, kept, source, stream, cutter, meaning)
        follower = Follower(session, question, source, stream, every, when, cutter, watch, done, bookmark, asked=asked)
        yield from follower.run(interrupt)
        yield from follower.more()
        if bookmark:
            yield from follower.save()
        yield follower.followed()
        if interrupt.asked:
            again = f"; go on with --resume {bookmark.name}" if bookmark else ""
            raise Interrupted(f"interrupted after {done.lines:,} lines, {done.findings} findings{again}")


def _directions(session: Session) -> Generator[Told, None, "Directions | None"]:
    """What tells how near words are, as good as it can be had."""
    from mmxcli.reading.directions import by_embedding, by_encoder

    encoder = yield from session.sentence_encoder()
    if encoder:
        return by_encoder(encoder)
    embedding = session.loaded.embedding
    return by_embedding(embedding, session.tokenizer) if embedding is not None else None


def _check_same(bookmark: Bookmark, kept: dict[str, Any], question: str, source: str, session: Session) -> None:
    """Raises DamagedError for a checkpoint of something else."""
    now = {"question": question, "source": _place(source), "model": session.weights.identity}
    for what, value in now.items():
        if kept.get(what) != value:
            raise DamagedError(f"{bookmark.path} was made for another {what}: use another name, or delete it")


def _resumed(
    bookmark: Bookmark,
    kept: dict[str, Any],
    source: str,
    stream: Stream,
    cutter: LineCutter,
    meaning: Meaning,
) -> Generator[Event, None, tuple[LineCutter, Watch, Progressed]]:
    """Goes on where a checkpoint was. Raises DamagedError for one that makes no sense."""
    try:
        done = Progressed(**kept["done"])
        lost = Lost(**kept["lost"])
        watch = Watch.of(meaning, kept["learnt"])
        number = int(kept["line"])
        mark = Mark(*kept["mark"]) if kept["mark"] else None
        known = mark is not None and isinstance(stream, Tail) and stream.seek(mark)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise bookmark.damaged() from None
    if isinstance(stream, Tail) and not known:
        done.replaced += 1
        number = 0
        yield Note(f"{source} is another file than before: it is read from its first line on", warning=True)
    yield Note(f"goes on after line {number:,}" if number else "goes on with what was learnt before")
    return LineCutter(cutter.encoding, number, mark.offset if mark and known else 0, lost), watch, done


def _place(source: str) -> str:
    return source if source == "-" else str(Path(source).resolve())


@contextmanager
def _asked_by_signal() -> Iterator[threading.Event]:
    """An event that SIGUSR1 sets. Outside the main thread, where Python allows no handlers, nothing does."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGUSR1, before)
