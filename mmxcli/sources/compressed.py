"""Compressed streams, one after the other, in small pieces: what came before any damage is not lost with it."""

import bz2
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

PIECE = 1 << 12  # bytes that are read, and unpacked, at a time: what damage takes with it


class FollowedError(ValueError):
    """Something else stands behind the last stream."""


@dataclass(frozen=True, slots=True)
class Compression:
    """How a stream begins, what unpacks one, how many bytes it is given at a time, and how many it may give."""

    magic: re.Pattern[bytes]
    unpacker: Callable[[], Any]
    step: int = PIECE
    most: tuple[int, ...] = (PIECE,)

    def unpacked(self, stream: BinaryIO) -> Iterator[bytes]:
        """What the streams hold. Raises EOFError where the last has no end, FollowedError, and what `damage` tells."""
        data = stream.read(self.step)
        while data:
            if not self.magic.match(data):
                raise FollowedError
            unpacker, given = self.unpacker(), True
            while not unpacker.eof:
                if not data and not given and getattr(unpacker, "needs_input", True):
                    raise EOFError
                piece = unpacker.decompress(data, *self.most)
                given = bool(piece)
                if piece:
                    yield piece
                data = getattr(unpacker, "unconsumed_tail", b"")
                if not (data or unpacker.eof) and getattr(unpacker, "needs_input", True):
                    data = stream.read(self.step)
            data = unpacker.unused_data.lstrip(b"\0")  # the padding of tapes and of xz
            while not data and (block := stream.read(self.step)):
                data = block.lstrip(b"\0")
            data += stream.read(self.step) if len(data) < 8 else b""  # the beginning of the next, whole


def _zstd() -> Any:
    import zstandard

    # A window as large as the format's own program takes unasked.
    return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()


BZIP2 = Compression(re.compile(rb"BZh[1-9]"), bz2.BZ2Decompressor)
_ALL = (
    BZIP2,
    Compression(re.compile(rb"\x1f\x8b"), lambda: zlib.decompressobj(wbits=31)),
    Compression(re.compile(rb"\xfd7zXZ\0"), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    # It gives all that it can, up to 128 KiB for 4 bytes. What may be skipped is a stream of its own.
    Compression(re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.S), _zstd, 1 << 10, ()),
)


def compression(head: bytes) -> Compression | None:
    """That of a file which begins so; None where it is not compressed."""
    return next((one for one in _ALL if one.magic.match(head)), None)


def damage() -> tuple[type[Exception], ...]:
    """What the libraries raise over streams that are broken."""
    zstandard = sys.modules.get("zstandard")
    return (zlib.error, lzma.LZMAError, EOFError, ValueError, OSError, *([zstandard.ZstdError] if zstandard else []))
