"""Memory that a chunk frees and the next one needs again."""

import ctypes
import platform

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # what mallopt(3) calls them
LARGEST_BLOCK = 32 << 20  # the most that old versions of glibc take for the second
KEPT = 1 << 30


def keep_freed_memory() -> None:
    """Lets glibc keep up to 1 GiB that was freed, for the life of the process.

    Else it hands blocks of some megabytes back to the system after every operation and takes them again for the next,
    and the system fills each page with zeros: measured 6 to 20 % of the time of a chunk. Other C libraries do not.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        if library.mallopt(MMAP_THRESHOLD, LARGEST_BLOCK):
            library.mallopt(TRIM_THRESHOLD, KEPT)
