"""Conversations on disk: a private JSON file each, below `<home>/conversations`."""

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, UsageError
from mmxcli.state.files import private_folder, written_aside

FORMAT = 1
MOST_TURNS = 5000
MOST_BYTES = 64 << 20  # of a file
LONGEST_NAME = 64
_NAME = re.compile(rf"[^\W_][\w.-]{{0,{LONGEST_NAME - 1}}}")
_LARGEST = 2**53  # what every reader of JSON keeps exactly


@dataclass(frozen=True, slots=True)
class Said:
    """A quote as it was shown with an answer, and where it stood. Raises ValueError for what cannot be."""

    source: str
    start: int
    end: int
    page: int | None
    line: int
    quote: str
    verified: bool
    place: str | None = None

    def __post_init__(self) -> None:
        words = (self.source, self.quote, self.place or "")
        numbers = (self.start, self.end, self.line, self.page or 0)
        if not (_are(str, words) and _are(int, numbers) and all(0 <= number < _LARGEST for number in numbers)):
            raise ValueError("no quote")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, its answer by a model, and the quotes: those that bear it out or, where it was not `found`, the
    nearest. Raises ValueError for what cannot be."""

    question: str
    answer: str
    found: bool
    model: str
    quotes: tuple[Said, ...] = ()

    def __post_init__(self) -> None:
        if not (_are(str, (self.question, self.answer, self.model)) and isinstance(self.found, bool)):
            raise ValueError("no turn")


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """`sources` as they were named in `folder`, `text` the digest of what was read of them, `upto` the place at which
    it was taken to end. `own_name`: whether a person gave it its name. `begun` and `updated` are Unix times in seconds.
    Raises ValueError for what cannot be."""

    name: str
    sources: tuple[str, ...]
    folder: str
    text: str = ""
    upto: str | None = None
    own_name: bool = False
    begun: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    turns: tuple[Turn, ...] = ()

    def __post_init__(self) -> None:
        right = _are(str, (self.name, *self.sources, self.folder, self.text, self.upto or ""))
        right = right and _are((int, float), (self.begun, self.updated)) and isinstance(self.own_name, bool)
        if not (right and self.sources and is_name(self.name) and len(self.turns) <= MOST_TURNS):
            raise ValueError("no conversation")

    @property
    def readable(self) -> bool:
        """Whether its file could be understood."""
        return bool(self.folder)

    @property
    def places(self) -> tuple[str, ...]:
        """Where its sources lie, whatever folder one is in; "-" is standard input."""
        return tuple(source if source == "-" else str(Path(self.folder, source)) for source in self.sources)


def is_name(text: str) -> bool:
    """Whether a conversation can be called so: letters, digits, dots, hyphens and underscores, and so no path."""
    return _NAME.fullmatch(text) is not None


class ConversationStore:
    """Raises UsageError for a name that is none, and DamagedError for a file that is not as it was written."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "conversations"

    def path(self, name: str) -> Path:
        if not is_name(name):
            raise UsageError(f"a conversation cannot be called {name[:LONGEST_NAME]!r}: use letters, digits, . - and _")
        return self.folder / f"{name}.json"

    def holds(self, name: str) -> bool:
        return self.path(name).exists()

    def put(self, conversation: StoredConversation, before: StoredConversation) -> StoredConversation:
        """Stores it in the place of `before`, from which it goes on. Where somebody else has gone on from that, or has
        taken the name, both stay: this one gets a name of its own. Returns it as it is stored.

        Raises OSError, and UsageError for one that has grown too long; what was stored before stays then."""
        private_folder(self.folder)
        with self._alone():
            if self.holds(conversation.name) and not _same(self.described(conversation.name), before):
                conversation = replace(conversation, name=self._free(conversation.name), own_name=False)
            values = asdict(conversation) | {"format": FORMAT}
            text = _written(values | {"sha256": _digest(values)})
            if len(text.encode()) > MOST_BYTES:
                raise UsageError(f"{conversation.name} has grown too long to be stored: begin another")
            with written_aside(self.path(conversation.name)) as aside:
                aside.write_text(text, encoding="utf-8")
        return conversation

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While inside, no other command stores a conversation."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def get(self, name: str) -> StoredConversation:
        """Raises UsageError where there is none of this name."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise ValueError("it is too long")
            text = data.decode("utf-8")
            values: dict[str, Any] = json.loads(text)
            if text != _written(values) or values.pop("sha256") != _digest(values):
                raise ValueError("it is not as it was written")
            if (version := values.pop("format")) != FORMAT:
                raise DamagedError(f"{path} is of another mmx: its format is {version}, here {FORMAT}")
            turns = (turn | {"quotes": tuple(Said(**said) for said in turn["quotes"])} for turn in values["turns"])
            values |= {"sources": tuple(values["sources"]), "turns": tuple(Turn(**turn) for turn in turns)}
            if values["name"] != name:
                raise ValueError("it is another's file")
            return StoredConversation(**values)
        except FileNotFoundError:
            raise UsageError(f"no conversation is called {name}: see `mmx chat --list`") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DamagedError(f"{path} is damaged: remove it with `mmx chat --rm {name}`") from None

    def described(self, name: str) -> StoredConversation:
        """As `get` or, where its file is damaged, what can still be told."""
        try:
            return self.get(name)
        except DamagedError:
            changed = self.path(name).stat().st_mtime
            return StoredConversation(name, ("?",), "", begun=changed, updated=changed)

    def remove(self, name: str) -> None:
        """Damaged or not. Raises UsageError where there is none of this name, OSError."""
        try:
            self.path(name).unlink()
        except FileNotFoundError:
            raise UsageError(f"no conversation is called {name}: see `mmx chat --list`") from None

    def names(self) -> list[str]:
        """The latest first. Files that mmx would not have called so are nobody's."""
        if not self.folder.is_dir():
            return []
        files = [file for file in self.folder.glob("*.json") if is_name(file.stem) and file.is_file()]
        return [file.stem for file in sorted(files, key=lambda file: -file.stat().st_mtime)]

    def latest(self, places: Sequence[str] | None) -> StoredConversation | None:
        """That over the sources in these places, or over any. What is damaged is passed over."""
        for name in self.names():
            try:
                found = self.get(name)
            except (DamagedError, UsageError):
                continue
            if places is None or sorted(found.places) == sorted(places):
                return found
        return None

    def new_name(self, source: str) -> str:
        """One that is free, after what is read and the day."""
        stem = "stdin" if source == "-" else Path(source).absolute().stem
        plain = re.sub(r"[^\w.-]+|^[\W_]+", "-", stem).strip("-._")[:30] or "chat"
        return self._free(f"{plain}-{time.strftime('%Y-%m-%d')}")

    def _free(self, base: str) -> str:
        """That name or, where it is taken, one like it."""
        names = chain([base], (f"{base[: LONGEST_NAME - 8]}.{number}" for number in count(2)))
        return next(name for name in names if not self.holds(name))


def renamed(conversation: StoredConversation, name: str) -> StoredConversation:
    """The same under a name that a person gave it."""
    return replace(conversation, name=name, own_name=True)


def _same(one: StoredConversation, other: StoredConversation) -> bool:
    return (one.begun, one.updated) == (other.begun, other.updated)


def _are(kind: type | tuple[type, ...], values: Sequence[object]) -> bool:
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def _written(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=1) + "\n"  # in ASCII: lone surrogates too, as names of files may hold


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
