"""Archives and compressed files: what is in them, unpacked once into a file without a name."""

import os
import posixpath
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, BinaryIO

from mmxcli.sources.compressed import BZIP2, PIECE, Compression, FollowedError, compression, damage
from mmxcli.sources.document import ENCRYPTED, Content, unreadable
from mmxcli.sources.parts import MOST_MEMBERS, is_zip, listed, names_in
from mmxcli.sources.segment import Gap
from mmxcli.sources.spool import Slice, Spool
from mmxcli.sources.tar import Tar, is_tar

MOST_DEPTH = 4  # archives in archives
RATIO = 200  # times the packed size that an archive may unpack to; logs reach 50
ALWAYS = 100 << 20  # bytes that any archive may unpack to
_TOO_MUCH = f"unpacks to more than {RATIO} times the size of the archive: not read"
_EARLY = "broken archive: it ends too early"


def is_archive(head: bytes) -> bool:
    return is_zip(head) or is_tar(head) or compression(head) is not None


def ends_as_zip(content: Content) -> bool:
    """Whether it is a zip file behind something else, such as the program that unpacks it. Raises OSError."""
    with content.open() as stream:
        return bool(names_in(stream, content.size))


@dataclass
class Budget:
    """Bytes that may still be unpacked, from an archive and all that are in it. `deep`: whether it was told that some
    are too deep in it."""

    whole: int
    deep: bool = False

    def __post_init__(self) -> None:
        self.left = self.whole

    @classmethod
    def of(cls, content: Content) -> "Budget":
        return cls(max(ALWAYS, RATIO * content.size))

    @property
    def untold(self) -> int:
        """Bytes that what does not tell its size may unpack to: in an archive half of what is left, so that the others
        in it still find room."""
        return self.left if self.left == self.whole else self.left // 2


def unpacked(content: Content, head: bytes, budget: Budget) -> Iterator[Content | Gap]:
    """What an archive, or a compressed file, holds: its members by their names in their order, without hidden ones, and
    a Gap for each that cannot be had. Raises MmxError where the disk is full."""
    room = _Room(budget)
    try:
        with content.open() as stream:
            if packed := compression(head):
                yield from _decompressed(stream, content, packed, room)
            elif is_tar(head):
                yield from _tar(stream, content, room)
            else:
                yield from _zip(stream, content, room)
    except _damage() as error:
        yield Gap(content.name, _reason(error))


@dataclass
class _Room:
    """Where members are put, one after the other."""

    budget: Budget
    spool: Spool = field(default_factory=Spool)

    def member(self, blocks: Iterator[bytes], size: int, name: str) -> Iterator[Slice | Gap]:
        """What says that it has this `size`: nothing is unpacked where there is no room for it. Raises MmxError where
        the disk is full."""
        if size > self.budget.left:
            yield Gap(name, _TOO_MUCH)
        else:
            yield from self.put(blocks, size, name)

    def put(self, blocks: Iterable[bytes], most: int, name: str) -> Iterator[Slice | Gap]:
        """What comes, as far as it is whole and there is room, and why there is no more. Raises MmxError where the disk
        is full."""
        start, reason = self.spool.size, ""
        try:
            for block in blocks:
                if self.spool.size - start + len(block) > most:
                    reason = _TOO_MUCH
                    break
                self.budget.left -= len(block)
                self.spool.write(block, name)
        except _damage() as error:
            reason = _reason(error)
        if self.spool.size > start or not reason:
            yield self.spool.since(start, name)
        if reason:
            yield Gap(name, reason)


def _blocks(open: Callable[[], IO[bytes] | None]) -> Iterator[bytes]:
    stream = open()
    if stream is None:
        raise tarfile.ReadError
    with stream:
        while block := stream.read(PIECE):
            yield block


