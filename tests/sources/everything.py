"""Reads all of it."""

from collections.abc import Callable, Iterator

from mmxcli.sources.document import Document
from mmxcli.sources.segment import Gap, Segment

Read = Callable[..., tuple[list[Segment], list[Gap]]]


def everything(found: Iterator[Document | Gap]) -> tuple[list[Segment], list[Gap]]:
    parts = [part for thing in found for part in (thing.segments() if isinstance(thing, Document) else [thing])]
    return (
        [part for part in parts if isinstance(part, Segment)],
        [part for part in parts if isinstance(part, Gap)],
    )
