"""Bytes that lie in an open file: standard input and pipes, kept in one without a name so that they can be read more
than once, and the members of archives."""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

from mmxcli.errors import InputError, Interrupted, MmxError
from mmxcli.sources.document import BLOCK
from mmxcli.sources.segment import Gap

RESERVE = 1 << 30  # bytes that are left free on the disk, or a tenth of a smaller one
STRIDE = 16 << 20  # bytes that are written before it is looked at again


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


def spool(stream: BinaryIO, name: str, most: int | None = None) -> Slice | Gap:
    """As `spooling`, without telling how far it is."""
    work = spooling(stream, name, most)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Slice | Gap = end.value
            return found


def spooling(stream: BinaryIO, name: str, most: int | None = None) -> Generator[int, None, Slice | Gap]:
    """Reads `stream` to its end, or tells that it goes on beyond `most` bytes. Yields how many have come.

    Raises InputError where that fails, MmxError where the disk has no room for more, Interrupted on Ctrl-C.
    """
    file = Spool()
    try:
        while block := stream.read(BLOCK):
            file.write(block, name)
            if most is not None and file.size > most:
                return too_large(name, file.size, more=True)
            yield file.size
    except MmxError as error:
        raise MmxError(f"{error}, or read a stream that never ends with `mmx follow`") from error
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from error
    except KeyboardInterrupt:
        raise Interrupted(f"{name}: interrupted after {file.size:,} bytes, of which nothing is kept") from None
    return file.since(0, name)


def too_large(name: str, size: int, *, more: bool = False) -> Gap:
    """Why something of so many bytes, or of `more`, is not read."""
    return Gap(name, f"{size:,} bytes{' or more' if more else ''}, more than --max-file-size allows")


class Spool:
    """A file without a name that is written from its start on, and leaves room on its disk for others. Everything but
    `since` raises MmxError where the disk has no more."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="mmx-")  # noqa: SIM115 - its slices hold it open
        self.size = 0
        self._checked = 0

    def write(self, block: bytes, name: str) -> None:
        """Adds a part of what is called `name`."""
        if self.size - self._checked > STRIDE:
            self._checked = self.size
            disk = shutil.disk_usage(self._file.fileno())
            if disk.free < min(RESERVE, disk.total // 10):
                raise self._full(name, f"has only {disk.free >> 20:,} MiB left")
        try:
            self._file.write(block)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._full(name, "is full") from error
            raise MmxError(f"{name}: {error.strerror or error}") from error
        self.size += len(block)

    def since(self, start: int, name: str) -> Slice:
        """What was written from the byte `start` on. Raises OSError."""
        self._file.flush()
        return Slice(name, self.size - start, self._file, start)

    def _full(self, name: str, reason: str) -> MmxError:
        place = tempfile.gettempdir()
        return MmxError(
            f"{name}: stopped after {self.size:,} bytes: {place} {reason}; set TMPDIR to a folder with room"
        )


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
