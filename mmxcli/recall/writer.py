"""Writes the passages and the whole text of many documents into one SQLite file."""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from mmxcli.errors import MmxError
from mmxcli.recall.passages import Cutter, Passage
from mmxcli.recall.words import searchable
from mmxcli.sources.segment import Segment

FORMAT = 5
NAMES = 3  # of a path that a passage is found by
BLOCK = 4096  # code points
TOKENIZER = """tokenize = "porter unicode61 categories 'L* N* Co Mn Mc'" """
_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE sources (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE TABLE documents (number INTEGER PRIMARY KEY, name BLOB NOT NULL, fingerprint TEXT NOT NULL, tokens INTEGER);
CREATE TABLE blocks (source INTEGER, start INTEGER, line INTEGER, page INTEGER, place TEXT, base INTEGER,
                     checksum INTEGER, text BLOB,
                     PRIMARY KEY (source, start));
CREATE TABLE passages (id INTEGER PRIMARY KEY, source INTEGER, start INTEGER, end INTEGER, line INTEGER,
                       page INTEGER, headings TEXT);
CREATE VIRTUAL TABLE found USING fts5(words, headings, content = '', {TOKENIZER});
"""


class Contained(NamedTuple):
    """A document of the index, and what it was: equal fingerprints mean equal texts. `tokens` of it and of the line
    that names it, as they are whatever stands around them; None where that is not known."""

    name: str
    fingerprint: str
    tokens: int | None


class IndexWriter:
    """Writes an index to `path`, which must not exist yet, in bounded memory. `continued`: it exists, and what it holds
    stays (renewal.py).

    A context manager: left without `finish`, it leaves no file behind. Raises MmxError when the file
    cannot be written, ValueError when a segment does not continue its document.
    """

    def __init__(self, path: Path, *, continued: bool = False) -> None:
        self._path = path
        self._sources: dict[str, int] = {}
        self._block: Segment | None = None
        self._finished = False
        with writing(path):
            if not continued:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None)
            # A build that fails is thrown away, so it needs no journal.
            schema = "" if continued else _SCHEMA
            try:
                self._database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {schema} BEGIN;")
                self._cutter = Cutter(self._last("passages", "id") + 1)
                self._source = self._last("sources", "id")
            except sqlite3.Error:
                self._discard()
                raise

    def add(self, segment: Segment) -> None:
        """Take the next segment; a document's segments come in order, without gaps."""
        with writing(self._path):
            self._store(segment)
            self._insert(self._cutter.add(segment))

    def finish(self, meta: Mapping[str, str] | None = None, documents: Iterable[Contained] = ()) -> None:
        """Complete the index with the caller's own notes and, in the order of the text, what all its documents are;
        flush it to the disk."""
        notes = {**(meta or {}), "format": str(FORMAT)}
        with writing(self._path):
            self._insert(self._cutter.finish())
            self._flush()
            self._database.executemany("INSERT INTO meta VALUES (?, ?)", notes.items())
            self._database.execute("DELETE FROM documents")
            for number, (name, fingerprint, tokens) in enumerate(documents):
                row = (number, name.encode("utf-8", "surrogatepass"), fingerprint, tokens)
                self._database.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", row)
            self._database.execute("COMMIT")
            self._database.close()
            with self._path.open("rb+") as file:
                os.fsync(file.fileno())
        self._finished = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self._discard()

    def _last(self, table: str, column: str) -> int:
        return int(self._database.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0])

    def _discard(self) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def _insert(self, passages: Iterable[Passage]) -> None:
        for p in passages:
            row = (p.id, self._sources[p.source], p.start, p.end, p.line, p.page, storable(p.headings))
            self._database.execute("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            texts = (p.id, *found_words(p))
            self._database.execute("INSERT INTO found (rowid, words, headings) VALUES (?, ?, ?)", texts)

    def _store(self, segment: Segment) -> None:
        """Gather short segments and part long ones: a block has one page and place, and at most BLOCK characters."""
        if segment.source not in self._sources:
            self._source += 1
            self._sources[segment.source] = self._source
            row = (self._source, segment.source.encode("utf-8", "surrogatepass"))
            self._database.execute("INSERT INTO sources VALUES (?, ?)", row)
        block, text, line = self._block, segment.text, segment.line
        if block and _origin(block) == _origin(segment) and len(block.text) < BLOCK:
            room = BLOCK - len(block.text)
            self._block = replace(block, text=block.text + text[:room])
            text, line = text[room:], line + text.count("\n", 0, room)
        start = segment.start + len(segment.text) - len(text)
        for at in range(0, len(text), BLOCK):
            self._flush()
            self._block = replace(segment, text=text[at : at + BLOCK], start=start + at, line=line)
            line += self._block.text.count("\n")

    def _flush(self) -> None:
        if self._block:
            block, self._block = self._block, None
            data = block.text.encode("utf-8", "surrogatepass")
            place, base = (storable(block.place.words), block.place.base) if block.place else (None, None)
            origin = (self._sources[block.source], block.start, block.line, block.page, place, base)
            self._database.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*origin, zlib.crc32(data), data)
            )


def _origin(segment: Segment) -> tuple[object, ...]:
    return segment.source, segment.page, segment.place


def found_words(passage: Passage) -> tuple[str, str]:
    """What a passage is found by: its own words, and those above it."""
    return storable(searchable(passage.text)), _above(f"{_telling(passage.source)}\n{passage.headings}")


def _telling(source: str) -> str:
    """Of a path what may tell what the document is: its last names, and none of a person's own folder. What stands
    above every passage would make words of all of them: "Anna" in /home/anna."""
    own = source.removeprefix(f"{os.path.expanduser('~')}/")  # noqa: PTH111 - it need not be known
    return "/".join(own.split("/")[-NAMES:])


@lru_cache(maxsize=16)
def _above(headings: str) -> str:
    """What is searched for above a passage: mostly the same as above the one before it."""
    return storable(searchable(headings))


def storable(text: str) -> str:
    """The text with "?" for lone surrogates, which SQLite does not take."""
    return text.encode("utf-8", "replace").decode()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises MmxError where what is done meanwhile fails by the file."""
    try:
        yield
    except sqlite3.Error as error:
        lacking = "no such module: fts5" in str(error)
        reason = "this Python's SQLite lacks FTS5; use another Python" if lacking else str(error)
        raise MmxError(f"{path}: the index cannot be written: {reason}") from error
    except OSError as error:
        raise MmxError(f"{path}: the index cannot be written: {error.strerror}") from error
