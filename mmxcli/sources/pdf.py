"""PDF: the text layer, page by page, by pdfium; by pypdf where pdfium gives up."""

import hashlib
import io
import logging
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import ENCRYPTED, Content, Item, release
from mmxcli.sources.heads import Page, without_heads
from mmxcli.sources.pagetree import MOST_MENDED, PageTree, mended, shown
from mmxcli.sources.segment import Gap, Place
from mmxcli.sources.streams import Streams
from mmxcli.sources.structure import Structure

if TYPE_CHECKING:
    import pypdf
    import pypdfium2

_HEADER = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*%PDF-|[\r\n]%PDF-\d\.\d\s*[\r\n]")
_HEADER_WITHIN = 1024  # bytes; what stands before the header is usual enough for all readers to bear it
_NOT_TEXT = re.compile(rb"[\0-\x08\x0e-\x1f]")

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
_WRONG_PASSWORD = "encrypted: the password does not open it"
_NO_TEXT = "no text layer"
_BROKEN = "broken PDF"
_MISSING = "broken PDF: the page is not there"
_DAMAGED = "broken PDF: not all of the page can be read"
_CIRCLE = "broken PDF: its page tree leads back to itself"
_CUT = "broken PDF: it is cut off, and its pages are counted as they come"
_GARBLED = "garbled: its fonts do not tell which characters they show"
SAMPLE = 100  # characters of a page that are asked for what they stand for
MOST_NOTES = 10_000  # on one page
_HIDDEN = 2  # the flag of an annotation that nobody sees
UNKNOWN = 0.3  # of them, from which on a page is garbled unless it reads as words
_WORD = re.compile(r"[^\W\d_]?[a-z]+[,.;:!?]?")

Parts = Callable[[int, str], Iterator[tuple[str, Place | None]]]


@dataclass(frozen=True, slots=True)
class PdfReader:
    """Pages that hold nothing at all give neither text nor a Gap."""

    password: str = ""
    drop_running_heads: bool = False

    @property
    def format(self) -> str:
        return "PDF"

    @property
    def version(self) -> str:
        chosen = ", without running heads" if self.drop_running_heads else ""
        if self.password:
            chosen += f", {hashlib.sha256(self.password.encode('utf-8', 'surrogateescape')).hexdigest()}"
        return f"pdf 3, {release('pypdfium2')}, {release('pypdf')}{chosen}"

    def recognises(self, head: bytes, content: Content) -> bool:
        found = _HEADER.search(head[:_HEADER_WITHIN])
        if found is None or found.start() == 0 or _NOT_TEXT.search(head, 0, found.start()):
            return found is not None
        with content.open() as stream:  # a text that shows a PDF's header goes on in its own way
            stream.seek(max(0, content.size - _HEADER_WITHIN))
            return stream.read().rstrip(b"\0 \t\r\n").endswith(b"%%EOF")

    def read(self, content: Content) -> Iterator[Item]:
        cutter, gaps = Cutter(content.name), list[Gap]()
        told = False
        with content.open() as stream, ExitStack() as stack:
            parts, found = _opened(content, stream, self.password, stack)
            pages = _without_gaps(found, gaps)
            for page, text in without_heads(pages) if self.drop_running_heads else pages:
                yield from gaps
                told = told or bool(gaps)
                gaps.clear()
                for part, place in parts(page, text):
                    yield from cutter.cut(part, page, place, last=True)
        yield from gaps
        if not (told or gaps or cutter.start):
            yield Gap(content.name, _NO_TEXT)


def _without_gaps(found: Iterator[Page | Gap], gaps: list[Gap]) -> Iterator[Page]:
    """The pages that have text. What is missing goes to `gaps`."""
    for item in found:
        if isinstance(item, Gap):
            gaps.append(item)
        elif item[1]:
            yield item


def _opened(content: Content, stream: BinaryIO, password: str, stack: ExitStack) -> tuple[Parts, Iterator[Page | Gap]]:
    """What parts the text of a page, and each page's number and text, or why there is none. Good until `stack` ends."""
    import pypdfium2

    name = content.name
    try:
        document = stack.enter_context(closing(pypdfium2.PdfDocument(stream, password or None)))
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY):
            return _whole, iter([Gap(name, _WRONG_PASSWORD if password else ENCRYPTED)])
        return _whole, _pages_by_pypdf(stream, name)
    return Structure(document).parts, _pages(document, content, stream)


def _whole(page: int, text: str) -> Iterator[tuple[str, Place | None]]:  # noqa: ARG001 - as Parts has it
    yield text, None


def _pages(document: "pypdfium2.PdfDocument", content: Content, stream: BinaryIO) -> Iterator[Page | Gap]:
    import pypdfium2

    count, streams = len(document), Streams.of(content)
    for page in range(1, count + 1):
        try:
            yield from _page(document, page, content.name, noted=streams.noted)
        except pypdfium2.PdfiumError:
            yield from _pages_by_pypdf(stream, content.name, page)
            break
    if streams.damaged or streams.pages > count:
        yield from _passed_over(streams, stream, content.name, count)


def _passed_over(streams: Streams, stream: BinaryIO, name: str, count: int) -> Iterator[Page | Gap]:
    """What pdfium, which found so many pages, says nothing of: more pages, and those that are damaged."""
    damage = _by_pypdf()
    try:
        tree = PageTree(_reader(stream))
    except damage:
        yield Gap(name, _BROKEN)
        return
    if tree.circular:
        yield Gap(name, _CIRCLE)
    if len(tree.pages) > count:
        yield from _pages_by_pypdf(stream, name, count + 1)
    for number, page in enumerate(tree.pages, 1):
        try:
            whole = page is None or streams.damaged.isdisjoint(shown(page))
        except damage:
            whole = False
        if not whole:
            yield Gap(name, _DAMAGED, number)


