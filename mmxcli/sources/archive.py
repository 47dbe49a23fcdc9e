"""Archives and compressed files: what is in them, unpacked once into a file without a name."""

import bz2
import gzip
import lzma
import posixpath
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO, BinaryIO, cast

from mmxcli.sources.document import BLOCK, ENCRYPTED, Content, unreadable
from mmxcli.sources.parts import MOST_MEMBERS, is_zip, listed
from mmxcli.sources.segment import Gap
from mmxcli.sources.spool import Slice, Spool

MOST_DEPTH = 4  # archives in archives
RATIO = 200  # times the packed size that an archive may unpack to; logs reach 50
ALWAYS = 100 << 20  # bytes that any archive may unpack to
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, ValueError, NotImplementedError),
    *(OSError, RuntimeError, UnicodeError, KeyError, OverflowError),
)


def _zstd(stream: BinaryIO) -> BinaryIO:
    import zstandard

    # A window as large as the format's own program takes unasked.
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(stream, read_across_frames=True)
    return cast(BinaryIO, reader)


_COMPRESSED: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda stream: cast(BinaryIO, gzip.GzipFile(fileobj=stream)),
    b"BZh": lambda stream: cast(BinaryIO, bz2.BZ2File(stream)),
    b"\xfd7zXZ\0": lambda stream: cast(BinaryIO, lzma.LZMAFile(stream)),  # noqa: SIM115 - closed by whoever opened it
    b"\x28\xb5\x2f\xfd": _zstd,
}


def is_archive(head: bytes) -> bool:
    return is_zip(head) or _is_tar(head) or any(map(head.startswith, _COMPRESSED))


@dataclass
class Budget:
    """Bytes that may still be unpacked, from an archive and all that are in it. `deep`: whether it was told that some
    are too deep in it."""

    left: int
    deep: bool = False

    @classmethod
    def of(cls, content: Content) -> "Budget":
        return cls(max(ALWAYS, RATIO * content.size))


def unpacked(content: Content, head: bytes, budget: Budget) -> Iterator[Content | Gap]:
    """What an archive, or a compressed file, holds: its members by their names in their order, without hidden ones, and
    a Gap for each that cannot be had. Raises MmxError where the disk is full."""
    try:
        with content.open() as stream:
            room = _Room(budget)
            if is_zip(head):
                yield from _zip(stream, content, room)
            elif _is_tar(head):
                yield from _tar(stream, content, room)
            else:
                yield from _decompressed(stream, content, head, room)
    except _damage() as error:
        yield Gap(content.name, _reason(error))


@dataclass
class _Room:
    """Where members are put, one after the other."""

    budget: Budget
    spool: Spool = field(default_factory=Spool)

    def put(self, stream: BinaryIO, name: str) -> Iterator[Slice | Gap]:
        """What comes, as far as it is whole and there is room, and why there is no more. Raises MmxError where the disk
        is full."""
        start, reason = self.spool.size, ""
        try:
            while block := stream.read(BLOCK):
                self.budget.left -= len(block)
                if self.budget.left < 0:
                    yield Gap(name, f"unpacks to more than {RATIO} times its size: not read from here on")
                    return
                self.spool.write(block, name)
        except _damage() as error:
            reason = _reason(error)
        if self.spool.size > start or not reason:
            yield self.spool.since(start, name)
        if reason:
            yield Gap(name, reason)


def _zip(stream: BinaryIO, content: Content, room: _Room) -> Iterator[Content | Gap]:
    count = listed(stream, content.size)
    if count < 0 or count > MOST_MEMBERS:
        yield Gap(content.name, "broken archive" if count < 0 else f"an archive of more than {MOST_MEMBERS:,} files")
        return
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if member.is_dir() or _hidden(member.filename):
                continue
            name = _name(content, member.filename)
            if member.flag_bits & 1:
                yield Gap(name, ENCRYPTED)
                continue
            yield from _put(partial(archive.open, member), name, room)
            if room.budget.left < 0:
                return


def _tar(stream: BinaryIO, content: Content, room: _Room) -> Iterator[Content | Gap]:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for count, member in enumerate(archive):
            if count == MOST_MEMBERS:
                yield Gap(content.name, f"an archive of more than {MOST_MEMBERS:,} files: the others are not read")
                return
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            if member.isdir() or _hidden(member.name):
                continue
            name = _name(content, member.name)
            if not member.isreg():
                yield Gap(name, "a link or a device in an archive")
                continue
            yield from _put(partial(archive.extractfile, member), name, room)
            if room.budget.left < 0:
                return


def _decompressed(stream: BinaryIO, content: Content, head: bytes, room: _Room) -> Iterator[Content | Gap]:
    """The one file within, or the members of the tar archive that it is."""
    opener = next(opener for magic, opener in _COMPRESSED.items() if head.startswith(magic))
    base = posixpath.basename(content.name)
    stem, dot, suffix = base.rpartition(".")
    inner = f"{stem}.tar" if suffix.lower() in ("tgz", "txz", "tbz2", "tzst") else stem if dot and stem else base
    for found in list(_put(partial(opener, stream), _name(content, inner), room)):
        if isinstance(found, Slice) and _begins_as_tar(found):
            with found.open() as archive:
                yield from _tar(archive, content, _Room(Budget(2 * found.size)))  # these bytes were counted
        else:
            yield found


def _begins_as_tar(found: Slice) -> bool:
    with found.open() as stream:
        return _is_tar(stream.read(512))


def _put(open: Callable[[], IO[bytes] | None], name: str, room: _Room) -> Iterator[Slice | Gap]:
    """A member that is opened so. Raises what `_Room.put` raises."""
    try:
        stream = cast("BinaryIO | None", open())
    except _damage() as error:
        yield Gap(name, _reason(error))
        return
    if stream is None:
        yield Gap(name, "broken archive")
        return
    try:
        yield from room.put(stream, name)
    finally:
        with suppress(*_damage()):
            stream.close()


def _damage() -> tuple[type[Exception], ...]:
    """What libraries raise over archives that are broken."""
    if zstandard := sys.modules.get("zstandard"):
        return (*_DAMAGE, zstandard.ZstdError)
    return _DAMAGE


def _reason(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return "packed in a way that cannot be unpacked here"
    if isinstance(error, EOFError) or "ended before" in str(error):
        return "broken archive: it ends too early"
    return unreadable(error) if isinstance(error, OSError) and error.errno else "broken archive"


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _hidden(name: str) -> bool:
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def _name(content: Content, member: str) -> str:
    """What a person finds it by. The name is never one on the disk."""
    plain = member.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return f"{content.name}/{posixpath.normpath('/' + plain).lstrip('/')}"
