"""A conversation over one reading: questions that go on from each other, and the commands between them."""

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO, Self
from unicodedata import category

from mmxcli.config import Settings
from mmxcli.errors import InputError, MmxError, UsageError
from mmxcli.models.registry import REGISTRY
from mmxcli.models.weights import installed
from mmxcli.reading.conversation import Conversation, Exchange
from mmxcli.reading.corpus import incomplete
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.upto import Upto, parse_upto
from mmxcli.sources.segment import Gap
from mmxcli.sources.spool import Slice, spool
from mmxcli.state.conversations import MOST_TURNS, ConversationStore, Said, StoredConversation, Turn, is_name, renamed
from mmxcli.tasks.ask import answers
from mmxcli.tasks.events import Answer, Citation, Commands, Event, Note, ReadingDone, Sources, Timing, Transcript
from mmxcli.tasks.read import coverage, model_info, state_info

LONGEST = 10_000  # characters of what is typed at once
NO_TEXT = ("Cc", "Cs")  # categories of what nobody types: control characters, and bytes in no encoding
END = "end"  # as a place: all of the text
Happening = Generator[Event, None, None]
CHANGED = "the sources are not as they were then: earlier answers and quotes are of the text as it was"


class Chat:
    """A context manager. `ended` turns True when the person has said so.

    What it yields is to be shown as it comes. Where that is interrupted (KeyboardInterrupt), or raises an MmxError,
    the conversation is as it was before and can go on.
    """

    def __init__(
        self,
        sources: Sequence[str],
        settings: Settings,
        stdin: BinaryIO | None = None,
        upto: Upto | None = None,
        *,
        stored: StoredConversation | None = None,
    ) -> None:
        """`stored` is a conversation to continue."""
        self.ended = False
        self._settings = settings
        self._store = ConversationStore(settings.home)
        self._typed = _kept(stdin, settings.max_file_size) if stdin else None  # it may have to be read again
        new = stored or StoredConversation(self._store.new_name(sources[0]), tuple(sources), str(Path.cwd()))
        self._stored = _as_of(new, upto)
        self._sources = tuple(sources)
        self._upto = upto
        self._session: Session | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def open(self) -> Happening:
        """All that must happen before the first question; comes first, and ends with ReadingDone. Raises what `mmx ask`
        raises before it answers."""
        yield from self._begin(self._settings, self._sources, self._upto, self._stored)

    def hear(self, text: str) -> Happening:
        """Answers a question or does what a command says. Raises MmxError for what cannot be done."""
        text = "".join(letter for letter in text if letter in "\n\t" or category(letter) not in NO_TEXT).strip()
        if len(text) > LONGEST:
            raise UsageError(
                f"that has {len(text):,} characters, more than {LONGEST:,}: put it into a file, as a source"
            )
        if text.startswith("/"):
            word, *rest = text.split(maxsplit=1)
            if word not in COMMANDS:
                raise UsageError(f"there is no {word[:40]} here: /help lists what there is")
        try:
            if text.startswith("/"):
                yield from COMMANDS[word][0](self, *rest or [""])
            elif text:
                yield from self._answer(text)
        except OSError as error:  # a full disk, say: the chat goes on
            place = f"{error.filename}: " if error.filename else ""
            raise MmxError(f"{place}{error.strerror or error}") from error

    # ---- questions ----

    def _answer(self, question: str) -> Happening:
        assert self._session  # it was opened
        for event in answers(self._session, self._reading, [question], time.perf_counter(), after=self._conversation):
            yield event
            if isinstance(event, Answer):
                quotes = tuple(_said(cited) for cited in event.citations or event.nearest)
                yield from self._note(Turn(question, event.text, event.found, event.model.name, quotes))
                self._conversation.add(_exchange(self._stored.turns[-1]))

    def _note(self, turn: Turn) -> Happening:
        """Adds it to the conversation, on disk too."""
        before = self._stored
        self._stored = replace(before, turns=(*before.turns, turn)[-MOST_TURNS:])
        if self._settings.cache:
            try:
                self._stored = self._store.put(replace(self._stored, updated=time.time()), before)
                if before.turns and self._stored.name != before.name:
                    yield Note(f"{before.name} was gone on with elsewhere: this one is stored as {self._stored.name}")
            except (OSError, UsageError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                yield Note(f"the conversation is not stored any more ({reason}); it goes on without", warning=True)

    # ---- commands ----

    def _show_sources(self, _: str) -> Happening:
        if not self._stored.turns:
            raise UsageError("nothing was asked yet")
        last = self._stored.turns[-1]
        yield Sources(tuple(Citation(**asdict(said)) for said in last.quotes), last.found)

    def _save(self, name: str) -> Happening:
        before = self._stored
        if not name:
            raise UsageError("name the conversation: /save NAME")
        if not self._settings.cache:
            raise UsageError("nothing is stored with --no-cache: /export FILE writes a file")
        if self._store.holds(name) and name != before.name:
            raise UsageError(
                f"there is a conversation called {name}: use another name, or `mmx chat --rm {name}` first"
            )
        self._stored = self._store.put(renamed(before, name), before)
        if not before.own_name and self._store.holds(before.name):
            self._store.remove(before.name)
        yield Note(f"stored as {name}: `mmx chat -c {name}` goes on with it")

    def _load(self, name: str) -> Happening:
        if not name:
            raise UsageError("name a conversation: /load NAME; `mmx chat --list` shows them")
        stored = self._store.get(name)
        upto = parse_upto(stored.upto) if stored.upto else None
        same = sorted(stored.places) == sorted(_places(self._sources))
        sources = self._sources if same else named(stored)
        yield from self._begin(self._settings, sources, upto, stored)

    def _read_upto(self, place: str) -> Happening:
        upto = parse_upto(place) if place and place != END else None
        yield from self._begin(self._settings, self._sources, upto, _as_of(self._stored, upto))

    def _take_model(self, name: str) -> Happening:
        if not name:
            raise UsageError(f"the model is {self._settings.model}: name another, as `mmx models list` shows them")
        yield from self._begin(replace(self._settings, model=name), self._sources, self._upto, self._stored)

    def _export(self, name: str) -> Happening:
        file = Path(name).expanduser()
        if not name:
            raise UsageError("name the file to write: /export FILE")
        if file.exists():
            raise UsageError(f"{file} is there already: name another file")
        yield Transcript(self._stored, file)
        yield Note(f"written to {file}")

    def _help(self, _: str) -> Happening:
        yield Commands(tuple((f"{word} {takes}".strip(), does) for word, (_, takes, does) in COMMANDS.items()))

    def _quit(self, _: str) -> Happening:
        self.ended = True
        yield from ()

    # ---- reading ----

    def _begin(
        self, settings: Settings, sources: Sequence[str], upto: Upto | None, stored: StoredConversation
    ) -> Happening:
        """Has a model ready that has read the sources as far as that, to go on from a stored conversation. What there
        was before stays until all is done."""
        start = time.perf_counter()
        with ExitStack() as closing:
            session = self._session if settings is self._settings and self._session else Session(settings)
            if session is not self._session:
                closing.enter_context(session)
                yield from session.open_weights()
            typed = self._typed.open() if self._typed and "-" in sources else None
            reading: Reading = yield from session.read(sources, typed, upto)
            closing.callback(reading.index.close)
            yield from session.prepare_writing()
            if stored.turns and stored.text not in ("", reading.stored.text):
                yield Note(CHANGED, warning=True)
            conversation = Conversation(session, reading, [_exchange(turn) for turn in stored.turns])
            if session is not self._session:
                self._closing.close()
            self._closing.enter_context(closing.pop_all())
        self._session, self._reading, self._conversation = session, reading, conversation
        self._settings, self._sources, self._upto = settings, tuple(sources), upto
        self._stored = replace(stored, text=reading.stored.text)
        yield ReadingDone(
            coverage=coverage(reading.stored),
            state=state_info(reading),
            model=model_info(reading.stored),
            timing=Timing(session.load_s, reading.read_s, total_s=time.perf_counter() - start),
        )

    def check(self) -> None:
        """Raises InputError when the `strict` setting is on and something could not be read."""
        if self._settings.strict and self._reading.gaps:
            raise incomplete(self._reading.gaps)


Command = tuple[Callable[[Chat, str], Happening], str, str]
COMMANDS: dict[str, Command] = {
    "/sources": (Chat._show_sources, "", "the quotes behind the last answer"),
    "/upto": (Chat._read_upto, "PLACE", "as if the text ended with page:40, line:9, chapter:7; /upto end: all of it"),
    "/model": (Chat._take_model, "NAME", "go on with another model"),
    "/save": (Chat._save, "NAME", "store the conversation under a name"),
    "/load": (Chat._load, "NAME", "go on with a stored one"),
    "/export": (Chat._export, "FILE", "write the conversation as Markdown"),
    "/help": (Chat._help, "", "this list"),
    "/quit": (Chat._quit, "", "end; so does Ctrl-D"),
}


def completions(settings: Settings, typed: str) -> list[str]:
    """What begins so and can be entered besides questions."""
    word, space, _ = typed.partition(" ")
    names: dict[str, Callable[[], Iterable[str]]] = {
        "/load": ConversationStore(settings.home).names,
        "/model": lambda: dict.fromkeys([*REGISTRY, *(model.name for model in installed(settings.weights_folder))]),
    }
    entered = (f"{word} {name}" for name in names.get(word, list)()) if space else COMMANDS
    return [one for one in entered if one.startswith(typed)]


def named(stored: StoredConversation) -> tuple[str, ...]:
    """The sources of a stored conversation, as one names them from here. Raises UsageError where they were piped in."""
    if "-" in stored.sources:
        raise UsageError(f"{stored.name} is about standard input: give it again, as in `… | mmx chat - -c`")
    return stored.sources if stored.folder == str(Path.cwd()) else stored.places


def find(settings: Settings, sources: Sequence[str]) -> StoredConversation:
    """The stored conversation that a single word names which is no file; else the latest over these sources, or over
    any where there are none. Raises UsageError where there is none, DamagedError where the one of that name is
    damaged."""
    store = ConversationStore(settings.home)
    word = sources[0] if len(sources) == 1 and not os.path.exists(sources[0]) else ""  # noqa: PTH110 - of any length
    if is_name(word) and store.holds(word):
        return store.get(word)
    if found := store.latest(_places(sources) if sources else None):
        return found
    if word not in ("", "-"):
        raise UsageError(f"no conversation is called {word[:80]}, nor is one over such a file: see `mmx chat --list`")
    raise UsageError(f"no conversation{' over these sources' if sources else ''} is stored: begin one without -c")


def stored_chat(settings: Settings, name: str) -> StoredConversation:
    """Raises UsageError where there is none, DamagedError."""
    return ConversationStore(settings.home).get(name)


def list_chats(settings: Settings) -> Iterator[StoredConversation]:
    """The stored conversations, the latest first; damaged ones are without turns."""
    store = ConversationStore(settings.home)
    for name in store.names():
        yield store.described(name)


def remove_chat(settings: Settings, name: str) -> None:
    """Raises UsageError where there is none."""
    ConversationStore(settings.home).remove(name)


def _as_of(stored: StoredConversation, upto: Upto | None) -> StoredConversation:
    """The same over the text as of that place. With another place than before, the text is not the same."""
    place = str(upto) if upto else None
    return stored if place == stored.upto else replace(stored, upto=place, text="")


def _places(sources: Sequence[str]) -> tuple[str, ...]:
    return StoredConversation("x", tuple(sources), str(Path.cwd())).places


def _kept(stdin: BinaryIO, most: int | None) -> Slice:
    """All of standard input. Raises InputError where it is more than `most` bytes."""
    found = spool(stdin, "<stdin>", most)
    if isinstance(found, Gap):
        raise InputError(f"{found.source}: {found.reason}")
    return found


def _exchange(turn: Turn) -> Exchange:
    return Exchange(turn.question, turn.answer if turn.found else "")


def _said(cited: Citation) -> Said:
    about = (cited.source, cited.start, cited.end, cited.page, cited.line)
    return Said(*about, cited.quote, cited.verified, cited.place)
