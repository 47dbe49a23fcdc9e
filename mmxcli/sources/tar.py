"""The members of a tar archive, also behind a damaged part and behind the end of another archive."""

import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Self

MOST_HEADER = 1 << 17  # bytes of a member's name, or of what else is told of it; many may follow each other
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_HEADERS = (*_LONG, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


class Tar(tarfile.TarFile):
    """`damaged`: something was passed over that is no header, and no file that has one. `ended`: the last that was
    read is an end, as each archive has one."""

    ignore_zeros = True
    damaged = ended = False

    def __init__(self, stream: BinaryIO) -> None:
        """Raises TarError, ValueError or OSError, as does `walk`."""
        super().__init__(fileobj=stream, tarinfo=_Header)

    def walk(self) -> Iterator[tarfile.TarInfo]:
        while (member := self.next()) is not None:
            self.members: list[tarfile.TarInfo] = []  # it would keep them all
            yield member

    def next(self) -> tarfile.TarInfo | None:
        while True:
            try:
                found = super().next()
                if found is None or self.offset >= found.offset_data:
                    return found
                at = found.offset_data  # a size below zero would lead back, without end
            except (tarfile.TarError, ValueError, LookupError, OverflowError):
                at = self.fileobj.tell()  # behind a header to which no other belongs
                if at == self.offset:
                    raise
            self.damaged |= at > self.offset  # or it has gone beyond the end
            self.offset = at


class _Header(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _HEADERS and not 0 <= found.size <= MOST_HEADER:  # it would be read into memory
            raise tarfile.HeaderError
        return found

    @classmethod
    def fromtarfile(cls, archive: Tar) -> Self:  # type: ignore[override]
        try:
            found = super().fromtarfile(archive)
        except tarfile.InvalidHeaderError:  # type: ignore[attr-defined]
            archive.damaged = True
            raise
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            archive.ended = True
            raise
        except tarfile.TruncatedHeaderError:  # type: ignore[attr-defined]
            archive.ended = False
            raise
        archive.ended = False
        return found


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is one: the oldest kind has no mark but its sum."""
    if head[257:262] == b"ustar":
        return True
    try:
        return bool(tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape").name)
    except (tarfile.TarError, ValueError):
        return False
