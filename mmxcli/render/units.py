"""Quantities as a person reads them."""

import time


def size(count: int) -> str:
    """Bytes in powers of 1024, three digits at most: 999 B, 12.3 MiB."""
    power = 0
    while power < 4 and count / 1024**power >= 999.5:
        power += 1
    value, unit = count / 1024**power, ("B", "KiB", "MiB", "GiB", "TiB")[power]
    return f"{value:.0f} {unit}" if power == 0 or value >= 99.95 else f"{value:.1f} {unit}"


def parameters(count: int) -> str:
    """Weights in powers of 1000: 134 M, 7.24 B."""
    for value, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= value:
            return f"{count / value:.3g} {unit}"
    return str(count)


def duration(seconds: float) -> str:
    """12 s, 3:05 min, 2:10 h, 5 days."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    if whole < 100 * 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02} h"
    return f"{whole / 86400:,.0f} days"


def ago(moment: float) -> str:
    """How long ago a Unix time was, in one unit."""
    seconds = max(0.0, time.time() - moment)
    for length, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return counted(int(seconds // length), name) + " ago"
    return "just now"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def amount(number: int, unit: str) -> str:
    """`unit`: its plural."""
    return size(number) if unit == "bytes" else counted(number, unit.removesuffix("s"))
