"""The pages of a PDF as its page tree has them, by pypdf, and what can be made of a PDF that has none."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mmxcli.sources.streams import LONGEST_HEAD, OBJECT, OBJECT_STREAM, PAGE, STREAM, unpacked

if TYPE_CHECKING:
    import pypdf

MOST_PAGES = 1_000_000
MOST_MENDED = 1 << 28  # bytes of a file that is mended, and about as many that are added to it


class PageTree:
    """`pages`: in their order, None for each that is not there. `circular`: whether a branch leads to one that was
    there before. Raises whatever pypdf raises over a file that is damaged."""

    def __init__(self, reader: "pypdf.PdfReader") -> None:
        self._reader = reader
        self.pages: list[pypdf.PageObject | None] = []
        self.circular = False
        seen = set[int]()
        root: Any = reader.trailer["/Root"]
        ahead: list[Any] = [root.raw_get("/Pages")]
        while ahead and len(self.pages) < MOST_PAGES:
            reference = ahead.pop()
            node = reference.get_object()
            if not isinstance(node, dict):
                self.pages.append(None)
            elif "/Kids" not in node:
                self.pages.append(self._page(reference, node))
            elif getattr(reference, "idnum", 0) in seen:
                self.circular = True
            else:
                seen.add(getattr(reference, "idnum", 0))
                ahead.extend(reversed(node["/Kids"]))

    def _page(self, reference: Any, node: Any) -> "pypdf.PageObject":
        import pypdf

        page = pypdf.PageObject(self._reader, reference)
        page.update(node)
        return page


def shown(page: "pypdf.PageObject") -> Iterator[int]:
    """The numbers of the objects that hold what a page shows. Raises as above."""
    contents = page.get("/Contents")
    raw = page.raw_get("/Contents") if contents is not None or "/Contents" in page else None
    references = [raw, *(contents if isinstance(contents, list) else ())]
    drawn = page.get("/Resources", {}).get("/XObject", {})
    references += [drawn.raw_get(name) for name in drawn]
    yield from (one.idnum for one in references if hasattr(one, "idnum"))


def mended(data: bytes) -> bytes | None:
    """The same with a new page tree of all pages that are there, in the order in which they stand; None where none are.
    What stood in object streams, which cannot be found without the table at the end of the file, is added in plain."""
    pages, top, added, room = list[int](), 0, list[bytes](), MOST_MENDED
    for found in OBJECT.finditer(data):
        number, begin = int(found[1]), found.end()
        top = max(top, number)
        ends = (data.find(mark, begin, begin + LONGEST_HEAD) for mark in (b"endobj", b"stream"))
        end = min((end for end in ends if end >= 0), default=0)
        if not end and begin + LONGEST_HEAD > len(data):  # the cut goes through it
            data = data[: found.start()]
        head = data[begin:end]
        if PAGE.search(head):
            pages.append(number)
        if room > 0 and OBJECT_STREAM.search(head) and (stream := STREAM.search(data, begin)):
            for inner, text in _objects(head, unpacked(data, stream.end(), len(data), keep=True)[1]):
                top, room = max(top, inner), room - len(text)
                added.append(b"%d 0 obj\n%s\nendobj\n" % (inner, text))
                pages += [inner] if PAGE.search(text) else []
    if not pages:
        return None
    kids = b" ".join(b"%d 0 R" % number for number in dict.fromkeys(pages))
    tree = b"%d 0 obj\n<< /Type /Pages /Count %d /Kids [%s] >>\nendobj\n" % (top + 1, len(set(pages)), kids)
    root = b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\n" % (top + 2, top + 1)
    last = b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n0\n%%%%EOF\n" % (top + 3, top + 2)
    return b"".join((data, b"\nendstream\nendobj\n", *added, tree, root, last))


def _objects(head: bytes, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The numbers and texts of the objects in an object stream, as far as it is there."""
    first = re.search(rb"/First\s+(\d{1,9})", head)
    if not first:
        return
    begin = int(first[1])
    numbers = [int(number) for number in re.findall(rb"\d{1,9}", data[:begin])]
    places = [begin + place for place in numbers[1::2]]
    for number, at, end in zip(numbers[::2], places, [*places[1:], len(data)], strict=False):
        if at < len(data):
            yield number, data[at:end]