def _zip(stream: BinaryIO, content: Content, room: _Room) -> Iterator[Content | Gap]:
    count = listed(stream, content.size)
    if count < 0 or count > MOST_MEMBERS:
        yield Gap(content.name, "broken archive" if count < 0 else f"an archive of more than {MOST_MEMBERS:,} files")
        return
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if member.filename.endswith("/") or _hidden(member.filename):
                continue
            name = _name(content, member.filename)
            if member.flag_bits & 1:
                yield Gap(name, ENCRYPTED)
            elif member.compress_type == zipfile.ZIP_BZIP2:
                yield from room.member(_bzip2(content, member), member.file_size, name)
            else:
                yield from room.member(_blocks(partial(archive.open, member)), member.file_size, name)


def _bzip2(content: Content, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """In pieces, of which zipfile knows nothing here: a few bytes may be gigabytes."""
    with content.file() as (file, offset):
        start = offset + member.header_offset
        name, extra = struct.unpack("<26x2H", os.pread(file, 30, start))
        packed = Slice(member.filename, member.compress_size, file, start + 30 + name + extra)
        with packed.open() as stream:
            yield from BZIP2.unpacked(stream)


def _tar(stream: BinaryIO, content: Content, room: _Room, cut: str = "") -> Iterator[Content | Gap]:
    """`cut`: why it ends early, where that is told already."""
    with Tar(stream) as archive:
        for count, member in enumerate(archive.walk()):
            if count == MOST_MEMBERS:
                yield Gap(content.name, f"an archive of more than {MOST_MEMBERS:,} files: the others are not read")
                return
            if member.isdir() or _hidden(member.name):
                continue
            name = _name(content, member.name)
            if not member.isreg():
                yield Gap(name, "a link or a device in an archive")
                continue
            there = content.size - member.offset_data
            whole = member.issparse() or member.size <= there
            member.size = member.size if whole else max(0, there)
            if whole or (member.size and cut != _TOO_MUCH):
                yield from room.member(_blocks(partial(archive.extractfile, member)), member.size, name)
            if not whole:
                yield Gap(name, cut or _EARLY)
        if archive.damaged:
            yield Gap(content.name, "broken archive: a part of it belongs to no file that can be found")
        if not archive.ended and not cut:
            yield Gap(content.name, _EARLY)


def _decompressed(stream: BinaryIO, content: Content, packed: Compression, room: _Room) -> Iterator[Content | Gap]:
    """The one file within, or the members of the tar archive that it is."""
    base = posixpath.basename(content.name)
    stem, dot, suffix = base.rpartition(".")
    inner = f"{stem}.tar" if suffix.lower() in ("tgz", "txz", "tbz2", "tzst") else stem if dot and stem else base
    found = list(room.put(packed.unpacked(stream), room.budget.untold, _name(content, inner)))
    reason = next((one.reason for one in found if isinstance(one, Gap)), "")
    for one in found:
        if isinstance(one, Slice) and _begins_as_tar(one):
            with one.open() as archive:  # its bytes were counted
                yield from _tar(archive, replace(one, name=content.name), _Room(Budget(2 * one.size)), reason)
        elif isinstance(one, Gap) or reason != _TOO_MUCH:  # nobody reads the beginning of a bomb
            yield one


def _begins_as_tar(found: Slice) -> bool:
    with found.open() as stream:
        return is_tar(stream.read(tarfile.BLOCKSIZE))


def _damage() -> tuple[type[Exception], ...]:
    """What libraries raise over archives that are broken."""
    return (
        *(*damage(), zipfile.BadZipFile, tarfile.TarError),
        *(NotImplementedError, RuntimeError, LookupError, OverflowError, struct.error),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return "packed in a way that cannot be unpacked here"
    if isinstance(error, FollowedError):
        return "something else follows what is packed: it is not read"
    if isinstance(error, EOFError):
        return _EARLY
    return unreadable(error) if isinstance(error, OSError) and error.errno else "broken archive"


def _hidden(name: str) -> bool:
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def _name(content: Content, member: str) -> str:
    """What a person finds it by. The name is never one on the disk."""
    plain = member.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return f"{content.name}/{posixpath.normpath('/' + plain).lstrip('/')}"
