"""Texts and slides of office programs: DOCX and PPTX."""

import io
import re
from collections.abc import Iterator
from typing import Any

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.parts import Parts, is_zip, members
from mmxcli.sources.segment import Gap, Place

_SPACES = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = {"footnotes": "footnotes", "endnotes": "endnotes", "comments": "comments"}
_MARGINS = ("header", "footer")


class DocxReader:
    """Paragraphs, tables row by row, footnotes, endnotes, comments, and once what stands in the margins. Text that is
    marked as deleted is left out. Places are the headings."""

    format = "DOCX"

    @property
    def version(self) -> str:
        return f"docx 1, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        return is_zip(head) and any(re.fullmatch(r"word/document\d*\.xml", name) for name in members(content))

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            parts = Parts(stream)
            name = next(name for name in sorted(parts.names) if re.fullmatch(r"word/document\d*\.xml", name))
            levels = _heading_levels(parts)
            cutter, place = Cutter(content.name), None
            for text, style in _paragraphs(parts.data(name)):
                level = levels.get(style, 0) if style else 0
                if not level or not text.strip():
                    yield from cutter.cut(text + "\n", place=place, last=True)
                    continue
                words = " ".join(text.split())
                place = Place(f"under “{words[:80]}”")
                yield from cutter.cut(f"\n{'#' * level} {words}\n\n", place=place, last=True)
            others = sorted(set(parts.related(name).values()))
            for kind, words in _NOTES.items():
                for other in (other for found, other in others if found == kind and other in parts.names):
                    for text, _ in _paragraphs(parts.data(other)):
                        if text.strip():
                            yield from cutter.cut(text + "\n", place=Place(words), last=True)
            margins = dict.fromkeys(
                text
                for found, other in others
                if found in _MARGINS and other in parts.names
                for text, _ in _paragraphs(parts.data(other))
                if text.strip()
            )
            for text in margins:
                yield from cutter.cut(text + "\n", place=Place("header or footer"), last=True)
        if not cutter.start:
            yield Gap(content.name, "a document without text")


def _heading_levels(parts: Parts) -> dict[str, int]:
    """By the ids of paragraph styles, the level of heading that they stand for."""
    found = {}
    try:
        styles = parts.xml("word/styles.xml")
    except (KeyError, ValueError):
        return {}
    for style in styles.iter("{*}style"):
        name = style.find("{*}name")
        words = str(_value(name)).lower() if name is not None else ""
        if words == "title":
            found[_attribute(style, "styleId")] = 1
        elif match := re.fullmatch(r"heading (\d)", words):
            found[_attribute(style, "styleId")] = min(6, int(match[1]))
    return found


def _paragraphs(data: bytes) -> Iterator[tuple[str, str | None]]:
    """Text and style of each paragraph, and the cells of each row of a table as one."""
    from lxml import etree

    walk = etree.iterparse(
        io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=True, recover=True
    )
    tables = fallbacks = 0
    for event, element in walk:
        tag = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if tag == "tbl":
            tables += 1 if event == "start" else -1
        elif tag == "Fallback":  # the same again, for programs that know less
            fallbacks += 1 if event == "start" else -1
            if event == "end":
                element.clear()
        elif event == "end" and not fallbacks:
            if tag == "tr" and tables == 1:
                cells = [" ".join("".join(_characters(cell)).split()) for cell in _cells(element)]
                yield " | ".join(cells), None
                element.clear()
            elif tag == "p" and not tables:
                style = element.find("{*}pPr/{*}pStyle")
                yield "".join(_characters(element)), None if style is None else _value(style)
                element.clear()


def _cells(row: Any) -> Iterator[Any]:
    """Those of this row, and not of a table in one of them."""
    return (cell for cell in row.iter("{*}tc") if next(cell.iterancestors("{*}tr"), None) is row)


def _characters(element: Any) -> Iterator[str]:
    from lxml import etree

    for one in element.iter():
        tag = etree.QName(one).localname if isinstance(one.tag, str) else ""
        if tag == "t":
            yield one.text or ""
        elif tag in _SPACES:
            yield _SPACES[tag]
        elif tag == "p" and one is not element:
            yield "\n"


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.endswith(name)), "")


def _value(element: Any) -> str:
    return _attribute(element, "val")


class PptxReader:
    """Slide by slide: its text in the order in which it lies there, tables row by row, and the speaker's notes."""

    format = "PPTX"

    @property
    def version(self) -> str:
        return f"pptx 1, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        return is_zip(head) and "ppt/presentation.xml" in members(content)

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            parts = Parts(stream)
            cutter = Cutter(content.name)
            related = parts.related("ppt/presentation.xml")
            for number, entry in enumerate(parts.xml("ppt/presentation.xml").iter("{*}sldId"), 1):
                place = Place(f"slide {number}")
                _, name = related.get(_relation(entry), ("", ""))
                try:
                    lines = list(_slide(parts.xml(name)))
                    notes = [other for kind, other in parts.related(name).values() if kind == "notesSlide"]
                    spoken = [
                        line for other in notes if other in parts.names for line in _slide(parts.xml(other), notes=True)
                    ]
                except (KeyError, ValueError):
                    yield Gap(content.name, f"its slide {number} cannot be read")
                    continue
                text = "".join(f"{line}\n" for line in lines)
                text += "".join(f"{line}\n" for line in ["Notes:", *spoken]) if spoken else ""
                yield from cutter.cut(f"{text}\n" if text else "", place=place, last=True)
        if not cutter.start:
            yield Gap(content.name, "slides without text")


def _relation(entry: Any) -> str:
    return next((value for key, value in entry.attrib.items() if key.endswith("}id")), "")


def _slide(root: Any, *, notes: bool = False) -> Iterator[str]:
    """Its lines; the first of a title is marked as a heading."""
    from lxml import etree

    for shape in root.iter("{*}sp", "{*}graphicFrame"):
        kind = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
        role = kind.get("type", "body") if kind is not None else ""
        if role in ("sldNum", "dt", "ftr", "hdr", "sldImg") or (notes and role != "body"):
            continue
        title = role in ("title", "ctrTitle")
        if etree.QName(shape).localname == "graphicFrame":
            for row in shape.iter("{*}tr"):
                yield " | ".join(" ".join("".join(_drawn(cell)).split()) for cell in _cells(row))
            for paragraph in shape.iter("{*}p"):
                if next(paragraph.iterancestors("{*}tc"), None) is None and (
                    line := "".join(_drawn(paragraph)).strip()
                ):
                    yield line
            continue
        for paragraph in shape.iterfind("{*}txBody/{*}p"):
            if line := "".join(_drawn(paragraph)).strip():
                yield f"# {' '.join(line.split())}" if title else line


def _drawn(element: Any) -> Iterator[str]:
    from lxml import etree

    for one in element.iter():
        tag = etree.QName(one).localname if isinstance(one.tag, str) else ""
        if tag == "t":
            yield one.text or ""
        elif tag == "br":
            yield "\n"
        elif tag == "p" and one is not element:
            yield " "
