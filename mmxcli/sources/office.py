"""Texts and slides of office programs: DOCX and PPTX."""

import re
from collections.abc import Iterator
from typing import Any

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.parts import Parts, is_zip, local, members
from mmxcli.sources.segment import Gap, Place

_SPACES = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = {"footnotes": "footnotes", "endnotes": "endnotes", "comments": "comments", "diagramData": "diagrams"}
_MARGINS = ("header", "footer")
# The same again for programs that know less, what was there before it was moved, and what was deleted.
_GONE = ("Fallback", "moveFrom", "del")
_UNREAD = {
    "chart": "charts",
    "chartEx": "charts",
    "aFChunk": "embedded documents",
    "oleObject": "embedded documents",
    "package": "embedded documents",
    "subDocument": "documents that it refers to",
}
_MOST_BASES = 12  # styles that are based on each other
_GREEK = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖαβχδεφγηιϕκλμνοπθρστυϖωξψζ"  # in the font Symbol, from A to Z and a to z
_WINGDINGS = {0x4A: "☺", 0x4C: "☹", 0xA7: "▪", 0xA8: "◻", 0xDF: "←", 0xE0: "→", 0xFB: "✗", 0xFC: "✓", 0xFE: "☑"}


class DocxReader:
    """Paragraphs, tables row by row, footnotes, endnotes, comments, the words of diagrams, and once what stands in the
    margins. Text that is marked as deleted, or as moved from there, is left out. Places are the headings."""

    format = "DOCX"

    @property
    def version(self) -> str:
        return f"docx 2, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        return is_zip(head) and any(re.fullmatch(r"word/document\d*\.xml", name) for name in members(content))

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            parts = Parts(stream)
            name = next(name for name in sorted(parts.names) if re.fullmatch(r"word/document\d*\.xml", name))
            levels = _heading_levels(parts)
            cutter, place = Cutter(content.name), None
            for text, style in _paragraphs(parts, name):
                level = levels.get(style, 0) if style else 0
                if not level or not text.strip():
                    yield from cutter.cut(text + "\n", place=place, last=True)
                    continue
                words = " ".join(text.split())
                place = Place(f"under “{words[:80]}”")
                yield from cutter.cut(f"\n{'#' * level} {words}\n\n", place=place, last=True)
            others = [other for other in sorted(set(parts.related(name).values())) if other[1] in parts.names]
            for kind, words in _NOTES.items():
                for other in (other for found, other in others if found == kind):
                    for text, _ in _paragraphs(parts, other):
                        if text.strip():
                            yield from cutter.cut(text + "\n", place=Place(words), last=True)
            margins = dict.fromkeys(
                text
                for found, other in others
                if found in _MARGINS
                for text, _ in _paragraphs(parts, other)
                if text.strip()
            )
            for text in margins:
                yield from cutter.cut(text + "\n", place=Place("header or footer"), last=True)
            missing = list(unread(parts, content.name))
        yield from missing
        if not (cutter.start or missing):
            yield Gap(content.name, "a document without text")


def unread(parts: Parts, name: str) -> Iterator[Gap]:
    """What an office document holds beyond what is read: each kind once, and the parts that are damaged."""
    kinds = set[str]()
    for relations in sorted(parts.names):
        folder, slash, base = relations.rpartition("_rels/")
        if slash and base.endswith(".rels") and not folder.endswith("/charts/"):  # whose tables belong to the charts
            kinds.update(kind for kind, _ in parts.related(folder + base.removesuffix(".rels")).values())
    for words in sorted({_UNREAD[kind] for kind in kinds & _UNREAD.keys()}):
        yield Gap(name, f"its {words} are not read")
    for part, reason in parts.damaged.items():
        yield Gap(name, f"its part {part} {reason}: not all of it is read")


def _heading_levels(parts: Parts) -> dict[str, int]:
    """By the ids of paragraph styles, the level of heading that they, or those that they are based on, stand for."""
    found: dict[str, int] = {}
    bases: dict[str, str] = {}
    try:
        styles = parts.xml("word/styles.xml")
    except (KeyError, ValueError):
        return {}
    for style in styles.iter("{*}style"):
        name, base = style.find("{*}name"), style.find("{*}basedOn")
        words = str(_value(name)).lower() if name is not None else ""
        if words == "title":
            found[_attribute(style, "styleId")] = 1
        elif match := re.fullmatch(r"heading (\d)", words):
            found[_attribute(style, "styleId")] = min(6, int(match[1]))
        elif base is not None:
            bases[_attribute(style, "styleId")] = _value(base)
    for style, base in bases.items():
        for _ in range(_MOST_BASES):
            base = bases.get(base, base)  # noqa: PLW2901 - and so on, from one to the next
        if base in found:
            found[style] = found[base]
    return found


