"""PDF: the text layer, page by page, by pdfium; by pypdf where pdfium gives up."""

import logging
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.segment import Gap

if TYPE_CHECKING:
    import pypdfium2

_HEADER = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*%PDF-|[\r\n]%PDF-\d\.\d\s*[\r\n]")
_HEADER_WITHIN = 1024  # bytes; what stands before the header is usual enough for all readers to bear it

# pdfium marks a hyphen that ends a line, whose word it joins, with one of two characters that depend on its
# version. The hyphen belongs to the word after a single letter (x-axis), between two names (Rocky-Smith), or
# in a chain (case-by-case).
_HYPHEN = "[\x02\ufffe]"
_LASTING_HYPHEN = re.compile(rf"(?<=\b\w){_HYPHEN}|(?<=[a-z]){_HYPHEN}(?=[A-Z])|{_HYPHEN}(?=\w+-\w)")
_LINE_END_HYPHEN = re.compile(rf"{_HYPHEN}|\u00ad[ \t]*\n?")
# What is left of glyphs that stand for no character.
_NO_CHARACTER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\uffff]")

# Damaged files lead pypdf into most of the errors that Python has.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_ENCRYPTED = "encrypted: needs a password"
_NO_TEXT = "no text layer"


class PdfReader:
    """Pages that hold nothing at all give neither text nor a Gap."""

    format = "PDF"

    @property
    def version(self) -> str:
        return f"pdf 1, {release('pypdfium2')}, {release('pypdf')}"

    def recognises(self, head: bytes, content: Content) -> bool:  # noqa: ARG002 - as the protocol has it
        return _HEADER.search(head[:_HEADER_WITHIN]) is not None

    def read(self, content: Content) -> Iterator[Item]:
        cutter, told = Cutter(content.name), False
        with content.open() as stream:
            for found in _pages(stream, content.name):
                if isinstance(found, Gap):
                    told = True
                    yield found
                else:
                    page, text = found
                    yield from cutter.cut(text, page, last=True)
        if not (told or cutter.start):
            yield Gap(content.name, _NO_TEXT)


def _pages(stream: BinaryIO, name: str) -> Iterator[tuple[int, str] | Gap]:
    """Each page's number and text, or why there is none."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(stream)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY):
            yield Gap(name, _ENCRYPTED)
        else:
            yield from _pages_by_pypdf(stream, name)
        return
    with document:
        for page in range(1, len(document) + 1):
            try:
                text, blank = _page(document, page)
            except pypdfium2.PdfiumError:
                yield from _pages_by_pypdf(stream, name, page)
                return
            yield (page, text) if text or blank else Gap(name, _NO_TEXT, page)


def _page(document: "pypdfium2.PdfDocument", page: int) -> tuple[str, bool]:
    """The text, and whether the page is blank. The page is closed again: open ones keep their memory."""
    import pypdfium2

    with closing(document[page - 1]) as opened, closing(opened.get_textpage()) as layer:
        # get_text_bounded would lose what runs over the edge of the page.
        return _clean(layer.get_text_range()), pypdfium2.raw.FPDFPage_CountObjects(opened) == 0


def _pages_by_pypdf(stream: BinaryIO, name: str, page: int = 1) -> Iterator[tuple[int, str] | Gap]:
    """The pages from `page` on. A page tree may promise more pages than there are: one Gap tells of it."""
    import pypdf
    from pypdf.errors import PyPdfError

    damage = (PyPdfError, *_DAMAGE)
    logger = logging.getLogger("pypdf")
    if not logger.handlers:  # without one, its warnings would go to standard error
        logger.addHandler(logging.NullHandler())
    try:
        stream.seek(0)
        reader = pypdf.PdfReader(stream)
        locked, pages = reader.is_encrypted, 0 if reader.is_encrypted else len(reader.pages)
    except damage:
        yield Gap(name, "broken PDF", None if page == 1 else page)
        return
    if locked:
        yield Gap(name, _ENCRYPTED)
        return
    for number in range(page, max(page, pages) + 1):
        try:
            text = _clean(reader.pages[number - 1].extract_text())
            blank = "/Contents" not in reader.pages[number - 1]
        except damage:
            yield Gap(name, "broken PDF", number)
        else:
            yield (number, text) if text or blank else Gap(name, _NO_TEXT, number)


def _clean(text: str) -> str:
    """Lines end in "\\n", the last one too; words are joined over the ends of lines. No text is ""."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _LINE_END_HYPHEN.sub("", _LASTING_HYPHEN.sub("-", text))
    text = _NO_CHARACTER.sub("", text)
    return text.removesuffix("\n") + "\n" if text.strip() else ""
