"""Folders that are in use: nobody removes them meanwhile, and nothing is left of it when a process ends, however."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def used(folder: Path) -> Iterator[None]:
    """Shared with all others who use `folder`; waits for whoever has it alone. Raises FileNotFoundError when it is not
    there any more."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else's while the block lasts; waits for those who use it, so they must be brief."""
    with _locked(folder, fcntl.LOCK_EX):
        yield


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Whether `folder` is nobody's while the block lasts, this process's own users included. Raises FileNotFoundError
    when it is not there any more."""
    with ExitStack() as stack:
        try:
            stack.enter_context(_locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB))
            mine = True
        except BlockingIOError:
            mine = False
        yield mine


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Raises FileNotFoundError when the folder was removed before it was locked, though another has its name now."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        if not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        yield
    finally:
        os.close(descriptor)
