"""Spreadsheets as XLSX: cell by cell, so that a sheet costs what is in it and not what it spans."""

import datetime
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item, release
from mmxcli.sources.office import drawn, relation, unread
from mmxcli.sources.parts import Parts, is_zip, local, members
from mmxcli.sources.segment import Gap, Place
from mmxcli.sources.sheets import shown

WIDEST = 16_384  # columns of a sheet
MOST_APART = 100  # tabs for cells without content, before one with it
_BOOK = "xl/workbook.xml"
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # the formats that need no telling
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.I)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_ESCAPED = re.compile(r"_x([\da-fA-F]{4})_")


class XlsxReader:
    """A line for each row, its cells apart by tabs; errors, and formulas whose value nobody has stored, as they are
    written; then what is drawn on the sheet, and the comments. Places are sheet and row."""

    format = "XLSX"

    @property
    def version(self) -> str:
        return f"xlsx 1, {release('lxml')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        return is_zip(head) and _BOOK in members(content)

    def read(self, content: Content) -> Iterator[Item]:
        cutter = Cutter(content.name)
        with content.open() as stream:
            parts = Parts(stream)
            related, book = parts.related(_BOOK), parts.xml(_BOOK)
            values = _Values(parts, dict(related.values()), book)
            for entry in book.iter("{*}sheet"):
                name = str(entry.get("name", ""))
                _, part = related.get(relation(entry), ("", ""))
                if part not in parts.names:
                    yield Gap(content.name, f"its sheet {name} cannot be read")
                    continue
                begun = False
                place, line = Place(f"sheet {name}, row", cutter.line), cutter.line
                for number, text in _rows(parts, part, values):
                    if not begun:
                        yield from cutter.cut(f"# {name}\n", place=Place(f"sheet {name}"), last=True)
                        begun, line = True, cutter.line
                    if place.base != line - number:
                        yield from cutter.cut("", place=place, last=True)
                        place = replace(place, base=line - number)
                    yield from cutter.cut(f"{text}\n", place=place, last=False)
                    line += 1
                yield from cutter.cut("\n" if begun else "", place=place, last=True)
                if reason := parts.damaged.pop(part, None):
                    yield Gap(content.name, f"its sheet {name} {reason}: not all of it is read")
                more = "".join(f"{text}\n" for text in _beside(parts, part))
                title = "" if begun or not more else f"# {name}\n"
                yield from cutter.cut(f"{title}{more}\n" if more else "", place=Place(f"sheet {name}"), last=True)
            missing = list(unread(parts, content.name))
        yield from missing
        if not (cutter.start or missing):
            yield Gap(content.name, "a spreadsheet without cells")


class _Values:
    """What cells stand for: texts that they share, and which numbers are times."""

    def __init__(self, parts: Parts, related: dict[str, str], book: Any) -> None:
        self._texts: list[str] = []
        self._times: list[str] = []  # of each style: "", "date" or "elapsed"
        of_1904 = any(one.get("date1904") in ("1", "true") for one in book.iter("{*}workbookPr"))
        self._epoch = datetime.datetime(1904, 1, 1) if of_1904 else datetime.datetime(1899, 12, 30)
        if related.get("sharedStrings") in parts.names:
            for _, element, _ in parts.walk(related["sharedStrings"], "si"):
                self._texts.append(_text(element))
                element.clear()
        with suppress(KeyError, ValueError):
            styles = parts.xml(related.get("styles", ""))
            codes = {one.get("numFmtId"): str(one.get("formatCode", "")) for one in styles.iter("{*}numFmt")}
            for formats in styles.iter("{*}cellXfs"):
                self._times = [_time(one.get("numFmtId", "0"), codes) for one in formats.iter("{*}xf")]

    def of(self, cell: Any) -> str:
        """The text of a cell, "" where it holds nothing."""
        kind, value, formula = cell.get("t", "n"), None, None
        if kind == "inlineStr":
            return shown(_text(cell))
        for child in cell:
            tag = local(child)
            value, formula = child if tag == "v" else value, child if tag == "f" else formula
        if value is None:
            return f"={' '.join((formula.text or '…').split())}" if formula is not None else ""
        text = value.text or ""
        try:
            if kind == "s":
                return shown(self._texts[int(text)])
            if kind == "b":
                return shown(text.strip() not in ("0", "false"))
            return shown(self._number(float(text), cell.get("s")) if kind == "n" and text else _unescaped(text))
        except (ValueError, IndexError, OverflowError):
            return shown(text)

    def _number(self, number: float, style: str | None) -> object:
        time = self._times[int(style)] if style and style.isdigit() and int(style) < len(self._times) else ""
        if not time:
            return number
        span = datetime.timedelta(milliseconds=round(number * 86_400_000))
        if time == "elapsed":
            return span
        moment = self._epoch + span
        if number < 1:
            return moment.time()
        return moment.date() if moment.time() == datetime.time() else moment


def _time(format: str, codes: dict[str, str]) -> str:
    code = codes.get(format)
    if code is None:
        return "elapsed" if format == "46" else "date" if format.isdigit() and int(format) in _DATES else ""
    code = _LITERAL.sub("", code.partition(";")[0])
    if _ELAPSED.search(code):
        return "elapsed"
    return "date" if re.search("[ymdhs]", code, re.I) and code.lower() != "general" else ""


def _rows(parts: Parts, part: str, values: _Values) -> Iterator[tuple[int, str]]:
    """The number and the text of each row that holds anything."""
    number = first = 0
    for _, element, tag in parts.walk(part, "dimension", "row"):
        if tag == "dimension" and (match := re.match(r"[A-Z]{1,3}", element.get("ref", ""))):
            first = _column(match[0])
        elif tag == "row":
            said = element.get("r", "")
            number = int(said) if said.isdigit() else number + 1
            if text := _line(element, first, values):
                yield number, text
            element.clear()
            while (before := element.getprevious()) is not None:
                element.getparent().remove(before)


def _line(row: Any, first: int, values: _Values) -> str:
    """Its cells from the column `first` on, apart by tabs."""
    pieces, at, last = list[str](), -1, first
    for cell in row.iterchildren("{*}c"):
        letters = cell.get("r", "").rstrip("0123456789")
        at = _column(letters) if letters else at + 1
        if text := values.of(cell):
            pieces += ["\t" * min(max(0, at - last), MOST_APART), text]
            last = max(last, at)
    return "".join(pieces)


@lru_cache(WIDEST)
def _column(letters: str) -> int:
    """From 0."""
    number = 0
    for letter in letters[:3]:
        number = 26 * number + ord(letter) - ord("A") + 1
    return max(0, min(number, WIDEST) - 1)


def _text(element: Any) -> str:
    """Of a string, without the marks that tell how it is spoken."""
    return _unescaped("".join(one.text or "" for one in element.iter("{*}t") if one.getparent().tag[-4:] != "}rPh"))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _beside(parts: Parts, part: str) -> Iterator[str]:
    """The lines of what is drawn on a sheet, and of the comments on its cells."""
    for kind, other in parts.related(part).values():
        if kind not in ("drawing", "comments") or other not in parts.names:
            continue
        try:
            root = parts.xml(other)
        except ValueError:  # is told with all that is damaged
            continue
        if kind == "drawing":
            yield from drawn(root, set())
            continue
        for comment in root.iter("{*}comment"):
            if words := " ".join(_text(comment).split()):
                yield f"Comment on {comment.get('ref', '')}: {words}"
