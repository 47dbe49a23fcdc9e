"""All documents of one command, as one text in reading order."""

import hashlib
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO

from mmxcli.errors import InputError
from mmxcli.reading.progress import Progress
from mmxcli.sources import document as documents
from mmxcli.sources.choice import ALL, Choice, few
from mmxcli.sources.document import Document
from mmxcli.sources.open import STDIN, STDIN_NAME, Stdin, open_sources
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.sources.spool import Slice, spooling

WAIT = 1.0  # seconds that standard input may take without a word about it
PARTED = "\n\n"  # before the line that names the next document
Item = str | documents.Item  # a line of our own between documents, text, what is not there, or a remark


@dataclass(frozen=True)
class Corpus:
    """The documents to read, at least one, what was named but cannot be read, and what else is to be told. Where `upto`
    names a place, all text ends there, `until` code points from its start."""

    documents: tuple[Document, ...]
    gaps: tuple[Gap, ...]
    upto: str | None = None
    until: int | None = None
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def opening(
        cls, sources: Sequence[str], stdin: BinaryIO | None, choice: Choice
    ) -> Generator[Progress, None, "Corpus"]:
        """As `open`; tells meanwhile how much of standard input has come, where that takes a while."""
        kept: Stdin | None = stdin
        if stdin and STDIN in sources:
            kept = yield from _received(stdin, choice.max_file_size)
        return cls.open(sources, kept, choice)

    @classmethod
    def open(cls, sources: Sequence[str], stdin: Stdin | None, choice: Choice = ALL) -> "Corpus":
        """Finds the documents of `sources`. Raises InputError when there is none."""
        found = list(open_sources(sources, stdin=stdin, choice=choice))
        documents = tuple(item for item in found if isinstance(item, Document))
        gaps = tuple(item for item in found if isinstance(item, Gap))
        if not documents:
            raise nothing_to_read(sources, gaps)
        return cls(documents, gaps, remarks=tuple(item for item in found if isinstance(item, Remark)))

    @property
    def size(self) -> int:
        """Bytes of all documents."""
        return sum(document.size for document in self.documents)

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """Of the documents, in their order, when they were first asked for."""
        return tuple(document.fingerprint() for document in self.documents)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, over the names and contents of all documents and over what could not be read."""
        return self._digest(self.fingerprints)

    def check_unchanged(self) -> None:
        """Raises InputError when `digest` is not, or no longer, that of what lies on the disk."""
        if self._digest([document.fingerprint() for document in self.documents]) != self.digest:
            raise changed([document.name for document in self.documents])

    def _digest(self, fingerprints: Sequence[str]) -> str:
        digest = hashlib.sha256()
        for document, fingerprint in zip(self.documents, fingerprints, strict=True):
            digest.update(f"{document.name}\0{fingerprint}\n".encode("utf-8", "surrogateescape"))
        for gap in self.gaps:
            digest.update(f"{gap.source}\0{gap.reason}\n".encode("utf-8", "surrogateescape"))
        if self.until is not None:
            digest.update(f"until {self.until}\n".encode())
        return digest.hexdigest()

    def items(self, without: Collection[str] = ()) -> Iterator[Item]:
        """Everything, lazily, but the documents of these names; where there are several, each begins with a line that
        names it."""
        left = self.until
        every = self._all(without)
        for item in every:
            if left is None:
                yield item
                continue
            text = text_of(item)
            if len(text) >= left:
                if left:
                    yield replace(item, text=text[:left]) if isinstance(item, Segment) else text[:left]
                yield from _gaps_after(item, every)
                return
            left -= len(text)
            yield item

    def _all(self, without: Collection[str]) -> Iterator[Item]:
        documents = [document for document in self.documents if document.name not in without]
        for number, document in enumerate(documents):
            if len(self.documents) > 1:
                yield (PARTED if number else "") + f"=== {document.name} ===\n"
            yield from document.segments()


def _received(stdin: BinaryIO, most: int | None) -> Generator[Progress, None, Slice | Gap]:
    told, due, done, work = False, time.monotonic() + WAIT, 0, spooling(stdin, STDIN_NAME, most)
    while True:
        try:
            done = next(work)
        except StopIteration as end:
            if told:
                yield Progress("receive", done, done, "bytes")
            found: Slice | Gap = end.value
            return found
        if time.monotonic() >= due:
            told, due = True, time.monotonic() + WAIT / 4
            yield Progress("receive", done, None, "bytes")


def _gaps_after(item: Item, following: Iterator[Item]) -> Iterator[Gap]:
    """What is missing in the document of `item` and is only told at its end. Of one with pages, each tells its own."""
    if isinstance(item, Segment) and item.page is None:
        for later in following:
            if isinstance(later, str):
                return
            if isinstance(later, Gap):
                yield later


def text_of(item: Item) -> str:
    """What the model reads of an item."""
    return item.text if isinstance(item, Segment) else item if isinstance(item, str) else ""


def nothing_to_read(sources: Sequence[str], gaps: Sequence[Gap]) -> InputError:
    """The error that names the sources and the reasons."""
    reasons = sorted({gap.reason for gap in gaps}) or ["no readable files"]
    return InputError(f"nothing to read in {few(sources)}: {'; '.join(reasons[:3])}")


def incomplete(gaps: Sequence[Gap]) -> InputError:
    """The error of --strict."""
    what = "1 part" if len(gaps) == 1 else f"{len(gaps):,} parts"
    return InputError(f"{what} of the input could not be read, and --strict was given")


def changed(sources: Sequence[str]) -> InputError:
    """The error of a text that is not what it was a moment ago."""
    return InputError(f"{few(sources)} changed while it was read: run the command again")


class Place:
    """Follows the items of a corpus: `where` it is, and about how many bytes are `done`."""

    def __init__(self, corpus: Corpus, without: Collection[str] = ()) -> None:
        self._sizes = {document.name: document.size for document in corpus.documents}
        self._before = self.done = sum(size for name, size in self._sizes.items() if name in without)
        self.where: str | None = None

    def follow(self, items: Iterator[Item]) -> Iterator[Item]:
        for item in items:
            if not isinstance(item, str):
                if item.source != self.where:
                    self._before += self._sizes.get(self.where or "", 0)
                    self.where = item.source
                if isinstance(item, Segment):
                    self.done = min(self._before + self._sizes.get(item.source, 0), self.done + len(item.text))
            yield item
