"""Plain text: UTF-8, or UTF-16 and UTF-32 where a byte order mark says so."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import BLOCK, Content, blocks
from mmxcli.sources.segment import Gap, Segment

# Stands for one byte that does not decode. No decoder gives it for valid input: it is half a surrogate pair.
_UNDECODED = "\udc80"
# Text holds no other control characters than backspace, tab, the ends of lines and pages, and escape.
_UNUSUAL = re.compile(f"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f{_UNDECODED}]")
_MARKS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def _mark_undecoded(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _UNDECODED * (error.end - error.start), error.end


codecs.register_error("mmxcli.mark", _mark_undecoded)


def _encoding(head: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "UTF-8")


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    """Drops the byte order mark and leaves every line's end as it is."""
    name = "UTF-8-SIG" if encoding == "UTF-8" else encoding
    return codecs.getincrementaldecoder(name)("mmxcli.mark")


class TextReader:
    """Offsets count the characters of the decoded file, in which "\\r\\n" is two."""

    version = "text 1"

    def recognises(self, head: bytes) -> bool:
        """What has a NUL character, or is for a third of it no text, is something else."""
        encoding = _encoding(head)
        if encoding == "UTF-8" and b"\0" in head:  # most of what is not text: no need to decode it
            return False
        text = _decoder(encoding).decode(head, final=len(head) < BLOCK)
        return "\0" not in text and len(_UNUSUAL.findall(text)) * 10 <= len(text) * 3

    def read(self, content: Content) -> Iterator[Segment | Gap]:
        with content.open() as stream:
            encoding = _encoding(stream.read(4))
            stream.seek(0)
            decoder, cutter = _decoder(encoding), Cutter(content.name)
            missing, undecoded, first_line = content.size, 0, 0
            for block in chain(blocks(stream, content.size), [b""]):
                missing -= len(block)
                for segment in cutter.cut(decoder.decode(block, final=not block), last=not block):
                    before, mark, _ = segment.text.partition(_UNDECODED)
                    if not mark:
                        yield segment
                        continue
                    first_line = first_line or segment.line + before.count("\n")
                    undecoded += segment.text.count(_UNDECODED)
                    yield replace(segment, text=segment.text.replace(_UNDECODED, "\ufffd"))
        if undecoded:
            yield Gap(content.name, f"{undecoded} bytes are not {encoding}, the first on line {first_line}")
        if missing:
            yield Gap(content.name, f"lost its last {missing} bytes while it was read")
        elif not cutter.start:
            yield Gap(content.name, "empty")
