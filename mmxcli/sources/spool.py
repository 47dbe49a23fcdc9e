"""Standard input and pipes: kept in a file without a name, so that they can be read more than once."""

import errno
import io
import os
import tempfile
from dataclasses import dataclass
from threading import Lock
from typing import IO, BinaryIO

from mmxcli.errors import InputError, MmxError
from mmxcli.sources.document import BLOCK


@dataclass(frozen=True, slots=True)
class Spool:
    """The bytes of a stream. The file goes away with this object, however the process ends."""

    name: str
    size: int
    file: IO[bytes]
    lock: Lock

    def open(self) -> BinaryIO:
        return io.BufferedReader(_View(self), BLOCK)


def spool(stream: BinaryIO, name: str) -> Spool:
    """Reads `stream` to its end. Raises InputError where that fails, MmxError where the disk is full."""
    try:
        file = tempfile.TemporaryFile(prefix="mmx-")  # noqa: SIM115 - it lives as long as the spool
        while block := stream.read(BLOCK):
            file.write(block)
        file.flush()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise MmxError(f"{name}: {tempfile.gettempdir()} is full; set TMPDIR to a folder with room") from error
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from error
    return Spool(name, file.tell(), file, Lock())


class _View(io.RawIOBase):
    """A position of its own in a file that others read too."""

    def __init__(self, source: Spool) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with self._source.lock:
            self._source.file.seek(self._position)
            block = self._source.file.read(len(buffer))
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)
