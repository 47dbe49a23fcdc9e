"""What office documents hold beyond paragraphs and cells, and what becomes of it when they are damaged."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping

import pytest
from formats import docx, pptx, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.sources.locked import LockedReader
from mmxcli.sources.office import DocxReader, PptxReader
from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.spool import Slice, spool

BOOK = [(f"Heading {n}", [f"Paragraph {n} {word}" for word in ("one", "two", "three")]) for n in range(30)]


def read(reader: DocxReader | PptxReader, data: bytes) -> tuple[str, list[str]]:
    """The text, and the reasons of the gaps."""
    items = list(reader.read(spool(io.BytesIO(data), "file")))
    text = "".join(item.text for item in items if isinstance(item, Segment))
    return text, [item.reason for item in items if isinstance(item, Gap)]


def changed(data: bytes, changes: Mapping[str, Callable[[str], str]]) -> bytes:
    """The same office document, but for some of its parts, which begin as they were, or empty."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return zipped({**files, **{name: change(files.get(name, "")) for name, change in changes.items()}})


def before(end: str, more: str) -> Callable[[str], str]:
    """Puts more before an end."""
    return lambda text: text.replace(end, more + end)


def word(body: str, **parts: str) -> bytes:
    """A DOCX with this in its body, before a paragraph; `parts` by their kinds, which it refers to."""
    relations = "".join(f'<Relationship Id="{k}" Type="x/{k}" Target="{k}.xml"/>' for k in parts)
    return changed(
        docx([], footnote="a footnote"),
        {
            "word/document.xml": lambda text: text.replace("<w:body>", f"<w:body>{body}"),
            "word/_rels/document.xml.rels": lambda text: text.replace(
                "</Relationships>", f"{relations}</Relationships>"
            ),
            **{f"word/{kind}.xml": lambda _, text=text: text for kind, text in parts.items()},
        },
    )


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@settings(max_examples=40, deadline=None)
@given(st.integers(60, 5000), st.sampled_from(["", "<<", "</x>", "&none;", "\x01", "<w:p"]))
def test_a_damaged_docx_is_read_up_to_there_and_told(at: int, damage: str) -> None:
    """Cut there where there is no `damage`, else with it between two paragraphs."""

    def damaged(text: str) -> str:
        between = text.index("</w:p>", at) + len("</w:p>")
        return text[:at] if not damage else text[:between] + damage + text[between:]

    text, gaps = read(DocxReader(), changed(docx(BOOK, footnote="a footnote"), {"word/document.xml": damaged}))
    assert gaps == ["its part word/document.xml is damaged: not all of it is read"]
    with zipfile.ZipFile(io.BytesIO(docx(BOOK))) as archive:
        before = archive.read("word/document.xml").decode()[:at].rpartition("</w:p>")[0]
    assert "a footnote" in text
    words = re.findall(r"<w:t [^>]*>([^<]*) </w:t>", before)
    assert text.replace("#", "").split()[: len(words)] == words


def test_nesting_that_is_too_deep_is_told() -> None:
    deep = "<w:sdt>" * 3000 + f"<w:p>{run('deep')}</w:p>" + "</w:sdt>" * 3000
    text, gaps = read(DocxReader(), word(f"<w:p>{run('before')}</w:p>{deep}"))
    assert "before" in text and "a footnote" in text
    assert gaps == ["its part word/document.xml is damaged: not all of it is read"]


def test_a_member_that_cannot_be_unpacked_leaves_the_others() -> None:
    data = docx(BOOK, footnote="a footnote")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        at = archive.getinfo("word/document.xml").header_offset
    broken = bytearray(data)
    broken[at + 90 : at + 120] = b"\xff" * 30
    text, gaps = read(DocxReader(), bytes(broken))
    assert "a footnote" in text
    assert gaps == ["its part word/document.xml is damaged: not all of it is read"]


def test_a_member_with_a_wrong_checksum_is_read_and_told() -> None:
    data = docx([("One", ["Two"])])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        checksum = archive.getinfo("word/document.xml").CRC.to_bytes(4, "little")
    text, gaps = read(DocxReader(), data.replace(checksum, b"\0\0\0\0"))
    assert text.startswith("\n## One\n\nTwo \n")
    assert gaps == ["its part word/document.xml is damaged: not all of it is read"]


def test_what_was_moved_or_deleted_is_read_where_it_is_now() -> None:
    body = (
        f"<w:p><w:moveFrom>{run('moved')}</w:moveFrom><w:del><w:r><w:tab/><w:sym/></w:r></w:del>{run(' stays')}</w:p>"
        f"<w:tbl><w:tr><w:tc><w:p><w:moveTo>{run('moved')}</w:moveTo></w:p></w:tc></w:tr></w:tbl>"
    )
    text, gaps = read(DocxReader(), word(body))
    assert text.startswith(" stays\nmoved\n") and text.count("moved") == 1 and not gaps


