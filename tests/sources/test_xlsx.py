"""Cells of every kind, wherever they lie, and what becomes of a sheet that is damaged."""

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from formats import xlsx, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.spool import spool
from mmxcli.sources.xlsx import XlsxReader

SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"


def read(data: bytes) -> tuple[str, list[str]]:
    """The text, and the reasons of the gaps."""
    items = list(XlsxReader().read(spool(io.BytesIO(data), "file")))
    text = "".join(item.text for item in items if isinstance(item, Segment))
    return text, [item.reason for item in items if isinstance(item, Gap)]


def changed(data: bytes, **changes: Callable[[str], str]) -> bytes:
    """The same, but for some of its parts: sheet1, workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files: dict[str, str | bytes] = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, change in changes.items():
        path = {"sheet1": SHEET, "workbook": BOOK}[name]
        files[path] = change(str(files[path]))
    return zipped(files)


def with_cells(cells: str, **more: str) -> bytes:
    """A sheet with a row of these cells; more parts by their kinds, which it or its book refers to."""
    data = xlsx({"One": [["x"]], "Two": [["two"]]})
    data = changed(data, sheet1=lambda text: text.replace("<row", f"{cells}<row", 1))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    for kind, text in more.items():
        of_book = kind in ("styles", "sharedStrings")
        owner = "xl/_rels/workbook.xml.rels" if of_book else "xl/worksheets/_rels/sheet1.xml.rels"
        before = files.get(owner, b"<Relationships></Relationships>")
        relation = f'<Relationship Id="{kind}" Type="x/{kind}" Target="/xl/{kind}.xml"/></Relationships>'
        files[owner] = bytes(before).replace(b"</Relationships>", relation.encode())
        files[f"xl/{kind}.xml"] = text
    return zipped(files)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.tuples(st.integers(1, 1_048_576), st.integers(0, 16_383)), st.integers(0, 99), max_size=9))
def test_cells_are_read_wherever_they_lie(cells: dict[tuple[int, int], int]) -> None:
    def name(column: int) -> str:
        return (name(column // 26 - 1) if column > 25 else "") + chr(65 + column % 26)

    rows = "".join(
        f'<row r="{row}">'
        + "".join(f'<c r="{name(at)}{row}"><v>{value}</v></c>' for (r, at), value in sorted(cells.items()) if r == row)
        + "</row>"
        for row in sorted({row for row, _ in cells})
    )
    data = xlsx({"One": [], "Two": [["two"]]})
    data = changed(data, sheet1=lambda text: text.replace("<sheetData>", f"<sheetData>{rows}"))
    items = [item for item in XlsxReader().read(spool(io.BytesIO(data), "file")) if isinstance(item, Segment)]
    places = {
        item.place.at(item.line + offset): line.split()
        for item in items
        for offset, line in enumerate(item.text.split("\n"))
        if item.place and line.strip() and not line.startswith("#")
    }
    wanted = {f"sheet One, row {row}": [str(v) for (r, _), v in sorted(cells.items()) if r == row] for row, _ in cells}
    assert places == {**wanted, "sheet Two, row 1": ["two"]}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ("<c><f>SUM(A1:A3)</f></c>", "=SUM(A1:A3)"),
        ("<c><f>SUM(A1:A3)</f><v>7</v></c>", "7"),
        ('<c t="str"><f>A1</f><v>said</v></c>', "said"),
        ('<c t="b"><v>1</v></c>', "True"),
        ('<c t="s"><v>1</v></c>', "shared text"),
        ('<c t="s"><v>7</v></c>', "7"),
        ('<c t="inlineStr"><is><r><t>two </t></r><r><t>runs_x000D_</t></r></is></c>', "two runs"),
        ('<c s="1"><v>45000.5</v></c>', "2023-03-15 12:00:00"),
        ('<c s="1"><v>45000</v></c>', "2023-03-15"),
        ('<c s="2"><v>0.25</v></c>', "06:00:00"),
        ('<c s="3"><v>1.5</v></c>', "1 day, 12:00:00"),
        ('<c s="4"><v>2.50</v></c>', "2.5"),
        ('<c s="1"><v>1e99</v></c>', "1e99"),
        ("<c><v>3.0</v></c>", "3"),
        ("<c><v>nothing</v></c>", "nothing"),
    ],
)
def test_cells_of_every_kind(cell: str, text: str) -> None:
    codes = "".join(
        f'<numFmt numFmtId="{number}" formatCode="{code}"/>'
        for number, code in ((164, "yyyy\\-mm"), (165, "[h]:mm"), (166, "[Red]0.0 &quot;days&quot;"))
    )
    formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 164, 20, 165, 166))
    more = {
        "styles": f'<s xmlns="s"><numFmts>{codes}</numFmts><cellXfs>{formats}</cellXfs></s>',
        "sharedStrings": '<s xmlns="s"><si><t>a</t></si><si><t>shared text</t><rPh><t>spoken</t></rPh></si></s>',
    }
    found, gaps = read(with_cells(f'<row r="1">{cell}</row>', **more))
    assert found.startswith(f"# One\n{text}\n") and not gaps


def test_comments_and_what_is_drawn_are_read_and_charts_told() -> None:
    more = {
        "comments": '<c xmlns="c"><comment ref="B2"><text><t>too </t><t>dear</t></text></comment></c>',
        "drawing": '<d xmlns="d"><sp><txBody><p><r><t>in a box</t></r></p></txBody></sp></d>',
        "chart": "<c/>",
    }
    text, gaps = read(with_cells("", **more))
    assert text.startswith("# One\nx\n\nComment on B2: too dear\nin a box\n\n# Two\ntwo\n")
    assert gaps == ["its charts are not read"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.sampled_from(["", "</x>", "<<", "<row"]))
def test_a_damaged_sheet_is_read_up_to_there_and_told(row: int, damage: str) -> None:
    """Cut there where there is no `damage`."""
    data = xlsx({"One": [[f"row {n}"] for n in range(100)], "Two": [["two"]]})

    def damaged(text: str) -> str:
        at = text.index(f'<row r="{row + 1}">')
        return text[:at] + (damage + text[at:] if damage else "")

    text, gaps = read(changed(data, sheet1=damaged))
    assert [int(n) for n in re.findall(r"row (\d+)", text)][:row] == list(range(row))
    assert "# Two\ntwo\n" in text
    assert gaps == ["its sheet One is damaged: not all of it is read"]


def test_a_sheet_that_is_not_there_is_told() -> None:
    entry = '<sheet name="Gone" sheetId="9" r:id="r9"/></sheets>'
    text, gaps = read(changed(xlsx({"One": [["x"]]}), workbook=lambda book: book.replace("</sheets>", entry)))
    assert text == "# One\nx\n\n" and gaps == ["its sheet Gone cannot be read"]