def _paragraphs(parts: Parts, name: str) -> Iterator[tuple[str, str | None]]:
    """Text and style of each paragraph, and the cells of each row of a table as one."""
    tables = gone = 0
    for event, element, tag in parts.walk(name):
        if tag == "tbl":
            tables += 1 if event == "start" else -1
        elif tag in _GONE:
            gone += 1 if event == "start" else -1
            if event == "end":
                element.clear()
        elif event == "end" and not gone:
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
    for one in element.iter():
        tag = local(one)
        if tag == "t":
            yield one.text or ""
        elif tag in _SPACES:
            yield _SPACES[tag]
        elif tag == "sym":
            yield _symbol(_attribute(one, "font"), _attribute(one, "char"))
        elif tag == "p" and one is not element:
            yield "\n"


def _symbol(font: str, code: str) -> str:
    """What a character of a font of symbols shows; "�" where that is not known."""
    number = int(code, 16) if re.fullmatch(r"[\da-fA-F]{1,4}", code) else 0
    if 0 < number < 0xD800 or number >= 0xF900:  # a character like any other
        return chr(number)
    at = number & 0xFF
    if font == "Symbol" and chr(at).isascii() and chr(at).isalpha():
        return _GREEK[at - ord("A") if at < ord("a") else at - ord("a") + 26]
    return _WINGDINGS.get(at if font == "Wingdings" else -1, "�")


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.endswith(name)), "")


def _value(element: Any) -> str:
    return _attribute(element, "val")


class PptxReader:
    """Slide by slide: its text in the order in which it lies there, tables row by row, the words of diagrams, the
    speaker's notes and the comments. What stands in the margins of several slides is read at the first."""

    format = "PPTX"

    @property
    def version(self) -> str:
        return f"pptx 2, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        return is_zip(head) and "ppt/presentation.xml" in members(content)

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            parts = Parts(stream)
            cutter, margins = Cutter(content.name), set[str]()
            related = parts.related("ppt/presentation.xml")
            for number, entry in enumerate(parts.xml("ppt/presentation.xml").iter("{*}sldId"), 1):
                _, name = related.get(relation(entry), ("", ""))
                try:
                    lines = list(drawn(parts.xml(name), margins))
                except (KeyError, ValueError):
                    parts.damaged.pop(name, None)
                    yield Gap(content.name, f"its slide {number} cannot be read")
                    continue
                if reason := parts.damaged.pop(name, None):
                    yield Gap(content.name, f"its slide {number} {reason}: not all of it is read")
                lines += _beside(parts, name, margins)
                text = "".join(f"{line}\n" for line in lines)
                yield from cutter.cut(f"{text}\n" if text else "", place=Place(f"slide {number}"), last=True)
            missing = list(unread(parts, content.name))
        yield from missing
        if not (cutter.start or missing):
            yield Gap(content.name, "slides without text")


def _beside(parts: Parts, slide: str, margins: set[str]) -> Iterator[str]:
    """The lines of what belongs to a slide: its diagrams, the speaker's notes, comments."""
    for kind, other in parts.related(slide).values():
        if kind not in ("diagramData", "notesSlide", "comments") or other not in parts.names:
            continue
        try:
            root = parts.xml(other)
        except ValueError:  # is told with all that is damaged
            continue
        lines = list(drawn(root, margins) if kind == "notesSlide" else _written(root))
        if lines and kind != "diagramData":
            yield "Notes:" if kind == "notesSlide" else "Comments:"
        yield from lines


def relation(entry: Any) -> str:
    """The id of the relation that a slide or a sheet is listed with."""
    return next((value for key, value in entry.attrib.items() if key.endswith("}id")), "")


def drawn(root: Any, margins: set[str]) -> Iterator[str]:
    """The lines of what is drawn on a slide or a sheet; the first of a title is marked as a heading. What stands in a
    margin is left out where it is among `margins`, and else added there."""
    from lxml import etree

    etree.strip_elements(root, "{*}Fallback", with_tail=False)
    for shape in root.iter("{*}sp", "{*}graphicFrame"):
        kind = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
        role = kind.get("type", "body") if kind is not None else ""
        if role in ("sldNum", "sldImg"):
            continue
        if local(shape) == "graphicFrame":
            for row in shape.iter("{*}tr"):
                yield " | ".join(" ".join("".join(_drawn(cell)).split()) for cell in _cells(row))
            for paragraph in shape.iter("{*}p"):
                if next(paragraph.iterancestors("{*}tc"), None) is None and (
                    line := "".join(_drawn(paragraph)).strip()
                ):
                    yield line
            continue
        for paragraph in shape.iterfind("{*}txBody/{*}p"):
            line = "".join(_drawn(paragraph)).strip()
            if not line or (role in ("dt", "ftr", "hdr") and line in margins):
                continue
            if role in ("dt", "ftr", "hdr"):
                margins.add(line)
            yield f"# {' '.join(line.split())}" if role in ("title", "ctrTitle") else line


def _written(root: Any) -> Iterator[str]:
    """The lines of comments, of older programs and newer ones, and of diagrams."""
    for one in root.iter("{*}text", "{*}p"):
        if line := ((one.text or "") if local(one) == "text" else "".join(_drawn(one))).strip():
            yield line


def _drawn(element: Any) -> Iterator[str]:
    for one in element.iter():
        tag = local(one)
        if tag == "t":
            yield one.text or ""
        elif tag == "br":
            yield "\n"
        elif tag == "p" and one is not element:
            yield " "
