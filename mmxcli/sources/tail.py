"""Streams that go on: a pipe, or a file that is appended to, replaced, cut or away for a while, as by `tail -F`."""

import glob
import os
import select
import stat
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from mmxcli.errors import InputError

BLOCK = 1 << 16  # bytes that are read at once
POLL = 0.25  # seconds between two looks at a file
MARK = 64  # bytes before a place, by which it is known again


class Turn(StrEnum):
    """What became of a file; what is read next is its first line."""

    REPLACED = "was replaced by another file"
    CUT = "was cut"


class Mark(NamedTuple):
    """A place in a file: which file, where, and the bytes before it (in hex)."""

    device: int
    inode: int
    offset: int
    before: str


class Stream(Protocol):
    def read(self, seconds: float) -> bytes | Turn | None:
        """The next bytes, at most BLOCK; b"" where there were none for so long, None after the last. Raises
        InputError."""
        ...


class Pipe:
    """What is written to an open file by someone else, until they close it. Who writes waits while nobody reads."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self._name = name

    def read(self, seconds: float) -> bytes | Turn | None:
        try:
            if not select.select([self._descriptor], [], [], seconds)[0]:
                return b""
            return os.read(self._descriptor, BLOCK) or None
        except OSError as error:
            raise InputError(f"{self._name}: cannot be read: {error.strerror}") from error


class Tail:
    """A file by its name. What is there is read to its end before the next file of that name is begun."""

    def __init__(self, path: Path) -> None:
        """Raises InputError where there is no such file."""
        self.path = path
        self.offset = 0
        self._before = b""
        self._idle = False
        try:
            self._open()
        except OSError as error:
            raise InputError(f"{path}: cannot be followed: {error.strerror}") from error

    def _open(self, path: Path | None = None) -> None:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe in its place: no waiting
        descriptor = os.open(path or self.path, flags)
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            os.close(descriptor)
            raise OSError(0, "it is no file; pipe it in, and name -")
        self._descriptor, self._about = descriptor, about
        self._begin()

    def _begin(self) -> None:
        self.offset, self._before, self._idle = 0, b"", False

    def close(self) -> None:
        os.close(self._descriptor)

    def read(self, seconds: float) -> bytes | Turn | None:
        try:
            if self._idle and not self._unchanged():
                self._begin()
                return Turn.CUT
            if data := self._more():
                return data
            self._idle = True
            about = self._there()
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from error
        if about and (about.st_dev, about.st_ino) != (self._about.st_dev, self._about.st_ino):
            if data := self._more():  # written between the last look and the change
                return data
            before = self._descriptor
            try:
                self._open()
            except OSError:  # gone again
                time.sleep(min(seconds, POLL))
                return b""
            os.close(before)
            return Turn.REPLACED
        time.sleep(min(seconds, POLL))
        return b""

    def mark(self, offset: int) -> Mark:
        """Of a place that was read a moment ago."""
        before = os.pread(self._descriptor, min(MARK, offset), max(0, offset - MARK))
        return Mark(self._about.st_dev, self._about.st_ino, offset, before.hex())

    def seek(self, mark: Mark) -> bool:
        """Goes to the place where it is known again: whether it is. Of a file that was given another name meanwhile,
        such as app.log.1, the rest comes first. Raises ValueError for what is no mark."""
        before = bytes.fromhex(mark.before)
        if len(before) != min(MARK, mark.offset):
            raise ValueError
        beside = sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}*"))
        for path in [self.path, *beside]:
            with suppress(OSError):
                about = path.stat()
                if (about.st_dev, about.st_ino) == (mark.device, mark.inode):
                    os.close(self._descriptor)
                    self._open(path)
                    self.offset, self._before = mark.offset, before
                    if self._unchanged():
                        return True
        os.close(self._descriptor)
        self._open()
        return False

    def _more(self) -> bytes:
        data = os.pread(self._descriptor, BLOCK, self.offset)
        if data:
            self.offset += len(data)
            self._before = (self._before + data[-MARK:])[-MARK:]
            self._idle = False
        return data

    def _unchanged(self) -> bool:
        """Whether the bytes before this place are still there: a file may be cut and written anew between two looks."""
        size = len(self._before)
        return os.pread(self._descriptor, size, self.offset - size) == self._before

    def _there(self) -> os.stat_result | None:
        try:
            about = self.path.stat()
        except OSError:  # away for a while, or not to be looked at
            return None
        return about if stat.S_ISREG(about.st_mode) else None
