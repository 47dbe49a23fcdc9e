"""Jupyter notebooks."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Held, Item
from mmxcli.sources.html import HtmlReader
from mmxcli.sources.segment import Gap, Place, Segment
from mmxcli.sources.text import UNDECODED

MOST_OUTPUT = 20_000  # characters of the outputs of one cell
# What an output may be, as it is called in format 4 and before; what comes first is read.
_KINDS = (
    *("text/plain", "text", "text/markdown", "text/latex", "latex", "text/html", "html", "application/json", "json"),
)
_OTHER_KINDS = ("png", "jpeg", "svg", "pdf", "javascript")  # before format 4; since then they have a slash
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HALF = re.compile("[\ud800-\udfff]")
_OBJECT = re.compile(r"\s*<[^<>\n]*>\s*")  # what Python says where it has nothing to say


class NotebookReader:
    """Cell by cell: what was written, then what came out of it as text."""

    format = "notebook"
    version = "notebook 2"

    def recognises(self, head: bytes, content: Content) -> bool:
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return False
        if b'"cells"' not in head or not (b'"cell_type"' in head or content.name.endswith(".ipynb")):
            return False
        with content.open() as stream:  # its last keys tell what it is
            stream.seek(max(0, content.size - 4096))
            return b'"nbformat"' in head or b'"nbformat"' in stream.read()

    def read(self, content: Content) -> Iterator[Item]:
        with content.open() as stream:
            text = stream.read().decode("utf-8-sig", "mmxcli.mark")
        if undecoded := text.count(UNDECODED):
            yield Gap(content.name, f"{undecoded} bytes are not UTF-8")
        cutter = Cutter(content.name)
        broken, unread = list[int](), list[tuple[int, str]]()
        for number, found in enumerate(_cells(json.loads(text)), 1):
            place = Place(f"cell {number}")
            try:
                cell = _read(found)
            except (AttributeError, TypeError, ValueError):
                broken.append(number)
                continue
            yield from cutter.cut(f"{cell.source.rstrip()}\n\n" if cell.source.strip() else "", place=place, last=True)
            if len(cell.out) > MOST_OUTPUT:
                yield Gap(content.name, f"cell {number}: its output beyond {MOST_OUTPUT:,} characters")
            if cell.out.strip():
                yield from cutter.cut(f"Out:\n{cell.out[:MOST_OUTPUT].rstrip()}\n\n", place=place, last=True)
            unread += ((number, kind) for kind in cell.unread)
        if broken:
            yield Gap(content.name, f"broken cells: {len(broken):,}, the first is cell {broken[0]}")
        if unread:
            kinds = ", ".join(sorted({kind for _, kind in unread})[:4])
            yield Gap(
                content.name, f"outputs that are no text: {len(unread):,} ({kinds}), the first in cell {unread[0][0]}"
            )
        if not (cutter.start or broken or unread):
            yield Gap(content.name, "a notebook without text")


class _Cell(NamedTuple):
    """`unread`: the kinds of what is no text."""

    source: str
    out: str
    unread: list[str]


def _cells(book: dict[str, Any]) -> Iterator[Any]:
    """Before format 4 they stand in worksheets, of which there is one."""
    for sheet in book.get("worksheets") or [book]:
        yield from sheet["cells"]


def _read(cell: dict[str, Any]) -> _Cell:
    """Raises AttributeError, TypeError or ValueError where it is broken."""
    shown = [_shown(output) for output in cell.get("outputs") or []]
    attached = [kind for bundle in (cell.get("attachments") or {}).values() for kind in bundle]
    source = _joined(cell.get("source") or cell.get("input"))
    out = "".join(text if text.endswith("\n") else text + "\n" for text, _ in shown if text)
    kinds = attached + [kind for _, kind in shown if kind]
    return _Cell(_whole(source), _whole(out), [" ".join(_whole(kind)[:40].split()) for kind in kinds])


def _whole(text: str) -> str:
    """JSON can spell half a character, and a byte that does not decode is marked by one: neither is text."""
    return _HALF.sub("\ufffd", text)


def _shown(output: object) -> tuple[str, str]:
    """An output as text, and the kind of what there is instead of one."""
    if not isinstance(output, dict):
        return "", "broken"
    if "traceback" in output:
        text = _COLOURS.sub("", _joined(output["traceback"], "\n"))
        error = f"{output.get('ename')}: {output.get('evalue')}"
        return (text if error in text else f"{text}\n{error}"), ""
    data = output.get("data")
    data = data if isinstance(data, dict) else output
    objects = ""
    for kind in _KINDS:
        text = _COLOURS.sub("", _text(kind, data.get(kind)))
        if _OBJECT.fullmatch(text):
            objects = objects or text
        elif text.strip():
            return text, ""
    return objects, next((kind for kind in data if (kind in _OTHER_KINDS or "/" in kind) and kind not in _KINDS), "")


def _text(kind: str, value: object) -> str:
    if kind.endswith("json") and not (value is None or isinstance(value, str)):
        value = json.dumps(value, ensure_ascii=False, indent=1)
    text = _joined(value)
    if kind.endswith("html") and text.strip():
        page = Held("", codecs.BOM_UTF8 + text.encode("utf-8", "replace"))
        return "".join(item.text for item in HtmlReader().read(page) if isinstance(item, Segment))
    return text


def _joined(text: object, between: str = "") -> str:
    """Notebooks have a text in one piece or in lines."""
    return between.join(map(str, text)) if isinstance(text, list) else str(text or "")
