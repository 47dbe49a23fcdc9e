"""HTML pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.markup import Block, blocks, written
from mmxcli.sources.segment import Gap, Place

_BEGINS = re.compile(
    rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?xml[^>]*>\s*)?(?>(?:<!--.*?-->\s*)*)(?:<!doctype\s+html|<html\b)",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class HtmlReader:
    """Without scripts, styles and tags. Places are the headings. `encoding`: of all pages without a byte order mark;
    None: as they say themselves, or as it is found out."""

    encoding: str | None = None

    @property
    def format(self) -> str:
        return "HTML"

    @property
    def version(self) -> str:
        return f"html 2, {release('lxml')}, {self.encoding or release('chardet')}"

    def recognises(self, head: bytes, content: Content) -> bool:  # noqa: ARG002 - as the protocol has it
        return _BEGINS.match(head[:4096].replace(b"\0", b"")) is not None  # the halves of wide characters

    def read(self, content: Content) -> Iterator[Item]:
        cutter, place = Cutter(content.name), None
        for item in blocks(content, self.encoding):
            if isinstance(item, Block):
                if item.level:
                    place = Place(f"under “{' '.join(item.text.split())[:80]}”")
                yield from cutter.cut(written(item), place=place, last=True)
            else:
                yield item
        if not cutter.start:
            yield Gap(content.name, "a page without text")
