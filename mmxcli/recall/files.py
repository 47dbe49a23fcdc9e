"""Questions about which files there are, answered from the tree of a folder."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmxcli.recall.index import RecallIndex
from mmxcli.sources.tree import is_tree

_FILES = re.compile(r"\b(?:files?|(?:sub-?)?(?:folders?|director(?:y|ies)))\b", re.I)
_ASKED = re.compile(
    r"\b(?:which|what|list|name|show|how many)\b.*?\b(?P<what>files|(?:sub-?)?(?:folders|directories))\b"
    r".*?\b(?:in|of|under|inside|within|below)\s+(?:the\s+)?(?:(?:folder|directory)\s+)?"
    r"[`'\"]?(?P<place>[\w@.+~-]+(?:/[\w@.+~-]+)*)/?[`'\"]?(?:\s+(?:folder|directory))?\s*[?.]?\s*\Z",
    re.I,
)
_PARAGRAPH = re.compile(
    r"^(?P<what>Files|Folders) in (?P<place>.+?) \((?P<count>[\d,]+)\): (?P<names>.+?)(?:, …|\.)$", re.M
)
_ALL = ("repo", "repository", "project", "archive", "it", ".")


@dataclass(frozen=True, slots=True)
class Listed:
    """The files of a folder, and the paragraphs of its tree that say so."""

    text: str
    source: str
    spans: tuple[tuple[int, int], ...]


def asks_about_files(question: str) -> bool:
    """Whether a tree may say something about it. About anything else it only holds the same words."""
    return _FILES.search(question) is not None


def listed(index: RecallIndex, question: str) -> Listed | None:
    """None where it is no such question, or no folder, or more than one, is meant."""
    asked = _ASKED.search(question)
    if not asked:
        return None
    only_folders = asked["what"].lower() != "files"
    found = [
        (source, [one for one in paragraphs if one["what"] == "Folders" or not only_folders])
        for source in filter(is_tree, index.sources)
        for paragraphs in _meant(source, index.text(source, 0, 1 << 62), asked["place"])
    ]
    if len(found) != 1 or not found[0][1]:
        return None
    source, paragraphs = found[0]
    return Listed("; ".join(_said(paragraphs)), source, tuple(one.span() for one in paragraphs))


def _meant(source: str, text: str, place: str) -> Iterator[list[re.Match[str]]]:
    """The paragraphs of each folder that a person may mean by `place`: of that path, else of one that ends so."""
    by_folder: dict[str, list[re.Match[str]]] = {}
    for paragraph in _PARAGRAPH.finditer(text):
        by_folder.setdefault(paragraph["place"], []).append(paragraph)
    root = source.removesuffix("/ (tree)").rpartition("/")[2]
    if place.lower() in (*_ALL, root.lower()):
        place = "the folder itself"
    names = [place] if place in by_folder else [name for name in by_folder if name.endswith(f"/{place}")]
    return (by_folder[name] for name in names)


def _said(paragraphs: Sequence[re.Match[str]]) -> Iterator[str]:
    for what in ("Files", "Folders"):
        ours = [one for one in paragraphs if one["what"] == what]
        if ours:
            noun = what.lower() if ours[0]["count"] != "1" else what.lower()[:-1]
            yield f"{ours[0]['count']} {noun}: {', '.join(one['names'] for one in ours)}"
