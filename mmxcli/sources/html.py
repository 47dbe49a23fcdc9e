"""HTML pages."""

import re
from collections.abc import Iterator

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.markup import blocks, parsed, title, written
from mmxcli.sources.segment import Gap, Place

_BEGINS = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html\b)", re.I | re.S
)
_DECLARED = re.compile(rb"charset\s*=|encoding\s*=|\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)", re.I)


class HtmlReader:
    """Without scripts, styles and tags. Places are the headings."""

    format = "HTML"

    @property
    def version(self) -> str:
        return f"html 1, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:  # noqa: ARG002 - as the protocol has it
        return _BEGINS.match(head[:4096]) is not None

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            data = stream.read()
        # What says nothing of its encoding is UTF-8 where it can be, and then what HTML has for it.
        declared = _DECLARED.search(data[:4096]) is not None
        root = parsed(data, None if declared else "utf-8" if _is_utf8(data) else "windows-1252")
        cutter, place = Cutter(content.name), None
        if root is not None:
            if name := title(root):
                yield from cutter.cut(f"{name}\n\n", last=True)
            for block in blocks(root):
                if block.level:
                    place = Place(f"under “{' '.join(block.text.split())[:80]}”")
                yield from cutter.cut(written(block), place=place, last=True)
        if not cutter.start:
            yield Gap(content.name, "a page without text")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
