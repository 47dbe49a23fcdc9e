"""Bytes that come in pieces of any size, as lines of bounded length; what cannot be shown whole is counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mmxcli.errors import UsageError

LONGEST = 8192  # bytes of a line that are kept
_STRANGE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_TELLING = 512  # characters that tell whether a line is text


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1; `text` has no end of line, and no more than LONGEST bytes were decoded for it. `size`
    counts the bytes of all of it, its end included. `readable` is False for what is no text."""

    number: int
    text: str
    size: int
    readable: bool = True


@dataclass(slots=True)
class Lost:
    """What was not, or not wholly, looked at: lines that were too long and how many bytes of them, lines that are no
    text, bytes that are not in the encoding."""

    cut_lines: int = 0
    cut_bytes: int = 0
    binary_lines: int = 0
    undecoded_bytes: int = 0


def is_text(line: str) -> bool:
    """Whether the characters of a line, as they were decoded, are those of a text."""
    begun = line[:_TELLING]
    return len(_STRANGE.findall(begun)) * 10 <= len(begun) * 3


class LineCutter:
    """Cuts bytes into lines at new lines, wherever the pieces part. `number` and `end`, those of the last line and of
    the byte after it, go on from those given."""

    def __init__(self, encoding: str = "utf-8", number: int = 0, end: int = 0, lost: Lost | None = None) -> None:
        """Raises UsageError for an encoding in which a line does not end with the one byte that ends it in ASCII."""
        if "\n".encode(encoding) != b"\n":
            raise UsageError(f"what is followed cannot be in {encoding}: convert it first, as with iconv")
        self.encoding = encoding
        self.number = number
        self.end = end
        self.lost = lost or Lost()
        self._begun = b""
        self._over = 0  # bytes of the line that was begun which are not kept

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that end in `data`."""
        at = 0
        while (stop := data.find(b"\n", at)) >= 0:
            self._take(data[at:stop])
            yield self._line(1)
            at = stop + 1
        self._take(data[at:])

    def rest(self) -> Iterator[Line]:
        """The line that was begun, if there is one: nothing follows it."""
        if self._begun or self._over:
            yield self._line(0)

    def begin(self) -> None:
        """What follows is another file, from its first line on."""
        self.number = self.end = 0

    def _take(self, piece: bytes) -> None:
        room = LONGEST - len(self._begun)
        self._begun += piece[:room]
        self._over += max(0, len(piece) - room)

    def _line(self, ended: int) -> Line:
        kept, over = self._begun, self._over
        self._begun, self._over = b"", 0
        self.number += 1
        size = len(kept) + over + ended
        self.end += size
        if over:
            self.lost.cut_lines += 1
            self.lost.cut_bytes += over
        text, undecoded = self._decoded(kept, cut=over > 0)
        text = text.removesuffix("\r")
        readable = is_text(text)
        self.lost.undecoded_bytes += undecoded if readable else 0
        self.lost.binary_lines += not readable
        return Line(self.number, text, size, readable)

    def _decoded(self, data: bytes, *, cut: bool) -> tuple[str, int]:
        """The text, and how many bytes of it are in no way text; the half of a character at a cut is left out."""
        try:
            return data.decode(self.encoding), 0
        except UnicodeDecodeError as error:
            if cut and error.start >= len(data) - 4:
                return data[: error.start].decode(self.encoding), 0
        text = data.decode(self.encoding, "mmxcli.mark")
        return text.replace("\udc80", "\ufffd"), text.count("\udc80")
