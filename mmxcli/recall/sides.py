"""The sides of a comparison: what each source that a person named holds."""

import re
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

from mmxcli.recall.index import RecallIndex
from mmxcli.sources.tree import is_tree

_WORDS = frozenset(("", "old", "new", "before", "after"))  # names that say something else in a question


class Side(NamedTuple):
    """A source as it was named, and the documents that it holds, in their order."""

    name: str
    sources: tuple[str, ...]

    def below(self, source: str) -> str:
        """The path of a document from the source on."""
        return next((source[len(root) :] for root in _roots(self.name) if source.startswith(root)), "")

    def is_in(self, question: str) -> re.Match[str] | None:
        """Where the question names it, whole or by its last part."""
        path = PurePath(self.name)
        names = sorted({self.name, path.name, path.stem} - _WORDS, key=len, reverse=True)
        if not names:
            return None
        return re.search(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?![\w/])", question)


def sides(index: RecallIndex, named: Sequence[str]) -> list[Side]:
    """One for each name that holds something. What no name fits stands below the only one that holds nothing else: it
    may be the folder that one is in."""
    found: dict[str, list[str]] = {name: [] for name in named}
    roots = {name: tuple(_roots(name)) for name in named}
    for source in index.sources:
        fitting = [name for name in found if source == name or source.startswith(roots[name])]
        empty = [name for name, sources in found.items() if not sources]
        chosen = max(fitting, key=len) if fitting else empty[0] if len(empty) == 1 else None
        if chosen is not None and not is_tree(source):
            found[chosen].append(source)
    return [Side(name, tuple(sources)) for name, sources in found.items() if sources]


def meant(every: Sequence[Side], question: str) -> list[Side]:
    """Those that the question names, if it names two or more; else all."""
    asked = [side for side in every if side.is_in(question)]
    return asked if len(asked) > 1 else list(every)


def without_names(every: Sequence[Side], question: str) -> str:
    """The question without the names of its sides."""
    for side in every:
        while found := side.is_in(question):
            question = f"{question[: found.start()]} {question[found.end() :]}"
    return question


def _roots(name: str) -> set[str]:
    return {f"{name.rstrip('/')}/", f"{PurePosixPath(name).as_posix()}/"}
