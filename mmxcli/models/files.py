"""Writing weight files so that a half-written one is never taken for a whole one."""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from mmxcli.errors import ModelError
from mmxcli.state import files
from mmxcli.state.files import written_aside

OnProgress = Callable[[str, int, int, str], None]
"""Called with stage ("fetch", "convert" or "check"), done, total and unit; done == total ends the stage."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file's size in bytes and the sha256 of its content, in hex."""

    bytes: int
    sha256: str


def write(path: Path, pieces: Iterable[bytes | memoryview]) -> Stored:
    """Write the pieces to `path`, mode 0600, flushed to the disk, hashing on the way.

    The file appears under its name only once it is whole. Raises OSError.
    """
    digest, size = hashlib.sha256(), 0
    with written_aside(path) as aside, open_private(aside, "wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return Stored(size, digest.hexdigest())


def open_private(path: Path, mode: str) -> BinaryIO:
    """Open a file whose mode is 0600 where it is new."""
    return cast(BinaryIO, open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600)))


def length(path: Path) -> int:
    """A file's size in bytes; 0 when it is not there, or no longer."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def private_folder(folder: Path) -> Path:
    """Make a folder with its parents, mode 0700 where new, and return it."""
    with clear_disk_errors(folder):
        return files.private_folder(folder)


@contextmanager
def locked(path: Path, while_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock that the file `path` stands for; the kernel releases it when the process dies.

    Calls `while_waiting` now and then as long as another process holds it. The file stays: removing it
    would let two processes hold two locks of the same name.
    """
    with clear_disk_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                while_waiting()
                time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def clear_disk_errors(folder: Path) -> Iterator[None]:
    """Turn a failure to read or write under `folder` into a ModelError of one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(f"{folder}: the disk is full; free some space and run the command again") from error
        raise ModelError(f"{error.filename or folder}: {error.strerror or error}") from error
