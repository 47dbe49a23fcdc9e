"""Folders that are in use: nobody removes them meanwhile, and nothing is left of it when a process ends, however."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def used(folder: Path) -> Iterator[None]:
    """Shared with all others who use `folder`. Raises FileNotFoundError when it is not there any more."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # whoever holds it alone is about to be done
        if not folder.exists():
            raise FileNotFoundError(folder)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Whether `folder` is nobody's while the block lasts, this process's own users included."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)
