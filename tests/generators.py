"""What is told while it works, run to its end."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")


def ended(work: Generator[object, None, Result]) -> Result:
    """What the work gives, without what it tells meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
