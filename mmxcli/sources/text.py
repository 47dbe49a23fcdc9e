"""Plain text, in whatever encoding."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from mmxcli.sources.archive import is_archive
from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, blocks, release
from mmxcli.sources.encoding import Encoding, encoding_of
from mmxcli.sources.segment import Gap, Remark

# Stands for one byte that does not decode. No decoder gives it for valid input: it is half a surrogate pair.
UNDECODED = "\udc80"


def _mark_undecoded(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODED * (error.end - error.start), error.end


codecs.register_error("mmxcli.mark", _mark_undecoded)


class TextReader:
    """Offsets count the characters of the decoded file, in which "\\r\\n" is two. With an `encoding`, what does not say
    its own is in this one; else it is found out by `find`."""

    format = "text"

    def __init__(self, encoding: str | None = None, find: Callable[..., Encoding | None] = encoding_of) -> None:
        self._encoding = encoding
        self._find = find

    @property
    def version(self) -> str:
        return f"text 4, {self._encoding or release('chardet')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        # The head of a tar is zeros and names, and what follows may be a long text.
        return self._of(head, whole=len(head) >= content.size) is not None and not (b"\0" in head and is_archive(head))

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            head = _telling(blocks(stream, content.size))
            encoding = self._of(head, whole=len(head) >= content.size) or Encoding(self._encoding or "UTF-8")
            if encoding.sure < 1:
                yield Remark(content.name, f"read as {encoding.name}, {encoding.sure:.0%} sure (--encoding overrules)")
            stream.seek(0)
            returns = _ends_in_returns(blocks(stream, content.size))
            stream.seek(0)
            decoder, cutter = _decoder(encoding), Cutter(content.name)
            missing, undecoded, first_line, zeros = content.size, 0, 0, 0
            for block in chain(blocks(stream, content.size), [b""]):
                missing -= len(block)
                text = decoder.decode(block, final=not block)
                if returns:
                    text = text.replace("\r", "\n")
                if found := text.count("\0"):
                    zeros += found
                    text = text.replace("\0", "\ufffd")
                for segment in cutter.cut(text, last=not block):
                    before, mark, _ = segment.text.partition(UNDECODED)
                    if not mark:
                        yield segment
                        continue
                    first_line = first_line or segment.line + before.count("\n")
                    undecoded += segment.text.count(UNDECODED)
                    yield replace(segment, text=segment.text.replace(UNDECODED, "\ufffd"))
        if zeros:
            yield Remark(content.name, f"{zeros:,} zero characters in it, shown as \ufffd")
        if undecoded:
            yield Gap(content.name, f"{undecoded} bytes are not {encoding.name}, the first on line {first_line}")
        if missing:
            yield Gap(content.name, f"lost its last {missing} bytes while it was read")
        elif not cutter.start:
            yield Gap(content.name, "empty")

    def _of(self, head: bytes, *, whole: bool) -> Encoding | None:
        found = self._find(head, whole=whole)
        return Encoding(self._encoding) if self._encoding and found and not found.marked else found


def _telling(found: Iterator[bytes]) -> bytes:
    """The first block; of a text that begins in ASCII, the first in which there is something else, and what follows."""
    head = next(found, b"")
    if not head.isascii():
        return head
    for block in found:
        if not block.isascii():
            after = next(found, b"")
            return block[_first(block) :] + after
    return head


def _ends_in_returns(found: Iterator[bytes]) -> bool:
    """Whether all lines end in "\\r", as on old Macs. Each is a "\\n" then, so that lines can be counted."""
    first = next(found, b"")
    return b"\r" in first and b"\n" not in first and not any(b"\n" in block for block in found)


def _first(block: bytes) -> int:
    """Where the line begins that holds the first byte beyond ASCII."""
    at = len(block) - len(block.lstrip(bytes(range(128))))
    return block.rfind(b"\n", 0, at) + 1


def _decoder(encoding: Encoding) -> codecs.IncrementalDecoder:
    """Drops the byte order mark and leaves every line's end as it is."""
    name = "UTF-8-SIG" if encoding.name.upper() == "UTF-8" else encoding.name
    return codecs.getincrementaldecoder(name)("mmxcli.mark")
