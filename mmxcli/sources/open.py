"""From what a person names to documents, each with the reader of its format."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from mmxcli.errors import InputError, UsageError
from mmxcli.sources.document import BLOCK, Content, Document, FileContent, Reader, unreadable
from mmxcli.sources.folder import shown, walk
from mmxcli.sources.pdf import PdfReader
from mmxcli.sources.segment import Gap
from mmxcli.sources.spool import spool
from mmxcli.sources.text import TextReader

STDIN = "-"
READERS: tuple[Reader, ...] = (PdfReader(), TextReader())  # the first that recognises a file reads it


def open_sources(
    paths: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    files_from: str | None = None,
    nul: bool = False,
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
    return _documents(named, stdin)


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


def _documents(paths: Sequence[str], stdin: BinaryIO | None) -> Iterator[Document | Gap]:
    seen: set[str] = set()
    for path in paths:
        for found in _contents(path, stdin):
            if isinstance(found, FileContent):
                real = os.path.realpath(found.path)
                if real in seen:
                    continue
                seen.add(real)
            yield found if isinstance(found, Gap) else _recognised(found)


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


def _recognised(content: Content) -> Document | Gap:
    try:
        with content.open() as stream:
            head = stream.read(BLOCK)
    except OSError as error:
        return Gap(content.name, unreadable(error))
    if not head:
        return Gap(content.name, "empty")
    for reader in READERS:
        if reader.recognises(head):
            return Document(content, reader)
    return Gap(content.name, "binary" if b"\0" in head else "binary, or text in another encoding than UTF-8")
