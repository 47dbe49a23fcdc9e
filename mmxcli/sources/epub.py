"""Electronic books: EPUB."""

import posixpath
from collections.abc import Iterator
from typing import Any

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.markup import blocks, parsed, written
from mmxcli.sources.parts import Parts, inside, is_zip, members
from mmxcli.sources.segment import Gap, Place

_PROSE = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


class EpubReader:
    """In the order in which the book is read. Places are its chapters: the entries of its table of contents, else its
    files."""

    format = "EPUB"

    @property
    def version(self) -> str:
        return f"epub 1, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        if not is_zip(head):
            return False
        return b"mimetypeapplication/epub+zip" in head[:200] or "META-INF/container.xml" in members(content)

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            parts = Parts(stream)
            if _locked(parts):
                yield Gap(content.name, "encrypted: its publisher has locked it")
                return
            package = parts.xml("META-INF/container.xml").find(".//{*}rootfile").get("full-path")
            folder, root = posixpath.dirname(package), parts.xml(package)
            items = {item.get("id"): item for item in root.iter("{*}item")}
            named = _contents(parts, folder, items)
            cutter, place, number = Cutter(content.name), None, 0
            for reference in root.iter("{*}itemref"):
                item = items.get(reference.get("idref"))
                if item is None or item.get("media-type") not in _PROSE:
                    continue
                name = inside(folder, item.get("href", ""))
                try:
                    page = parsed(parts.data(name))
                except (KeyError, ValueError, OSError):
                    yield Gap(content.name, f"its part {name} cannot be read")
                    continue
                if name in named or place is None:
                    number += name in named
                    place = Place(f"chapter “{named[name][:80]}”" if name in named else f"part {name}")
                elif not named:
                    place = Place(f"part {name}")
                for block in blocks(page) if page is not None else ():
                    yield from cutter.cut(written(block), place=place, last=True)
        if not cutter.start:
            yield Gap(content.name, "a book without text")


def _locked(parts: Parts) -> bool:
    """Whether more than fonts is encrypted."""
    if "META-INF/encryption.xml" not in parts.names:
        return False
    methods = [one.get("Algorithm", "") for one in parts.xml("META-INF/encryption.xml").iter("{*}EncryptionMethod")]
    return any(method not in _FONTS for method in methods)


def _contents(parts: Parts, folder: str, items: dict[str, Any]) -> dict[str, str]:
    """The table of contents: the title of the first entry for each file."""
    found: dict[str, str] = {}
    for item in items.values():
        name = inside(folder, item.get("href", ""))
        base = posixpath.dirname(name)
        try:
            if "nav" in (item.get("properties") or "").split():
                entries = [(link.get("href"), "".join(link.itertext())) for link in parts.xml(name).iter("{*}a")]
            elif item.get("media-type") == "application/x-dtbncx+xml":
                points = parts.xml(name).iter("{*}navPoint")
                entries = [
                    (point.find("{*}content").get("src"), "".join(point.find("{*}navLabel").itertext()))
                    for point in points
                ]
            else:
                continue
        except (KeyError, ValueError, AttributeError):  # a book can do without
            continue
        for target, words in entries:
            if target and words.strip():
                found.setdefault(inside(base, target), " ".join(words.split()))
    return found
