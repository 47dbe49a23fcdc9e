"""Encrypted PDFs are opened with the passwords that a person gives, in a file or at the terminal."""

import getpass
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from mmxcli.sources.choice import Choice
from mmxcli.sources.document import Document, blocks
from mmxcli.sources.pdf import PdfReader
from mmxcli.sources.segment import Gap
from mmxcli.sources.worker import Isolated

TRIES = 3  # how often a person is asked for the password of a document
_MARK = b"/Encrypt"  # stands in every encrypted PDF, and in the clear


def unlocked(document: Document, choice: Choice) -> Document:
    """The document, to be read with the first password that opens it; as it is where it needs none or none does."""
    reader = document.reader
    parser = reader.reader if isinstance(reader, Isolated) else reader
    if not isinstance(parser, PdfReader) or not _is_locked(document):
        return document
    tried = document
    for password in _passwords(document.name, choice):
        opened: PdfReader | Isolated = replace(parser, password=password)
        opened = Isolated(opened) if isinstance(reader, Isolated) else opened
        tried = replace(document, reader=opened)
        if not _needs_password(tried):
            return tried
    return tried


def _passwords(name: str, choice: Choice) -> Iterator[str]:
    yield from choice.passwords
    if not choice.passwords and all(stream and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        printable = "".join(character if character.isprintable() else "?" for character in name)
        yield from islice(iter(lambda: getpass.getpass(f"password of {printable}: "), ""), TRIES)


def _is_locked(document: Document) -> bool:
    before = b""
    try:
        with document.content.open() as stream:
            for block in blocks(stream, document.size):
                if _MARK in before[-len(_MARK) :] + block:
                    return _needs_password(document)
                before = block
    except OSError:  # reading it will tell
        return False
    return False


def _needs_password(document: Document) -> bool:
    first = next(iter(document.segments()), None)
    return isinstance(first, Gap) and first.page is None and first.reason.startswith("encrypted")
