"""Electronic books: EPUB."""

import posixpath
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Held, Item, release
from mmxcli.sources.markup import Block, blocks, written
from mmxcli.sources.parts import Parts, inside, is_zip, members
from mmxcli.sources.segment import Gap, Place, Remark

MOST_FALLBACKS = 9  # of a part to a part to a part …
MOST_NAMES = 9  # told of those that are missing
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


class EpubReader:
    """In the order in which the book is read. Places are its chapters: the entries of its table of contents, else its
    files."""

    format = "EPUB"

    @property
    def version(self) -> str:
        return f"epub 2, {release('lxml')}, {release('chardet')}"

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
            chapters = _contents(parts, folder, items)
            cutter, place, missing = Cutter(content.name), None, dict[str, None]()
            for reference in root.iter("{*}itemref"):
                item = items.get(reference.get("idref"))
                if item is None:
                    missing[reference.get("idref", "")] = None
                    continue
                name = inside(folder, item.get("href", ""))
                page = _markup(item, items)
                if page is None:
                    yield Gap(content.name, f"its part {name} is {item.get('media-type')}, which is not read")
                    continue
                name = inside(folder, page.get("href", ""))
                here = chapters.get(name, {})
                try:
                    found = list(blocks(Held(name, parts.data(name)), anchors=here))
                except (KeyError, ValueError, OSError):
                    yield Gap(content.name, f"its part {name} cannot be read")
                    continue
                first = next(iter(here), None)
                if first is not None and first not in (one.anchor for one in found if isinstance(one, Block)):
                    place = _chapter(here[first])
                elif place is None or not chapters:
                    place = Place(f"part {name}")
                for one in found:
                    if not isinstance(one, Block):
                        yield _of_part(one, content.name, name)
                    elif not one.title:
                        place = place if one.anchor is None else _chapter(here[one.anchor])
                        yield from cutter.cut(written(one), place=place, last=True)
        if missing:
            names = ", ".join(list(missing)[:MOST_NAMES])
            more = f" and {len(missing) - MOST_NAMES:,} more" if len(missing) > MOST_NAMES else ""
            yield Gap(content.name, f"parts that its reading order names are not in it: {names}{more}")
        if not cutter.start:
            yield Gap(content.name, "a book without text")


def _chapter(title: str) -> Place:
    return Place(f"chapter “{title[:80]}”")


def _of_part(found: Gap | Remark, book: str, name: str) -> Gap | Remark:
    if isinstance(found, Gap):
        return Gap(book, f"its part {name}: {found.reason}")
    return Remark(book, f"its part {name}: {found.text}")


def _markup(item: Any, items: dict[str, Any]) -> Any:
    """The item, or what stands in for it, whichever is words; None where nothing is."""
    for _ in range(MOST_FALLBACKS):
        kind = item.get("media-type", "text/html")
        if kind.endswith("xml") or kind.startswith("text/"):
            return item
        item = items.get(item.get("fallback"))
        if item is None:
            break
    return None


def _locked(parts: Parts) -> bool:
    """Whether more than fonts is encrypted."""
    if "META-INF/encryption.xml" not in parts.names:
        return False
    methods = [one.get("Algorithm", "") for one in parts.xml("META-INF/encryption.xml").iter("{*}EncryptionMethod")]
    return any(method not in _FONTS for method in methods)


def _contents(parts: Parts, folder: str, items: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The table of contents: for each file the titles by the anchors at which they begin, "" for its beginning."""
    found: dict[str, dict[str, str]] = {}
    for item in items.values():
        name = inside(folder, item.get("href", ""))
        base = posixpath.dirname(name)
        try:
            if "nav" in (item.get("properties") or "").split():
                entries = [(link.get("href"), "".join(link.itertext())) for link in _links(parts.xml(name))]
            elif item.get("media-type") == "application/x-dtbncx+xml":
                points = parts.xml(name).iter("{*}navPoint")
                entries = [
                    (point.find("{*}content").get("src"), "".join(point.find("{*}navLabel").itertext()))
                    for point in points
                ]
            else:
                continue
        except (KeyError, ValueError, AttributeError, SyntaxError):  # a book can do without
            continue
        for target, words in entries:
            if target and words.strip():
                anchor = unquote(target.partition("#")[2])
                found.setdefault(inside(base, target), {}).setdefault(anchor, " ".join(words.split()))
    return found


def _links(root: Any) -> Iterator[Any]:
    """Those of the table of contents, and not of the list of pages."""
    lists = [one for one in root.iter("{*}nav") if "toc" in one.get("{http://www.idpf.org/2007/ops}type", "")]
    for one in lists or [root]:
        yield from one.iter("{*}a")
