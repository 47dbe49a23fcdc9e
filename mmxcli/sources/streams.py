"""Whether the streams of a PDF are whole, by a look at its bytes: pdfium passes over damage without a word, and to
decode each page a second time would take longer than to read it."""

import mmap
import re
import zlib
from contextlib import closing
from dataclasses import dataclass, field

from mmxcli.sources.document import BLOCK, Content

MOST_CHECKED = 1 << 30  # bytes of a file
MOST_UNPACKED = 1 << 26  # bytes of one stream; what is beyond is not looked at
LONGEST_HEAD = 1 << 14  # bytes of the dictionary of a page or stream
STREAM = re.compile(rb"(?<!end)stream\r?\n")
OBJECT = re.compile(rb"(?<!\d)(\d{1,9})\s+\d{1,5}\s+obj\b")
_CONTENTS = re.compile(rb"/Contents\s*(\[[^\]]{0,4000}|\d{1,9}\s+\d{1,5}\s+R)")
PAGE = re.compile(rb"/Type\s*/Page\b")
_REFERENCE = re.compile(rb"(\d{1,9})\s+\d{1,5}\s+R")
_LENGTH = re.compile(rb"/Length\s+(\d{1,10})(?!\s+\d+\s+R)")
_END = re.compile(rb"\s*endstream")
_PACKED = re.compile(rb"/Filter\s*\[?\s*/Fl(?:ateDecode)?\b")
OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")
_NOTE = re.compile(
    rb"/Subtype\s*/(?:Widget|FreeText|Text|Stamp|Highlight|Underline|StrikeOut|Squiggly|Caret|Ink|Line|Square|Circle"
    rb"|Poly[gL]\w+|FileAttachment)\b"
)
# No text is lost with these.
_UNCHECKED = re.compile(rb"/Subtype\s*/(?:Image|Type1C|CIDFontType0C|OpenType)\b|/Length[123]\b|/Type\s*/XRef\b")


@dataclass(slots=True)
class Streams:
    """`damaged`: the numbers of the objects whose stream cannot be unpacked as a whole, and of those that pages refer
    to as their content but that are not there. `pages`: how many pages are there, in the page tree or not. `noted`:
    whether there may be more annotations than links."""

    damaged: set[int] = field(default_factory=set)
    pages: int = 0
    noted: bool = False
    _there: set[int] = field(default_factory=set)
    _wanted: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, content: Content) -> "Streams":
        """In what is encrypted nothing is found but that there may be annotations. Raises OSError."""
        found = cls(noted=True)
        with content.file() as (file, offset):
            begin = offset - offset % mmap.ALLOCATIONGRANULARITY
            size = min(content.size, MOST_CHECKED) + offset - begin
            with closing(mmap.mmap(file, size, access=mmap.ACCESS_READ, offset=begin)) as data:
                if data.find(b"/Encrypt") < 0:
                    found.noted = content.size > MOST_CHECKED
                    found._look(data, offset - begin)
        if content.size <= MOST_CHECKED:
            found.damaged |= found._wanted - found._there
        return found

    def _look(self, data: mmap.mmap, at: int) -> None:
        while match := STREAM.search(data, at):
            number, head = self._objects(data, at, match.start())
            begin, at = match.end(), _after(data, match.end(), head)
            if not _PACKED.search(head) or _UNCHECKED.search(head):
                continue
            whole, inside = unpacked(data, begin, at, keep=OBJECT_STREAM.search(head) is not None)
            if not whole and number:
                self.damaged.add(number)
            self._pages(inside, 0, len(inside))
        self._objects(data, at, len(data))

    def _objects(self, data: mmap.mmap, begin: int, end: int) -> tuple[int, bytes]:
        """Notes what stands between streams, and gives the number of the last object, and what it begins with."""
        self._pages(data, begin, end)
        number = 0
        for found in OBJECT.finditer(data, begin, end):
            number, begin = int(found[1]), found.end()
            self._there.add(number)
        return number, data[max(begin, end - LONGEST_HEAD) : end]

    def _pages(self, data: "mmap.mmap | bytes", begin: int, end: int) -> None:
        self.noted = self.noted or _NOTE.search(data, begin, end) is not None
        self.pages += len(PAGE.findall(data, begin, end))
        for contents in _CONTENTS.finditer(data, begin, end):
            self._wanted.update(map(int, _REFERENCE.findall(contents[1])))


def _after(data: mmap.mmap, begin: int, head: bytes) -> int:
    """Where a stream ends: there where it says, if that is true."""
    length = _LENGTH.search(head)
    if length and _END.match(data, begin + int(length[1])):
        return begin + int(length[1])
    end = data.find(b"endstream", begin)
    return end if end >= 0 else len(data)


def unpacked(data: "mmap.mmap | bytes", begin: int, end: int, *, keep: bool) -> tuple[bool, bytes]:
    """Whether a stream is whole, and what is in it where that is to be kept. A checksum may be missing, not wrong."""
    first = int.from_bytes(data[begin : begin + 2], "big")
    if first % 31 or first >> 8 & 15 != 8:
        return False, b""
    begin += 2
    unpacker, checksum, size, kept = zlib.decompressobj(-zlib.MAX_WBITS), 1, 0, list[bytes]()
    try:
        while not unpacker.eof and size < MOST_UNPACKED and begin < end:
            piece = unpacker.decompress(data[begin : min(begin + BLOCK, end)])
            begin, size, checksum = begin + BLOCK, size + len(piece), zlib.adler32(piece, checksum)
            kept += [piece] if keep else []
    except zlib.error:
        return False, b"".join(kept)
    if not unpacker.eof:
        return size >= MOST_UNPACKED, b"".join(kept)
    rest = min(begin, end) - len(unpacker.unused_data)
    whole = data[rest : rest + 4] == checksum.to_bytes(4, "big") or _END.match(data, rest) is not None
    return whole, b"".join(kept)
