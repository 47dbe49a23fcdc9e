"""Bytes that lie in an open file: standard input and pipes, kept in one without a name so that they can be read more
than once, and the members of archives."""

import errno
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

from mmxcli.errors import InputError, MmxError
from mmxcli.sources.document import BLOCK


@dataclass(frozen=True, slots=True)
class Slice:
    """`size` bytes from `offset` on in an open file. A temporary one goes away with the last of its slices, however the
    process ends."""

    name: str
    size: int
    within: IO[bytes] | int
    offset: int = 0

    def open(self) -> BinaryIO:
        return io.BufferedReader(_View(self._descriptor, self.offset, self.size), BLOCK)

    @contextmanager
    def file(self) -> Iterator[tuple[int, int]]:
        yield self._descriptor, self.offset

    @property
    def _descriptor(self) -> int:
        return self.within if isinstance(self.within, int) else self.within.fileno()


def spool(stream: BinaryIO, name: str) -> Slice:
    """Reads `stream` to its end. Raises InputError where that fails, MmxError where the disk is full."""
    try:
        file = temporary()
        while block := stream.read(BLOCK):
            file.write(block)
        file.flush()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise full(name) from error
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from error
    return Slice(name, file.tell(), file)


def temporary() -> IO[bytes]:
    """A file without a name. Raises OSError."""
    return tempfile.TemporaryFile(prefix="mmx-")


def full(name: str) -> MmxError:
    """The error of a disk on which `name` has no room."""
    return MmxError(f"{name}: {tempfile.gettempdir()} is full; set TMPDIR to a folder with room")


class _View(io.RawIOBase):
    """A position of its own in an open file that others read too."""

    def __init__(self, file: int, offset: int, size: int) -> None:
        self._file = file
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._size - self._position))
        block = os.pread(self._file, wanted, self._offset + self._position)
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)