def _page(document: "pypdfium2.PdfDocument", number: int, name: str, *, noted: bool) -> list[Page | Gap]:
    """The text of a page, "" where it is blank, and at its end what is written into its form and its annotations where
    any are `noted`: to look at each link takes long. The page is closed again: open ones keep their memory."""
    import pypdfium2

    with closing(document[number - 1]) as page, closing(page.get_textpage()) as layer:
        notes = "".join(_notes(page)) if noted else ""
        # get_text_bounded would lose what runs over the edge of the page.
        text = layer.get_text_range()
        missing = _GARBLED if _is_unknown(layer) and not _reads_as_words(text) else ""
        text = "" if missing else _clean(text)
        if not (text or missing or pypdfium2.raw.FPDFPage_CountObjects(page) == 0):
            missing = _NO_TEXT
    read: list[Page | Gap] = [Gap(name, missing, number)] if missing else []
    return read if missing and not notes else [*read, (number, text + notes)]


def _notes(page: "pypdfium2.PdfPage") -> Iterator[str]:
    """What is written into the fields of a form, into boxes on the page, and what is noted to it."""
    from pypdfium2 import raw

    for index in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_NOTES)):
        note = raw.FPDFPage_GetAnnot(page, index)
        if not note:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(note)
            key = b"V" if kind == raw.FPDF_ANNOT_WIDGET else b"Contents"
            if kind in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP) or raw.FPDFAnnot_GetFlags(note) & _HIDDEN:
                continue
            if raw.FPDFAnnot_GetValueType(note, key) != raw.FPDF_OBJECT_STRING:  # the state of a box to tick is a name
                continue
            size = raw.FPDFAnnot_GetStringValue(note, key, None, 0)  # bytes of UTF-16, and a zero
            words = (raw.FPDF_WCHAR * (size // 2))()
            raw.FPDFAnnot_GetStringValue(note, key, words, size)
            yield _clean(bytes(words)[:-2].decode("utf-16-le", "replace"))
        finally:
            raw.FPDFPage_CloseAnnot(note)


def _is_unknown(layer: "pypdfium2.PdfTextPage") -> bool:
    """Whether pdfium could only guess what many of the characters are."""
    from pypdfium2.raw import FPDFText_HasUnicodeMapError

    count = layer.count_chars()
    sample = range(0, count, max(1, count // SAMPLE))
    unknown = [at for at in sample if FPDFText_HasUnicodeMapError(layer, at) == 1]
    return len(unknown) > UNKNOWN * len(sample)


def _reads_as_words(text: str) -> bool:
    """Old fonts tell nothing but have Latin letters where everybody has them, so that a guess is right."""
    words = text.split()
    return sum(_WORD.fullmatch(word) is not None for word in words) > len(words) / 2


def _pages_by_pypdf(stream: BinaryIO, name: str, page: int = 1) -> Iterator[Page | Gap]:
    """The pages from `page` on. A page tree may promise more pages than there are: one Gap tells of it."""
    damage = _by_pypdf()
    try:
        reader = _reader(stream)
        locked, pages = reader.is_encrypted, [] if reader.is_encrypted else PageTree(reader).pages
    except damage:
        yield from _pages_of_a_part(stream, name) if page == 1 else [Gap(name, _BROKEN, page)]
        return
    if locked:
        yield Gap(name, ENCRYPTED)
        return
    if len(pages) < page:
        yield Gap(name, _BROKEN, page)
    for number, found in enumerate(pages[page - 1 :], page):
        if found is None:
            yield Gap(name, _MISSING, number)
            continue
        try:
            text = _clean(found.extract_text())
            blank = "/Contents" not in found
        except damage:
            yield Gap(name, _BROKEN, number)
        else:
            yield (number, text) if text or blank else Gap(name, _NO_TEXT, number)


def _by_pypdf() -> tuple[type[Exception], ...]:
    """What pypdf raises over damaged files. Without a handler its warnings would go to standard error."""
    from pypdf.errors import PyPdfError

    logger = logging.getLogger("pypdf")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return (PyPdfError, *_DAMAGE)


def _reader(stream: BinaryIO) -> "pypdf.PdfReader":
    import pypdf

    stream.seek(0)
    return pypdf.PdfReader(stream)


def _pages_of_a_part(stream: BinaryIO, name: str) -> Iterator[Page | Gap]:
    """The pages of a file that neither library opens, as far as they are there."""
    import pypdfium2

    stream.seek(0)
    data = stream.read(MOST_MENDED + 1)
    whole = mended(data) if len(data) <= MOST_MENDED else None
    if whole is None:
        yield Gap(name, _BROKEN)
        return
    yield Gap(name, _CUT)
    try:
        with closing(pypdfium2.PdfDocument(io.BytesIO(whole))) as document:
            for page in range(1, len(document) + 1):
                yield from _page(document, page, name, noted=True)
    except pypdfium2.PdfiumError:
        yield Gap(name, _BROKEN)


def _clean(text: str) -> str:
    """Lines end in "\\n", the last one too; words are joined over the ends of lines. No text is ""."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _LINE_END_HYPHEN.sub("", _LASTING_HYPHEN.sub("-", text))
    text = _NO_CHARACTER.sub("", text)
    return text.removesuffix("\n") + "\n" if text.strip() else ""
