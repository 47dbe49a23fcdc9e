"""How many threads to compute with."""

import os

import psutil


def threads(asked: int | None) -> int:
    """As many as `asked`, or as OMP_NUM_THREADS says, or one for each core that this process may use."""
    if asked:
        return asked
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if told.isdecimal() and int(told):
        return int(told)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))
