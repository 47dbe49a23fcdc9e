"""Reads all of it, but for trees."""

from collections.abc import Callable, Iterator

from mmxcli.sources.document import Document
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.sources.tree import is_tree

Read = Callable[..., tuple[list[Segment], list[Gap]]]


def everything(found: Iterator[Document | Gap | Remark]) -> tuple[list[Segment], list[Gap]]:
    found = (thing for thing in found if not (isinstance(thing, Document) and is_tree(thing.name)))
    parts = [part for thing in found for part in (thing.segments() if isinstance(thing, Document) else [thing])]
    return (
        [part for part in parts if isinstance(part, Segment)],
        [part for part in parts if isinstance(part, Gap)],
    )
