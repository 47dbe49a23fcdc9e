"""Office documents behind a password: DOCX, PPTX and XLSX, which all look the same then."""

import struct
from collections.abc import Iterator

from mmxcli.sources.document import BLOCK, Content, Item
from mmxcli.sources.segment import Gap
from mmxcli.sources.sheets import OLE

_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class LockedReader:
    """Reads nothing, and tells why."""

    format = "encrypted office document"
    version = "locked 1"

    def recognises(self, head: bytes, content: Content) -> bool:
        """The names of what is in such a file stand where its header says, mostly in one piece."""
        if not head.startswith(OLE) or len(head) < 512:
            return False
        (shift,), (sector,) = struct.unpack_from("<H", head, 30), struct.unpack_from("<I", head, 48)
        if shift not in (9, 12):
            return False
        with content.open() as stream:
            stream.seek((sector + 1) << shift)
            return _PACKAGE in stream.read(BLOCK)

    def read(self, content: Content) -> Iterator[Item]:
        yield Gap(content.name, "encrypted: save it without a password to have it read")
