"""How torch computes on processors: set once, before it begins."""

import ctypes
import os
import platform

import torch

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # what mallopt(3) calls them
LARGEST_BLOCK = 32 << 20  # the most that old versions of glibc take for the second
KEPT = 1 << 30
CACHES, COMPILED = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"), 128  # of oneDNN, and torch's own


def prepare() -> None:
    """For the life of the process: sooner than torch begins threads, which stay as they are. May be called again."""
    _keep_freed_memory()
    _keep_few_products()
    _no_denormals()


def _no_denormals() -> None:
    """Below 1.2e-38, where what a recurrence forgets soon is, numbers become zero. Intel's processors take a hundred
    times as long for them: a random Mamba-2 of 100 million parameters read for 13.4 s with them, 10.8 s without."""
    torch.set_flush_denormal(True)


def _keep_freed_memory() -> None:
    """Lets glibc keep up to 1 GiB that was freed.

    Else it hands blocks of some megabytes back to the system after every operation and takes them again for the next,
    and the system fills each page with zeros: measured 6 to 20 % of the time of a chunk. Other C libraries do not.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        if library.mallopt(MMAP_THRESHOLD, LARGEST_BLOCK):
            library.mallopt(TRIM_THRESHOLD, KEPT)


def _keep_few_products() -> None:
    """Products in bfloat16 are compiled for every number of rows, 0.6 to 3 MiB each, and a thousand are kept. A
    model's chunks need ten or twenty; what an expert or a question gets is another number every time."""
    for name in CACHES:
        os.environ.setdefault(name, str(COMPILED))
