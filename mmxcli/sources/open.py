"""From what a person names to documents, each with the reader of its format."""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from mmxcli.errors import InputError
from mmxcli.sources import revision
from mmxcli.sources.archive import MOST_DEPTH, Budget, ends_as_zip, is_archive, unpacked
from mmxcli.sources.choice import ALL, Choice, Listed
from mmxcli.sources.document import BLOCK, Content, Document, FileContent, unreadable
from mmxcli.sources.folder import shown, walk
from mmxcli.sources.ignore import is_ignored, rules_of
from mmxcli.sources.leftout import left_out, vendored_part
from mmxcli.sources.lock import unlocked
from mmxcli.sources.readers import readers
from mmxcli.sources.segment import Gap, Remark
from mmxcli.sources.spool import Slice, spool, too_large
from mmxcli.sources.tree import tree_of

STDIN, STDIN_NAME = "-", "<stdin>"
Stdin = BinaryIO | Slice | Gap  # or what was kept of it, or why nothing was
_URL = re.compile(r"(?:https?|git|ssh|ftp|file)://|git@[\w.-]+:", re.I)


def open_sources(
    paths: Sequence[str], *, stdin: Stdin | None = None, choice: Choice = ALL
) -> Iterator[Document | Gap | Remark]:
    """The documents that `paths` name, each once, in order.

    "-" is `stdin`, as it comes or as it was kept, folders are walked, and a Gap stands for each thing that cannot be
    read; Remarks count what is passed over. Raises InputError, before anything is read, for a path that does not exist
    or is neither a file nor a folder; for one that is Listed a Gap stands.
    """
    named = list(dict.fromkeys(paths))
    missing: dict[str, Gap] = {}
    for path in named:
        if wrong := _wrong(path, stdin):
            if not isinstance(path, Listed):
                raise InputError(wrong if path == STDIN else f"{shown(path)}: {wrong}")
            missing[path] = Gap(shown(path), wrong)
    return _documents(named, missing, stdin, choice)


def _wrong(path: str, stdin: Stdin | None) -> str | None:
    """Why there is nothing to read under this name; None where there may be."""
    if _URL.match(path) and not os.path.lexists(path):
        return "a URL is not fetched: clone or download it first, and name the folder or file"
    if revision.split(path):
        return None
    if path == STDIN:
        return "standard input is closed; pipe something into it, or name a file" if stdin is None else None
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path would take the empty path for "."
    except FileNotFoundError:
        return "no such file or folder; check the spelling"
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        return f"cannot be found: {getattr(error, 'strerror', error)}"
    known = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISFIFO(mode)
    return None if known else "neither a file nor a folder; name something that holds text"


