"""Jupyter notebooks."""

import json
import re
from collections.abc import Iterator
from typing import Any

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import Content, Item
from mmxcli.sources.segment import Gap, Place

MOST_OUTPUT = 20_000  # characters of the outputs of one cell
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class NotebookReader:
    """Cell by cell: what was written, then what came out of it as text."""

    format = "notebook"
    version = "notebook 1"

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
            book = json.load(stream)
        cutter = Cutter(content.name)
        for number, cell in enumerate(book["cells"], 1):
            place = Place(f"cell {number}")
            source = _joined(cell.get("source"))
            yield from cutter.cut(f"{source.rstrip()}\n\n" if source.strip() else "", place=place, last=True)
            out = "".join(filter(None, map(_output, cell.get("outputs") or [])))
            if len(out) > MOST_OUTPUT:
                yield Gap(content.name, f"cell {number}: its output beyond {MOST_OUTPUT:,} characters")
            if out.strip():
                yield from cutter.cut(f"Out:\n{out[:MOST_OUTPUT].rstrip()}\n\n", place=place, last=True)
        if not cutter.start:
            yield Gap(content.name, "a notebook without text")


def _output(output: dict[str, Any]) -> str:
    text = _joined(output.get("text") or (output.get("data") or {}).get("text/plain"))
    if output.get("output_type") == "error":
        text = f"{output.get('ename')}: {output.get('evalue')}\n"
    text = _COLOURS.sub("", text)
    return text if text.endswith("\n") or not text else text + "\n"


def _joined(text: object) -> str:
    """Notebooks have a text in one piece or in lines."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")