@pytest.mark.parametrize(
    ("font", "code", "shown"),
    [
        ("Symbol", "F061", "α"),
        ("Symbol", "F057", "Ω"),
        ("Wingdings", "F0E0", "→"),
        ("Arial", "00E9", "é"),
        ("Webdings", "F061", "\N{REPLACEMENT CHARACTER}"),
        ("Symbol", "x", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_symbols(font: str, code: str, shown: str) -> None:
    text, _ = read(DocxReader(), word(f'<w:p><w:r><w:t>a</w:t><w:sym w:font="{font}" w:char="{code}"/></w:r></w:p>'))
    assert text.startswith(f"a{shown}\n")


def test_styles_that_are_based_on_headings_are_headings() -> None:
    styles = "".join(
        f'<w:style w:styleId="{one}"><w:name w:val="{one}"/><w:basedOn w:val="{base}"/></w:style>'
        for one, base in (("A", "B"), ("B", "H2"), ("C", "D"), ("D", "C"))
    )
    body = "".join(f'<w:p><w:pPr><w:pStyle w:val="{s}"/></w:pPr>{run(f"in {s}")}</w:p>' for s in ("A", "C"))
    data = changed(word(body), {"word/styles.xml": before("</w:styles>", styles)})
    text, _ = read(DocxReader(), data)
    assert text.startswith("\n## in A\n\nin C\n")


def test_diagrams_are_read_and_what_is_not_is_told_once() -> None:
    diagram = '<d xmlns:a="a"><a:p><a:r><a:t>in a circle</a:t></a:r></a:p></d>'
    data = word("", diagramData=diagram, chart="<c/>", chartEx="<c/>", oleObject="x", aFChunk="x")
    text, gaps = read(DocxReader(), data)
    assert "in a circle\n" in text
    assert gaps == ["its charts are not read", "its embedded documents are not read"]


def test_a_slide_is_read_once_with_all_that_belongs_to_it() -> None:
    def shape(text: str, role: str = "") -> str:
        kind = f'<p:nvSpPr><p:nvPr><p:ph type="{role}"/></p:nvPr></p:nvSpPr>' if role else ""
        return f"<p:sp>{kind}<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"

    choice = f"<m:AlternateContent><m:Choice>{shape('twice')}</m:Choice><m:Fallback>{shape('twice')}</m:Fallback>"
    added = f'<x xmlns:m="m">{choice}</m:AlternateContent>{shape("a footer", "ftr")}{shape("7", "sldNum")}</x>'
    kinds = ("comments", "diagramData", "chart")
    relations = "".join(f'<Relationship Id="{kind}" Type="x/{kind}" Target="../{kind}.xml"/>' for kind in kinds)
    slides = {f"ppt/slides/slide{n}.xml": before("</p:spTree>", added) for n in (1, 2)}
    data = changed(
        pptx(BOOK[:2], "what the speaker says"),
        {
            **slides,
            "ppt/notesSlides/notes.xml": before("</p:spTree>", shape("a box")),
            "ppt/slides/_rels/slide1.xml.rels": lambda text: text.replace(
                "</Relationships>", f"{relations}</Relationships>"
            ),
            "ppt/comments.xml": lambda _: '<c xmlns:a="a"><text>so they say</text><a:p><a:t>and so on</a:t></a:p></c>',
            "ppt/diagramData.xml": lambda _: '<d xmlns:a="a"><a:p><a:t>in a circle</a:t></a:p></d>',
            "ppt/chart.xml": lambda _: "<c/>",
        },
    )
    text, gaps = read(PptxReader(), data)
    assert text.count("twice") == 2 and text.count("a footer") == 1 and "7" not in text
    assert "Notes:\nwhat the speaker says\na box\nComments:\nso they say\nand so on\nin a circle\n" in text
    assert gaps == ["its charts are not read"]


def test_damaged_slides_are_told_and_the_others_read() -> None:
    cut = {"ppt/slides/slide1.xml": lambda text: text[: text.index("two")], "ppt/slides/slide2.xml": lambda _: ""}
    text, gaps = read(PptxReader(), changed(pptx(BOOK[:3]), cut))
    assert "Paragraph 0 one" in text and "Paragraph 2 three" in text and "Heading 1" not in text
    assert gaps == ["its slide 1 is damaged: not all of it is read", "its slide 2 cannot be read"]


@pytest.mark.parametrize("sector", [1, 9, 700])
def test_encrypted_documents_are_called_so(sector: int) -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(30, b"\0") + b"\x09\0"
    data = bytearray(head.ljust(48, b"\0") + sector.to_bytes(4, "little")).ljust(512 * (sector + 3), b"\0")
    other = spool(io.BytesIO(bytes(data)), "file")
    assert isinstance(other, Slice) and not LockedReader().recognises(bytes(data), other)
    name = "EncryptedPackage".encode("utf-16-le")
    at = 512 * (sector + 1) + 128
    data[at : at + len(name)] = name
    content = spool(io.BytesIO(bytes(data)), "file")
    assert isinstance(content, Slice) and LockedReader().recognises(bytes(data[: 1 << 16]), content)
    [gap] = LockedReader().read(content)
    assert isinstance(gap, Gap) and gap.reason.startswith("encrypted")
