"""A document is some bytes with a name and the reader that turns them into text."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from mmxcli.errors import InputError
from mmxcli.sources.segment import Gap, Remark, Segment

Item = Segment | Gap | Remark
BLOCK = 1 << 16  # bytes read at a time
ENCRYPTED = "encrypted: needs a password"  # the reason of a Gap


class Content(Protocol):
    """Bytes that can be opened more than once. `name` is what a person would find them by; `size` is how
    many bytes there were when they were found: what is appended later is not read."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    def open(self) -> BinaryIO:
        """A buffered, seekable stream of its own, at the start. Raises OSError."""

    def file(self) -> AbstractContextManager[tuple[int, int]]:
        """The descriptor of an open file, and where in it the bytes begin. Raises OSError."""


class Reader(Protocol):
    """One format, by its name. `version` changes whenever the same bytes may give another text."""

    @property
    def format(self) -> str: ...
    @property
    def version(self) -> str: ...
    def recognises(self, head: bytes, content: Content) -> bool:
        """Whether a file whose first bytes (`BLOCK`, or all there are) are these is in this format. Raises OSError."""

    def read(self, content: Content) -> Iterator[Item]:
        """The segments in order, and a Gap for each thing that was not read. Raises OSError."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A regular file."""

    name: str
    path: Path
    size: int

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    @contextmanager
    def file(self) -> Iterator[tuple[int, int]]:
        with self.open() as opened:
            yield opened.fileno(), 0


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that are a part of something, for readers in the process that has it."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return BytesIO(self.data)

    def file(self) -> AbstractContextManager[tuple[int, int]]:
        raise NotImplementedError("a part is parsed where the whole is")


@dataclass(frozen=True, slots=True)
class Document:
    """Something that can be read, any number of times."""

    content: Content
    reader: Reader

    @property
    def name(self) -> str:
        return self.content.name

    @property
    def size(self) -> int:
        """Bytes."""
        return self.content.size

    def fingerprint(self) -> str:
        """SHA-256, in hex, of the bytes and the reader's version: equal fingerprints mean equal segments.

        Raises InputError when the bytes are gone."""
        digest = hashlib.sha256(self.reader.version.encode() + b"\0")
        try:
            with self.content.open() as stream:
                for block in blocks(stream, self.size):
                    digest.update(block)
        except OSError as error:
            raise InputError(f"{self.name}: {unreadable(error)}; it was there a moment ago") from error
        return digest.hexdigest()

    def segments(self) -> Iterator[Item]:
        """The text, lazily, and a Gap for each part of it that was not read."""
        try:
            yield from self.reader.read(self.content)
        except OSError as error:
            yield Gap(self.name, unreadable(error))


@cache
def release(package: str) -> str:
    """The version of a library that reads, for the version of a reader."""
    from importlib.metadata import version  # slow to import

    return f"{package} {version(package)}"


def blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The first `size` bytes, or as many as there are, in blocks."""
    while size > 0 and (block := stream.read(min(BLOCK, size))):
        size -= len(block)
        yield block


def unreadable(error: OSError) -> str:
    """The reason of a Gap."""
    return f"cannot be read: {error.strerror or error}"
