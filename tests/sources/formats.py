"""Documents of every format, made of known words."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from xml.sax.saxutils import escape

Sections = Sequence[tuple[str, Sequence[str]]]  # headings, each with its paragraphs
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_S = (
    'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_R = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def zipped(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def html(sections: Sections) -> bytes:
    body = "".join(
        f"<h2>{escape(heading)}</h2>" + "".join(f"<p>{escape(text)}</p>" for text in texts)
        for heading, texts in sections
    )
    head = "<title>The title</title><style>p { color: red }</style><script>var hidden = 1</script>"
    return f'<!DOCTYPE html><html><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'.encode()


def epub(sections: Sections) -> bytes:
    names = [f"text/chapter {number}.xhtml" for number in range(len(sections))]
    files: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfile full-path="OEBPS/book.opf"/></container>',
        "OEBPS/book.opf": "<package><manifest>"
        + "".join(
            f'<item id="c{i}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
            for i, name in enumerate(names)
        )
        + '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest><spine>'
        + "".join(f'<itemref idref="c{i}"/>' for i in range(len(names)))
        + "</spine></package>",
        "OEBPS/nav.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol>'
        + "".join(
            f'<li><a href="{name.replace(" ", "%20")}#top">{escape(heading)}</a></li>'
            for name, (heading, _) in zip(names, sections, strict=True)
        )
        + "</ol></nav></body></html>",
    }
    for name, section in zip(names, sections, strict=True):
        files[f"OEBPS/{name}"] = html([section])
    return zipped(files)


def docx(sections: Sections, rows: Sequence[Sequence[str]] = (), footnote: str = "") -> bytes:
    def paragraph(text: str, style: str = "") -> str:
        properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        runs = "".join(f'<w:r><w:t xml:space="preserve">{escape(part)} </w:t></w:r>' for part in text.split(" "))
        return f"<w:p>{properties}{runs}</w:p>"

    body = "".join(paragraph(heading, "H2") + "".join(paragraph(text) for text in texts) for heading, texts in sections)
    table = "".join("<w:tr>" + "".join(f"<w:tc>{paragraph(c)}</w:tc>" for c in row) + "</w:tr>" for row in rows)
    body += f"<w:tbl>{table}</w:tbl>" if table else ""
    body += "<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>"
    files = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f'<w:styles {_W}><w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style></w:styles>',
        "word/_rels/document.xml.rels": f'<Relationships {_R}><Relationship Id="r1" Type="{_KINDS}footnotes" '
        'Target="footnotes.xml"/></Relationships>',
        "word/footnotes.xml": f"<w:footnotes {_W}><w:footnote>{paragraph(footnote)}</w:footnote></w:footnotes>",
    }
    return zipped(files)


def pptx(sections: Sections, notes: str = "") -> bytes:
    def shape(kind: str, texts: Sequence[str]) -> str:
        lines = "".join(f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>" for text in texts)
        role = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
        return f"<p:sp>{role}<p:txBody>{lines}</p:txBody></p:sp>"

    entries, relations, files = "", "", dict[str, str | bytes]()
    for number, (heading, texts) in enumerate(sections, 1):
        entries += f'<p:sldId id="{255 + number}" r:id="s{number}"/>'
        relations += f'<Relationship Id="s{number}" Type="{_KINDS}slide" Target="slides/slide{number}.xml"/>'
        tree = shape("title", [heading]) + shape("body", texts)
        files[f"ppt/slides/slide{number}.xml"] = f"<p:sld {_P}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:sld>"
        if notes and number == 1:
            relation = f'<Relationship Id="n" Type="{_KINDS}notesSlide" Target="../notesSlides/notes.xml"/>'
            files["ppt/slides/_rels/slide1.xml.rels"] = f"<Relationships {_R}>{relation}</Relationships>"
            tree = shape("body", [notes])
            files["ppt/notesSlides/notes.xml"] = f"<p:notes {_P}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:notes>"
    files["ppt/presentation.xml"] = f"<p:presentation {_P}><p:sldIdLst>{entries}</p:sldIdLst></p:presentation>"
    files["ppt/_rels/presentation.xml.rels"] = f"<Relationships {_R}>{relations}</Relationships>"
    return zipped({"[Content_Types].xml": "<Types/>", **files})


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | float]]], first_row: int = 1) -> bytes:
    def cell(value: str | float, place: str) -> str:
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    listed, relations, files = "", "", dict[str, str | bytes]()
    for number, (name, rows) in enumerate(sheets.items(), 1):
        listed += f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"/>'
        relations += f'<Relationship Id="r{number}" Type="{_KINDS}worksheet" Target="worksheets/sheet{number}.xml"/>'
        data = "".join(
            f'<row r="{at}">' + "".join(cell(v, f"{chr(65 + i)}{at}") for i, v in enumerate(row)) + "</row>"
            for at, row in enumerate(rows, first_row)
        )
        files[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {_S}><sheetData>{data}</sheetData></worksheet>"
    files["xl/workbook.xml"] = f"<workbook {_S}><sheets>{listed}</sheets></workbook>"
    files["xl/_rels/workbook.xml.rels"] = f"<Relationships {_R}>{relations}</Relationships>"
    root = f'<Relationships {_R}><Relationship Id="r1" Type="{_KINDS}officeDocument" Target="xl/workbook.xml"/>'
    files["_rels/.rels"] = f"{root}</Relationships>"
    return zipped({"[Content_Types].xml": "<Types/>", **files})


def notebook(sections: Sections, output: str = "") -> bytes:
    cells: list[dict[str, object]] = []
    for heading, texts in sections:
        cells.append({"cell_type": "markdown", "source": [f"# {heading}\n", *(f"{text}\n" for text in texts)]})
    outputs = [{"output_type": "stream", "name": "stdout", "text": [output]}]
    cells.append({"cell_type": "code", "source": "print(answer)", "outputs": outputs})
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}, indent=1).encode()


def subtitles(cues: Sequence[tuple[int, str]], *, web: bool = False) -> bytes:
    """Each with the second at which it is shown first."""

    def time(seconds: int) -> str:
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{'.' if web else ','}500"

    shown = [f"{time(at)} --> {time(at + 2)}\n{text}\n\n" for at, text in cues]
    if web:
        return ("WEBVTT\n\n" + "".join(shown)).encode()
    return "".join(f"{number}\n{one}" for number, one in enumerate(shown, 1)).encode()


def message(
    subject: str, text: str, *, html: bool = False, attachment: bytes | None = None, name: str = "engine.bin"
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Ada Lovelace <ada@example.org>", "Charles Babbage <charles@example.org>"
    mail["Date"], mail["Subject"] = "Mon, 13 Jul 1835 10:00:00 +0000", subject
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content(f"<p>{escape(text)}</p>" if html else text, subtype="html" if html else "plain")
    if attachment is not None:
        mail.add_attachment(attachment, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def mailbox(messages: Sequence[bytes]) -> bytes:
    return b"".join(
        b"From ada@example.org Mon Jul 13 10:00:00 1835\n" + one.replace(b"\nFrom ", b"\n>From ") + b"\n\n"
        for one in messages
    )
