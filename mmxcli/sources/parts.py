"""What EPUB and office documents have in common: a zip file whose members refer to each other."""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import unquote

from mmxcli.sources.document import Content

MOST_MEMBER = 1 << 28  # bytes of one member, unpacked
MOST_MEMBERS = 100_000
_END = struct.Struct("<4s4H2LH")


def is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def members(content: Content) -> list[str]:
    """The names in a zip file; none where it is none, or has more than anybody's."""
    with content.open() as stream:
        return names_in(stream, content.size)


def names_in(stream: BinaryIO, size: int) -> list[str]:
    if not 0 < listed(stream, size) <= MOST_MEMBERS:
        return []
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return []


def listed(stream: BinaryIO, size: int) -> int:
    """How many members a zip file says it has, looked up without reading its list; -1 where it is none, and where the
    list is larger than that of so many members can be."""
    tail = min(size, _END.size + 65_535)
    stream.seek(size - tail)
    data = stream.read(tail)
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or len(data) - at < _END.size:
        return -1
    _, _, _, _, count, length, _, _ = _END.unpack_from(data, at)
    stream.seek(0)
    if count == 0xFFFF or length == 0xFFFFFFFF:  # the 64-bit form tells the true ones
        locator = data.rfind(b"PK\x06\x06", 0, at)
        if locator < 0 or len(data) - locator < 56:
            return -1
        count, length = struct.unpack_from("<32xQQ", data, locator)
    return int(count) if length <= 512 * MOST_MEMBERS else -1


class Parts:
    """The members of a zip file, by their names."""

    def __init__(self, stream: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(stream)
        self.names = set(self._archive.namelist())

    def data(self, name: str) -> bytes:
        """The bytes of a member. Raises KeyError where there is none, ValueError where it is broken, or larger than
        any."""
        try:
            with self._archive.open(name) as member:
                data = member.read(MOST_MEMBER + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise ValueError(f"{name} is broken") from error
        if len(data) > MOST_MEMBER:
            raise ValueError(f"{name} is too large")
        return data

    def xml(self, name: str) -> Any:
        """The root of an XML member. No entity of its own making is resolved, nothing is fetched."""
        return xml(self.data(name))

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The relations of an office member: by their ids, the kind and the name of the other member."""
        folder, base = posixpath.split(name)
        try:
            root = self.xml(f"{folder}/_rels/{base}.rels")
        except KeyError:
            return {}
        return {
            str(one.get("Id")): (
                str(one.get("Type", "")).rsplit("/", 1)[-1],
                inside(folder, str(one.get("Target", ""))),
            )
            for one in root
        }


def xml(data: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, recover=True
    )
    root = etree.fromstring(data, parser)
    if root is None:
        raise ValueError("no XML")
    return root


def inside(folder: str, target: str) -> str:
    """The name of the member that a reference from `folder` leads to."""
    target = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join(folder, target)).lstrip("/") if target[:1] != "/" else target[1:]


def texts(element: Any, wanted: str) -> Iterator[str]:
    """The text of all elements of this local name below."""
    for one in element.iter(f"{{*}}{wanted}"):
        yield one.text or ""
