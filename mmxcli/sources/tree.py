"""The tree of a folder or an archive: the names of what is read of it, as a text of its own.

Each folder has paragraphs of its own that name it, so that one of them, recalled alone, says which files are in it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from mmxcli.sources.document import Document
from mmxcli.sources.spool import Spool
from mmxcli.sources.text import TextReader

LONGEST = 24_000  # code points of a tree: 10,000 files are not worth more
LISTED = 4_000  # of the files, or of the folders, of one folder
LEAST = 80  # where there is room for no more, folders so deep are left to the counts above them
TITLES = 80  # about what stands around the names of a folder
PARAGRAPH = 200  # of names in one paragraph, which can then be quoted whole


_NAME = "/ (tree)"  # at the end of what a tree is called


def is_tree(source: str) -> bool:
    """Whether a document of this name is a tree."""
    return source.endswith(_NAME)


def tree_of(root: str, paths: Sequence[str]) -> Document:
    """The document that names these files, given by their paths below `root`. Raises MmxError on a full disk."""
    text = f"All {len(paths):,} files that can be read here, folder by folder.\n\n{_listed(paths)}"
    name, kept = root.rstrip("/") + _NAME, Spool()
    kept.write(text.encode(), name)
    return Document(kept.since(0, name), TextReader("utf-8"))


def _listed(paths: Sequence[str]) -> str:
    """All folders down to such a depth as there is room for. Of the deeper ones their number of files is told."""
    files, folders, below = defaultdict[str, list[str]](list), defaultdict[str, set[str]](set), Counter[str]()
    for path in paths:
        folder, _, name = _printable(path).rpartition("/")
        files[folder].append(name)
        below[folder] += 1
        while folder:
            above, _, name = folder.rpartition("/")
            folders[above].add(name)
            below[above] += 1
            folder = above
    shown: dict[tuple[str, ...], str] = {}
    level, left = [""], LONGEST
    while level:
        room = (left // len(level) - TITLES - 2 * max(map(len, level))) // 2
        texts = {
            folder: "".join(_paragraphs(folder, files[folder], folders[folder], below, min(LISTED, room)))
            for folder in level
        }
        left -= sum(map(len, texts.values()))
        if room < LEAST or left < 0:
            break
        shown |= {tuple(folder.split("/")): text for folder, text in texts.items()}
        level = [_joined(folder, name) for folder in level for name in folders[folder]]
    return "".join(text for _, text in sorted(shown.items()))


def _paragraphs(folder: str, files: Sequence[str], folders: set[str], below: Counter[str], most: int) -> Iterator[str]:
    place = folder or "the folder itself"
    yield from _paragraph(f"Files in {place}", sorted(files), most)
    told = [f"{name} ({_counted(below[_joined(folder, name)], 'file')})" for name in sorted(folders)]
    yield from _paragraph(f"Folders in {place}", told, most)


def _paragraph(title: str, names: Sequence[str], most: int) -> Iterator[str]:
    """One, or as many as the names need; those beyond `most` code points are only counted."""
    line, length, total = list[str](), 0, 0
    for number, name in enumerate(names):
        if total + len(name) > most:
            line.append(f"and {len(names) - number:,} more")
            break
        if line and length + len(name) > PARAGRAPH:
            yield f"{title} ({len(names):,}): {', '.join(line)}, …\n\n"
            line, length = [], 0
        line.append(name)
        length += len(name) + 2
        total += len(name) + 2
    if line:
        yield f"{title} ({len(names):,}): {', '.join(line)}.\n\n"


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _printable(path: str) -> str:
    """A name may hold the end of a line, or worse."""
    if path.isprintable():
        return path
    return "".join(character if character.isprintable() else "\ufffd" for character in path)
