"""Notebooks of any age, and what comes out of their cells."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_formats import SENTENCE, checked, parsed

from mmxcli.sources.segment import Place


def book(*cells: Any, format: int = 4) -> bytes:
    held = {"cells": cells} if format == 4 else {"worksheets": [{"cells": cells}]}
    return json.dumps({**held, "metadata": {}, "nbformat": format}).encode()


def read(data: bytes) -> tuple[str, list[str]]:
    found, segments, gaps = parsed(data, "f.ipynb")
    assert found == "notebook"
    return checked(segments), [gap.reason for gap in gaps]


def shows(*outputs: Any) -> Any:
    return {"cell_type": "code", "source": "run()", "outputs": list(outputs)}


@given(texts=st.lists(SENTENCE, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_format_3(texts: list[str]) -> None:
    cells = [
        {"cell_type": "code", "input": text, "outputs": [{"output_type": "pyout", "text": "out"}]} for text in texts
    ]
    _, segments, gaps = parsed(book(*cells, {"cell_type": "heading", "source": "End"}, format=3), "f.ipynb")
    assert checked(segments) == "".join(f"{text}\n\nOut:\nout\n\n" for text in texts) + "End\n\n" and not gaps
    assert segments[-1].place == Place(f"cell {len(texts) + 1}")


def test_broken_cells_are_told_in_one_line() -> None:
    good = {"cell_type": "markdown", "source": "good"}
    text, gaps = read(book(good, None, {"cell_type": "code", "source": "x", "outputs": 5}, good))
    assert text == "good\n\n" * 2 and gaps == ["broken cells: 2, the first is cell 2"]
    text, gaps = read(book(shows(None, {"output_type": "stream", "text": "seen"}, {"data": 5}), good))
    assert text == "run()\n\nOut:\nseen\n\ngood\n\n" and gaps == [
        "outputs that are no text: 1 (broken), the first in cell 1"
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text/html": ["<table><tr><td>a</td>", "<td>b</td></tr></table>"]}, "a | b\n"),
        ({"text/markdown": "**bold**", "text/plain": "<IPython.core.display.Markdown object>"}, "**bold**"),
        ({"text/latex": "$x$"}, "$x$"),
        ({"application/json": {"k": ["é"]}}, '"é"'),
        ({"text/plain": "   a\n0  1", "text/html": "<b>as HTML</b>"}, "   a\n0  1"),
        ({"text/plain": "half \ud83d"}, "half \ufffd"),
    ],
)
def test_outputs_are_read_in_whatever_kind_they_are_text(data: dict[str, Any], text: str) -> None:
    found, gaps = read(book(shows({"output_type": "display_data", "data": data})))
    assert text in found and "as HTML" not in found and "object" not in found and not gaps


def test_pictures_are_told_in_one_line() -> None:
    picture = {"data": {"image/png": "AAAA", "text/plain": "<Figure size 640x480 with 1 Axes>"}}
    _, gaps = read(book(shows(), shows(picture, picture), shows(picture, {"data": {"application/vnd.plot": {}}})))
    assert gaps == ["outputs that are no text: 4 (application/vnd.plot, image/png), the first in cell 2"]


def test_an_error_is_read_with_where_it_arose() -> None:
    lines = ["\x1b[31mTraceback\x1b[0m", "  pump.py line 3", "ValueError: too hot"]
    error = {"output_type": "error", "ename": "ValueError", "evalue": "too hot", "traceback": lines}
    assert read(book(shows(error)))[0].endswith("Out:\nTraceback\n  pump.py line 3\nValueError: too hot\n\n")
    halves = {**error, "evalue": "half \ud83d", "traceback": []}
    assert read(book(shows(halves)))[0].endswith("ValueError: half \ufffd\n\n")


def test_damaged_bytes_leave_the_rest() -> None:
    text, gaps = read(book({"cell_type": "markdown", "source": "the @ pump"}).replace(b"@", b"\xff"))
    assert text == "the \ufffd pump\n\n" and gaps == ["1 bytes are not UTF-8"]
