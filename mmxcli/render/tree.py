"""How many tokens there are in each folder and file, the largest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mmxcli.render.escape import one_line
from mmxcli.tasks.events import Counted

MOST = 20  # entries of one folder; the rest is one line


@dataclass
class _Node:
    tokens: int = 0
    within: "dict[str, _Node]" = field(default_factory=dict)


def tree(documents: Iterable[Counted]) -> Iterator[str]:
    """Lines: tokens, and the name, further in for what is within. A folder with one thing in it shares its line."""
    root = _Node()
    for document in documents:
        node = root
        node.tokens += document.tokens
        for part in _parts(document.source):
            node = node.within.setdefault(part, _Node())
            node.tokens += document.tokens
    yield from _lines(root, 0)


def _parts(source: str) -> list[str]:
    """`/a/b/c.txt` as `/a/`, `b/` and `c.txt`."""
    parts = source.split("/")
    whole = [f"{part}/" for part in parts[:-1]] + [parts[-1]]
    return [whole[0] + whole[1], *whole[2:]] if whole[0] == "/" and len(whole) > 1 else whole


def _lines(node: _Node, depth: int) -> Iterator[str]:
    entries = sorted(node.within.items(), key=lambda entry: (-entry[1].tokens, entry[0]))
    shown = entries if len(entries) <= MOST + 1 else entries[:MOST]
    for name, inner in shown:
        while len(inner.within) == 1:
            ((only, inner),) = inner.within.items()  # noqa: PLW2901 - down to where it divides
            name += only  # noqa: PLW2901
        yield f"{inner.tokens:>11,}  {'  ' * depth}{one_line(name)}"
        yield from _lines(inner, depth + 1)
    if rest := entries[len(shown) :]:
        tokens = sum(inner.tokens for _, inner in rest)
        yield f"{tokens:>11,}  {'  ' * depth}… and {len(rest):,} more"