class _Limits:
    """Lets through as many documents as there may be, none that is too large, and each with a name of its own."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._names: Counter[str] = Counter()
        self._count = 0
        self.reached = False  # nothing more is to be read

    def within(self, item: Document | Gap | Remark) -> Document | Gap | Remark:
        """The item, or why it is left out."""
        if not isinstance(item, Document):
            return item
        most_bytes, most = self._choice.max_file_size, self._choice.max_files
        if most_bytes is not None and item.size > most_bytes:
            return too_large(item.name, item.size)
        if most is not None and self._count == most:
            self.reached = True
            return Gap(item.name, f"it and all that follows are beyond the {most:,} of --max-files")
        self._count += 1
        return self.named(item)

    def named(self, document: Document) -> Document:
        """An archive may hold several files of one name, and only the number tells them apart then."""
        name = document.name
        while name in self._names:
            self._names[document.name] += 1
            name = f"{document.name} ({self._names[document.name]})"
        self._names[name] = 1
        if name == document.name:
            return document
        return replace(document, content=replace(document.content, name=name))  # type: ignore[type-var]


def _documents(
    paths: Sequence[str], missing: dict[str, Gap], stdin: Stdin | None, choice: Choice
) -> Iterator[Document | Gap | Remark]:
    """Those of each source in turn, and the tree of each that is several: last, so that a new file changes nothing that
    comes before it."""
    limits = _Limits(choice)
    seen: set[str] = set()
    for path in paths:
        if path in missing:
            yield missing[path]
            continue
        finder = _Finder(STDIN_NAME if path == STDIN else shown(path), choice)
        read: list[str] = []
        for item in _found(path, stdin, choice, finder, seen):
            kept = limits.within(item)
            if isinstance(kept, Document):
                read.append(finder.below(kept.name))
            yield kept
            if limits.reached:
                break
        if len(read) > 1:
            yield limits.named(tree_of(finder.root, read))
        if limits.reached:
            return


def _found(
    path: str, stdin: Stdin | None, choice: Choice, finder: "_Finder", seen: set[str]
) -> Iterator[Document | Gap | Remark]:
    """What `path` holds, but for the files that were `seen`, to which its own are added."""
    for content in _contents(path, stdin, choice, finder.names):
        if isinstance(content, FileContent):
            real = os.path.realpath(content.path)
            if real in seen:
                continue
            seen.add(real)
        yield from finder.documents(content)


def _contents(path: str, stdin: Stdin | None, choice: Choice, names: set[str]) -> Iterator[Content | Gap | Remark]:
    if path == STDIN and stdin is not None:
        yield stdin if isinstance(stdin, Slice | Gap) else spool(stdin, STDIN_NAME, choice.max_file_size)
        return
    if revision.split(path):
        yield from revision.at_revision(path, names)
        return
    name = shown(path)
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            yield from walk(path, choice)
        elif stat.S_ISREG(status.st_mode) and status.st_size:
            yield FileContent(name, Path(path).absolute(), status.st_size)
        else:  # a pipe, such as <(command) gives, or a file that has no size but content, as in /proc
            with Path(path).open("rb") as stream:
                yield spool(stream, name, choice.max_file_size)
    except OSError as error:
        yield Gap(name, unreadable(error))


class _Finder:
    """Finds the documents in what lies under one source, which is called `root`."""

    def __init__(self, root: str, choice: Choice) -> None:
        self.root = root
        self._choice = choice
        self._include, self._exclude = (rules_of(patterns, 0) for patterns in (choice.include, choice.exclude))
        self.names: set[str] = set()  # of all files below the root, where they are known before any is read
        self._vendored: set[str] = set()
        self._readers = readers(choice.encoding, drop_running_heads=choice.drop_running_heads)

    def documents(
        self, content: Content | Gap | Remark, depth: int = 1, budget: Budget | None = None
    ) -> Iterator[Document | Gap | Remark]:
        """The document that it is, or those that it holds. `budget`: what is left for the outermost archive."""
        if isinstance(content, Gap | Remark):
            yield content
            return
        try:
            with content.open() as stream:
                head = stream.read(BLOCK)
            reader = next((one for one in self._readers if one.recognises(head, content)), None)
            holds_others = not reader and (is_archive(head) or ends_as_zip(content))
        except OSError as error:
            yield Gap(content.name, unreadable(error))
            return
        if content.name != self.root:  # what is named is always read
            excluded, reason = self._left_out(content.name, head)
            if reason:
                yield reason
            if excluded:
                return
        if not head:
            yield Gap(content.name, "empty")
        elif reader:
            yield unlocked(Document(content, reader), self._choice)
        elif holds_others:
            yield from self._within(content, head, depth, budget or Budget.of(content))
        else:
            yield Gap(content.name, "binary")

    def _within(self, content: Content, head: bytes, depth: int, budget: Budget) -> Iterator[Document | Gap | Remark]:
        if self._choice.max_file_size is not None and content.size > self._choice.max_file_size:
            yield too_large(content.name, content.size)
            return
        if depth > MOST_DEPTH:
            if not budget.deep:
                yield Gap(content.name, f"an archive within {MOST_DEPTH} others, like all that are as deep")
            budget.deep = True
            return
        empty = True
        for member in unpacked(content, head, budget):
            empty = False
            yield from self.documents(member, depth + 1, budget)
        if empty:
            yield Gap(content.name, "an archive without files, but for empty and hidden ones")

    def below(self, name: str) -> str:
        """The path of what is called `name`, from the source on."""
        for root in (self.root.rstrip("/"), PurePosixPath(self.root).as_posix()):
            if name.startswith(f"{root}/"):
                return name[len(root) + 1 :]
        return name

    def _left_out(self, name: str, head: bytes) -> tuple[bool, Gap | None]:
        """Whether a file is not to be read, and the reason where that is not the person's own."""
        path = PurePosixPath(self.below(name))
        above = [(parent, True) for parent in list(path.parents)[-2::-1]]
        if any(is_ignored(Path(one), folder, self._exclude) for one, folder in [*above, (path, False)]):
            return True, None
        if any(is_ignored(Path(one), folder, self._include) for one, folder in [*above, (path, False)]):
            return False, None
        if part := vendored_part(path.parts[:-1], self.names):
            told = f"{self.root}/{part}/"
            new = told not in self._vendored
            self._vendored.add(told)
            return True, Gap(told, "vendored code (--include it to read it)") if new else None
        reason = left_out(name, head)
        return reason is not None, Gap(name, f"{reason} (--include it to read it)") if reason else None
