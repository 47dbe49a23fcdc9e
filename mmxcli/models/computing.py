"""How torch computes on processors."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # what mallopt(3) calls them
LARGEST_BLOCK = 32 << 20  # the most that old versions of glibc take for the second
KEPT = 1 << 30
STARTING = 1 << 20  # numbers, of which each thread gets some


def prepare() -> None:
    """For the life of the process: sooner than torch begins threads, which stay as they are. May be called again."""
    _keep_freed_memory()
    with without_denormals():
        torch.ones(STARTING).add_(1)  # begins the threads, which keep what they begin with


@contextmanager
def without_denormals() -> Iterator[None]:
    """For the chunk of a recurrence: numbers below 1.2e-38, where what it forgets soon is, become zero, in this thread
    and in those that `prepare` began. Intel's processors take a hundred times as long for them: a random Mamba-2 of 100
    million parameters read for 13.4 s with them, 10.8 s without."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _keep_freed_memory() -> None:
    """Lets glibc keep up to 1 GiB that was freed.

    Else it hands blocks of some megabytes back to the system after every operation and takes them again for the next,
    and the system fills each page with zeros: measured 6 to 20 % of the time of a chunk. Other C libraries do not.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        if library.mallopt(MMAP_THRESHOLD, LARGEST_BLOCK):
            library.mallopt(TRIM_THRESHOLD, KEPT)
