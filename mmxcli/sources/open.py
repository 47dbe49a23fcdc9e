"""From what a person names to documents, each with the reader of its format."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from mmxcli.errors import InputError, UsageError
from mmxcli.sources.archive import Budget, is_archive, unpacked
from mmxcli.sources.choice import ALL, Choice
from mmxcli.sources.document import BLOCK, Content, Document, FileContent, unreadable
from mmxcli.sources.folder import shown, walk
from mmxcli.sources.readers import readers
from mmxcli.sources.segment import Gap
from mmxcli.sources.spool import spool

STDIN = "-"


def open_sources(
    paths: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    files_from: str | None = None,
    nul: bool = False,
    choice: Choice = ALL,
) -> Iterator[Document | Gap]:
    """The documents that `paths` and then those listed in the file `files_from` name, each once, in order.

    "-" is `stdin`, folders are walked, and a Gap stands for each thing that cannot be read. Listed paths end
    with a new line, or with NUL where `nul` is set. Raises InputError, before anything is read, for a path
    that does not exist or is neither a file nor a folder; UsageError where standard input is named as both
    a source and the list.
    """
    named = list(paths)
    if files_from is not None:
        if files_from == STDIN and STDIN in named:
            raise UsageError("standard input cannot be both a source and the list of sources; give one as a file")
        named += _listed(files_from, stdin, nul)
    named = list(dict.fromkeys(named))
    for path in named:
        _check(path, stdin)
    return _limited(_documents(named, stdin, choice), choice)


def _check(path: str, stdin: BinaryIO | None) -> None:
    if path == STDIN:
        if stdin is None:
            raise InputError("standard input is closed; pipe something into it, or name a file")
        return
    name = shown(path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path would take the empty path for "."
    except FileNotFoundError as error:
        raise InputError(f"{name}: no such file or folder; check the spelling") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise InputError(f"{name}: cannot be found: {getattr(error, 'strerror', error)}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISFIFO(mode)):
        raise InputError(f"{name}: neither a file nor a folder; name something that holds text")


def _listed(file: str, stdin: BinaryIO | None, nul: bool) -> list[str]:
    _check(file, stdin)
    try:
        listed = stdin.read() if file == STDIN and stdin is not None else Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"{shown(file)}: {unreadable(error)}") from error
    lines = listed.split(b"\0") if nul else listed.splitlines()
    return [os.fsdecode(line) for line in lines if line]


def _limited(found: Iterator[Document | Gap], choice: Choice) -> Iterator[Document | Gap]:
    """As many documents as there may be, and none that is too large."""
    count = 0
    for item in found:
        if isinstance(item, Document):
            if choice.max_file_size is not None and item.size > choice.max_file_size:
                yield Gap(item.name, f"{item.size:,} bytes, more than --max-file-size allows")
                continue
            count += 1
            if choice.max_files is not None and count > choice.max_files:
                yield Gap(item.name, f"it and all that follows are beyond the {choice.max_files:,} of --max-files")
                return
        yield item


def _documents(paths: Sequence[str], stdin: BinaryIO | None, choice: Choice) -> Iterator[Document | Gap]:
    seen: set[str] = set()
    for path in paths:
        for found in _contents(path, stdin):
            if isinstance(found, FileContent):
                real = os.path.realpath(found.path)
                if real in seen:
                    continue
                seen.add(real)
            yield from _recognised(found, choice)


def _contents(path: str, stdin: BinaryIO | None) -> Iterator[Content | Gap]:
    if path == STDIN and stdin is not None:
        yield spool(stdin, "<stdin>")
        return
    name = shown(path)
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            yield from walk(path)
        elif stat.S_ISREG(status.st_mode) and status.st_size:
            yield FileContent(name, Path(path).absolute(), status.st_size)
        else:  # a pipe, such as <(command) gives, or a file that has no size but content, as in /proc
            with Path(path).open("rb") as stream:
                yield spool(stream, name)
    except OSError as error:
        yield Gap(name, unreadable(error))


def _recognised(
    content: Content | Gap, choice: Choice, depth: int = 1, budget: Budget | None = None
) -> Iterator[Document | Gap]:
    """The document that it is, or those that it holds. `budget`: what is left for the outermost archive."""
    if isinstance(content, Gap):
        yield content
        return
    try:
        with content.open() as stream:
            head = stream.read(BLOCK)
        reader = next((one for one in readers(choice.encoding) if one.recognises(head, content)), None)
    except OSError as error:
        yield Gap(content.name, unreadable(error))
        return
    if not head:
        yield Gap(content.name, "empty")
    elif reader:
        yield Document(content, reader)
    elif is_archive(head):
        if choice.max_file_size is not None and content.size > choice.max_file_size:
            yield Gap(content.name, f"{content.size:,} bytes, more than --max-file-size allows")
            return
        empty, budget = True, budget or Budget.of(content)
        for member in unpacked(content, head, depth, budget):
            empty = False
            yield from _recognised(member, choice, depth + 1, budget)
        if empty:
            yield Gap(content.name, "an archive without files, but for empty and hidden ones")
    else:
        yield Gap(content.name, "binary")
