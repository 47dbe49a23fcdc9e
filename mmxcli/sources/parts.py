"""What EPUB and office documents have in common: a zip file whose members refer to each other."""

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import IO, Any, BinaryIO
from urllib.parse import unquote

from mmxcli.sources.document import Content

MOST_MEMBER = 1 << 28  # bytes of one member, unpacked
MOST_WALKED = 1 << 32  # bytes of one member that is never held as a whole
MOST_MEMBERS = 100_000
_END = struct.Struct("<4s4H2LH")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError)
_DAMAGED = "is damaged"
_PARSED: dict[str, Any] = {"resolve_entities": False, "no_network": True, "huge_tree": True, "recover": True}


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
    """The members of a zip file, by their names. `damaged`: those that were not read to their ends, and why."""

    def __init__(self, stream: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(stream)
        self.names = set(self._archive.namelist())
        self.damaged: dict[str, str] = {}

    def data(self, name: str) -> bytes:
        """The bytes of a member. Raises KeyError where there is none, ValueError where it is damaged or larger than
        any."""
        with closing(self._opened(name, MOST_MEMBER)) as member:
            data = member.read()
        if reason := self.damaged.pop(name, ""):
            raise ValueError(f"{name} {reason}")
        return data

    def xml(self, name: str) -> Any:
        """The root of an XML member, as far as that is whole. No entity of its own making is resolved, nothing is
        fetched. Raises KeyError where there is no such member, ValueError where there is no XML in it."""
        from lxml import etree

        parser = etree.XMLParser(**_PARSED, remove_comments=True)
        with closing(self._opened(name, MOST_MEMBER)) as member:
            try:
                root = etree.parse(member, parser).getroot()
            except etree.XMLSyntaxError:  # nothing in it
                root = None
        if root is None:
            self.damaged[name] = _DAMAGED
            raise ValueError(f"{name} holds no XML")
        self._judge(name, root, parser.error_log)
        return root

    def walk(self, name: str, *ends: str) -> Iterator[tuple[str, Any, str]]:
        """The beginning ("start") and the end ("end") of each element of an XML member, as far as that is whole, with
        its local name; or only the ends of those with these names, which takes a fraction of the time. Raises
        KeyError."""
        from lxml import etree

        with closing(self._opened(name, MOST_WALKED)) as member:
            chosen: dict[str, Any] = {"tag": [f"{{*}}{end}" for end in ends]} if ends else {}
            walk = etree.iterparse(member, events=("end",) if ends else ("start", "end"), **chosen, **_PARSED)
            try:
                for event, element in walk:
                    yield event, element, local(element)
            except etree.XMLSyntaxError:
                self.damaged[name] = _DAMAGED
            else:
                self._judge(name, walk.root, walk.error_log)

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The relations of an office member: by their ids, the kind and the name of the other member."""
        folder, base = posixpath.split(name)
        try:
            root = self.xml(f"{folder}/_rels/{base}.rels")
        except (KeyError, ValueError):
            return {}
        return {
            str(one.get("Id")): (
                str(one.get("Type", "")).rsplit("/", 1)[-1],
                inside(folder, str(one.get("Target", ""))),
            )
            for one in root
        }

    def _opened(self, name: str, most: int) -> "_Member":
        try:
            stream = self._archive.open(name)
            stream._expected_crc = None  # type: ignore[attr-defined]  # it would keep back what a wrong one stands for
            return _Member(self, name, stream, most, self._archive.getinfo(name).CRC)
        except (*_BROKEN, NotImplementedError, RuntimeError):  # a way of packing that is unknown, or a password
            self.damaged[name] = _DAMAGED
            return _Member(self, name, io.BytesIO(), most, 0)

    def _judge(self, name: str, root: Any, errors: Any) -> None:
        """Notes what the parser had to pass over. Office programs write no entities: where there are, text is lost."""
        if root is None or len(errors.filter_from_fatals()) or root.getroottree().docinfo.internalDTD is not None:
            self.damaged.setdefault(name, _DAMAGED)


class _Member:
    """What is unpacked of a member: it ends where that is damaged, or larger than any."""

    def __init__(self, parts: Parts, name: str, stream: IO[bytes], most: int, checksum: int) -> None:
        self._parts, self._name, self._stream, self._left = parts, name, stream, most
        self._checksum, self._so_far = checksum, 0

    def read(self, size: int = -1) -> bytes:
        wanted = self._left + 1 if size < 0 else size
        try:
            data = self._stream.read(wanted)
        except _BROKEN:
            self._parts.damaged[self._name] = _DAMAGED
            return b""
        self._left -= len(data)
        self._so_far = zlib.crc32(data, self._so_far)
        if self._left < 0:
            self._parts.damaged[self._name] = "is too large"
            return b""
        if len(data) < wanted and self._so_far != self._checksum:
            self._parts.damaged[self._name] = _DAMAGED
        return data

    def close(self) -> None:
        self._stream.close()


def local(element: Any) -> str:
    """The name of an element without its namespace, also where the prefix stands for none; "" of what is none."""
    return element.tag.rpartition("}")[2].rpartition(":")[2] if isinstance(element.tag, str) else ""


def inside(folder: str, target: str) -> str:
    """The name of the member that a reference from `folder` leads to."""
    target = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join(folder, target)).lstrip("/") if target[:1] != "/" else target[1:]
