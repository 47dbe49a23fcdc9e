"""For every format: each word of a document is there, with a place that leads back to it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from everything import Read
from formats import docx, epub, html, mailbox, message, notebook, pptx, subtitles, xlsx, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmxcli.sources.readers import PARSERS
from mmxcli.sources.segment import Gap, Place, Segment
from mmxcli.sources.spool import spool
from mmxcli.sources.subtitles import SubtitleReader
from mmxcli.sources.text import TextReader

WORD = st.text(st.characters(categories=["L", "Nd"], max_codepoint=0x2FFFF), min_size=1, max_size=12)
SENTENCE = st.lists(WORD, min_size=1, max_size=8).map(" ".join)
SECTIONS = st.lists(st.tuples(SENTENCE, st.lists(SENTENCE, min_size=1, max_size=3)), min_size=1, max_size=4)
MAKERS: dict[str, tuple[str, Callable[..., bytes], str]] = {
    "html": ("HTML", html, "under “{}”"),
    "epub": ("EPUB", epub, "chapter “{}”"),
    "docx": ("DOCX", docx, "under “{}”"),
    "pptx": ("PPTX", pptx, "slide {n}"),
    "notebook": ("notebook", notebook, "cell {n}"),
}
BOOK = [("The harbour", ["Ingrid Solheim built it.", "In 1823."]), ("The storm", ["The gale took the pier & more."])]


def parsed(data: bytes, name: str, tmp_path: Path | None = None) -> tuple[str, list[Segment], list[Gap]]:
    """By the reader that recognises it, in this process: its format, segments and gaps."""
    import io

    content = spool(io.BytesIO(data), name)
    reader = next(
        reader for reader in (*PARSERS, SubtitleReader(), TextReader()) if reader.recognises(data[: 1 << 16], content)
    )
    items = list(reader.read(content))
    return (
        reader.format,
        [item for item in items if isinstance(item, Segment)],
        [item for item in items if isinstance(item, Gap)],
    )


def checked(segments: list[Segment]) -> str:
    """The whole text, of segments that continue each other."""
    text, line = "", 1
    for segment in segments:
        assert (segment.start, segment.line) == (len(text), line)
        text, line = text + segment.text, line + segment.text.count("\n")
    return text


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sections=SECTIONS)
def test_every_word_is_there_in_its_place(kind: str, sections: list[tuple[str, list[str]]]) -> None:
    format, make, place = MAKERS[kind]
    found, segments, gaps = parsed(make(sections), f"file.{kind}")
    assert (found, gaps) == (format, [])
    checked(segments)
    for number, (heading, texts) in enumerate(sections, 1):
        wanted = place.format(" ".join(heading.split())[:80], n=number)
        here = "".join(one.text for one in segments if one.place and one.place.at(one.line) == wanted)
        for text in (heading, *texts):
            assert " ".join(text.split()) in " ".join(here.split())


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.lists(SENTENCE, max_size=4), min_size=1, max_size=9), first=st.integers(1, 40))
def test_every_cell_is_there_in_its_row(rows: list[list[str]], first: int) -> None:
    found, segments, gaps = parsed(xlsx({"Prices": rows, "Other": [["x", 3.5, 4.0]]}, first), "file.xlsx")
    assert (found, gaps) == ("XLSX", [])
    lines = checked(segments).split("\n")
    seen = dict[int, str]()
    for segment in segments:
        for offset, text in enumerate(segment.text.split("\n")[:-1]):
            line = segment.line + offset
            assert lines[line - 1] == text
            words = segment.place.at(line) if segment.place else ""
            if match := re.fullmatch(r"sheet Prices, row (\d+)", words):
                seen[int(match[1]) - first] = text
    wanted = enumerate("\t".join(" ".join(cell.split()) for cell in row) for row in rows)
    assert {row: text for row, text in seen.items() if text} == {row: text for row, text in wanted if text}
    assert "x\t3.5\t4" in lines


def test_what_office_documents_hide_is_read_or_left_out() -> None:
    text = checked(parsed(docx(BOOK, [["a cell", "another"], ["x", "y"]], "a footnote"), "f.docx")[1])
    assert "a cell | another\nx | y\n" in text and "a footnote" in text and "deleted" not in text
    assert "\n## The storm \n" in text or "\n## The storm\n" in text
    text = checked(parsed(pptx(BOOK, "what the speaker says"), "f.pptx")[1])
    assert "Notes:\nwhat the speaker says" in text and text.index("what the speaker") < text.index("The storm")


def test_html_is_text_without_its_machinery() -> None:
    page = html(BOOK).replace(
        b"</body>", b"<ul><li>one<li>two</ul><pre>a\n  b</pre><table><tr><td>1<td>2</table></body>"
    )
    text = checked(parsed(page, "f.html")[1])
    assert "hidden" not in text and "color" not in text
    assert text.startswith("The title\n\n\n## The harbour\n\nIngrid Solheim built it.\n\n")
    assert "- one\n- two\n" in text and "a\n  b\n" in text and "1 | 2\n" in text


@pytest.mark.parametrize(
    "page",
    [
        "<html><body>Stra\u00dfe</body></html>".encode(),
        "<html><body>Stra\u00dfe</body></html>".encode("windows-1252"),
        '<html><head><meta charset="koi8-r"></head><body>Москва</body></html>'.encode("koi8-r"),
    ],
    ids=["utf-8", "windows-1252", "koi8-r"],
)
def test_html_in_any_encoding(page: bytes) -> None:
    assert checked(parsed(page, "f.html")[1]).strip() in ("Straße", "Москва")


def test_mail_and_mailboxes() -> None:
    one = message(
        "The engine", "It weaves algebraic patterns.\nFrom here on it is clear.", attachment=b"\0\1\2\xff\x89" * 3
    )
    two = message("Réponse", "Les métiers à tisser", html=True)
    found, segments, gaps = parsed(one, "f.eml")
    assert found == "e-mail" and "Subject: The engine\n" in checked(segments)
    assert [gap.reason for gap in gaps] == ["attachment engine.bin: binary"]
    found, segments, _ = parsed(mailbox([one, two]), "f.mbox")
    text = checked(segments)
    assert found == "e-mail" and "\nFrom here on it is clear." in text and "Les métiers à tisser" in text
    assert {one.place.words for one in segments if one.place} == {"message 1: The engine", "message 2: Réponse"}


@pytest.mark.parametrize(
    ("data", "name", "place"),
    [
        (docx(BOOK), "book.docx", "attachment book.docx, under “The storm”"),
        (
            xlsx({"Prices": [["Whale", 7.0], ["The gale came at dusk.", 8.0]]}),
            "p.xlsx",
            "attachment p.xlsx, sheet Prices, row 2",
        ),
        (message("Inner", "The gale came at dusk."), "inner.eml", "attachment inner.eml"),
        (b"The gale came at dusk.\n", "notes.txt", "attachment notes.txt"),
    ],
)
def test_attachments_are_read_as_what_they_are(data: bytes, name: str, place: str) -> None:
    found, segments, gaps = parsed(message("Ship", "See there.", attachment=data, name=name), "f.eml")
    text = checked(segments)
    assert found == "e-mail" and not gaps
    assert f"See there.\n\nAttachment: {name}\n\n" in text
    [there] = [one for one in segments if "gale" in one.text]
    line = there.line + there.text[: there.text.index("gale")].count("\n")
    assert there.place and there.place.at(line) == place
    _, segments, _ = parsed(mailbox([message("Ship", "See there.", attachment=data, name=name)] * 2), "f.mbox")
    assert f"message 2, {place}" in {
        one.place.at(one.line + offset) for one in segments if one.place for offset in range(one.text.count("\n"))
    }


def test_messages_attached_to_messages_have_an_end() -> None:
    data = message("innermost", "the kernel")
    for _ in range(8):
        data = message("shell", "x", attachment=data, name="more.eml")
    _, segments, gaps = parsed(data, "f.eml")
    assert checked(segments).count("Attachment: more.eml") >= 4
    assert not gaps or "the kernel" not in checked(segments)


def test_a_damaged_attachment_leaves_the_rest_of_the_message() -> None:
    data = message("Ship", "See there.", attachment=docx(BOOK)[:-200], name="book.docx")
    _, segments, [gap] = parsed(data, "f.eml")
    assert "See there." in checked(segments)
    assert gap.reason.startswith("attachment book.docx: ")


@settings(max_examples=40, deadline=None)
@given(cues=st.lists(SENTENCE, min_size=1, max_size=9), web=st.booleans())
def test_every_subtitle_is_there_with_its_time(cues: list[str], web: bool) -> None:
    times = [(400 * number, text) for number, text in enumerate(cues)]
    found, segments, gaps = parsed(subtitles(times, web=web), "film.srt")
    said = [(at, text) for at, text in times if text.strip()]
    assert found == "subtitles" and (gaps == []) == bool(said)
    checked(segments)
    for at, text in said:
        here = [one.text for one in segments if one.place == Place(f"at {at // 3600}:{at // 60 % 60:02}:{at % 60:02}")]
        assert [" ".join(one.split()) for one in here] == [" ".join(text.split())]


def test_subtitles_without_their_styles() -> None:
    data = b"\xef\xbb\xbf1\r\n00:00:01,000 --> 00:00:04,000 X1:1\r\n"
    data += b"<i>Never</i> {\\an8}drink\r\n{nitrogen} <3\r\n2\r\n\r\n"
    data += b"2\r\n01:00:05,000 --> 01:00:09,000\r\n1941\r\n"
    found, segments, _ = parsed(data, "film.srt")
    assert found == "subtitles"
    assert [(one.text, one.place) for one in segments] == [
        ("Never drink\n{nitrogen} <3\n2\n", Place("at 0:00:01")),
        ("1941\n", Place("at 1:00:05")),
    ]
    _, segments, _ = parsed(
        b"WEBVTT\n\nNOTE by Ada\n\n00:05.000 --> 00:06.000\n<v.loud Roger>Hey &amp; &lt;i>ho</v> &c\n", "film.vtt"
    )
    assert [(one.text, one.place) for one in segments] == [
        ("NOTE by Ada\n", None),
        ("Roger: Hey & <i>ho &c\n", Place("at 0:00:05")),
    ]
    assert parsed(b"1\n2\n3 --> 4\n", "notes.txt")[0] == "text"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_subtitles_with_any_ends_of_lines_and_text_beside_the_time(end: str) -> None:
    lines = ["1", "00:00:01,000 --> 00:00:04,000 X1:40 Y1:20", "One", ""]
    lines += ["2", "00:00:05,000 --> 00:00:06,000 position:50% The storm:", "came.", ""]
    found, segments, gaps = parsed(end.join(lines).encode(), "film.srt")
    assert (found, gaps) == ("subtitles", [])
    assert [(one.text, one.place) for one in segments] == [
        ("One\n", Place("at 0:00:01")),
        ("The storm:\ncame.\n", Place("at 0:00:05")),
    ]


def test_outputs_of_notebooks_are_read_as_far_as_they_make_sense() -> None:
    _, segments, gaps = parsed(notebook(BOOK, "42\n"), "f.ipynb")
    assert "print(answer)\n\nOut:\n42\n" in checked(segments) and not gaps
    _, segments, gaps = parsed(notebook(BOOK, "x" * 100_000), "f.ipynb")
    assert len(checked(segments)) < 30_000
    assert [gap.reason for gap in gaps] == ["cell 3: its output beyond 20,000 characters"]


def test_a_zip_of_other_things_is_none_of_these(tmp_path: Path) -> None:
    with pytest.raises(StopIteration):
        parsed(zipped({"a.txt": "text"}), "f.docx")


def test_a_locked_book_is_told() -> None:
    import io
    import zipfile

    data = io.BytesIO(epub(BOOK))
    with zipfile.ZipFile(data, "a") as archive:
        method = '<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
        archive.writestr("META-INF/encryption.xml", f"<encryption><EncryptedData>{method}</EncryptedData></encryption>")
    _, segments, (gap,) = parsed(data.getvalue(), "f.epub")
    assert not segments and "encrypted" in gap.reason


def test_from_a_file_through_the_other_process(read: Read) -> None:
    for name, data in {"a.epub": epub(BOOK), "b.docx": docx(BOOK), "c.html": html(BOOK)}.items():
        segments, gaps = read(data, name)
        assert "Ingrid Solheim built it." in checked(segments) and not gaps
