import logging
import tracemalloc

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdfs import DRAWING, encrypted, pdf, showing

from mmxcli.sources.cutter import LIMIT
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.pdf import _clean
from mmxcli.sources.readers import PARSERS
from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.text import TextReader


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmxcli.sources.open.readers", lambda _: (*PARSERS, TextReader()))


def test_pages_offsets_and_lines(read) -> None:
    segments, gaps = read(pdf(showing("One", "two"), showing("three")))
    assert not gaps
    assert [(s.text, s.start, s.line, s.page) for s in segments] == [
        ("One\ntwo\n", 0, 1, 1),
        ("three\n", 8, 3, 2),
    ]


def test_the_content_decides_not_the_name(read) -> None:
    assert read(pdf(showing("One")), "notes.txt")[0][0].page == 1
    assert read(b"\r\n" + pdf(showing("One")), "download")[0][0].page == 1
    assert read(b"a mail with\n" + pdf(showing("One")), "mail.txt")[0][0].page == 1
    assert read(b"Every PDF starts with %PDF-1.4 and a new line.\n", "about.pdf")[0][0].page is None


def test_pages_without_text(read) -> None:
    segments, gaps = read(pdf(showing("One"), DRAWING, None, showing("four")))
    assert [(s.text, s.start, s.line, s.page) for s in segments] == [
        ("One\n", 0, 1, 1),
        ("four\n", 4, 2, 4),
    ]
    assert [(gap.reason, gap.page) for gap in gaps] == [("no text layer", 2)]


def test_nothing_but_blank_pages(read) -> None:
    segments, [gap] = read(pdf(None, None))
    assert not segments
    assert (gap.reason, gap.page) == ("no text layer", None)


def test_encrypted(read) -> None:
    segments, [gap] = read(encrypted(pdf(showing("secret")), "password"))
    assert not segments
    assert (gap.reason, gap.page) == ("encrypted: needs a password", None)


def test_restricted_but_open_to_readers(read) -> None:
    segments, gaps = read(encrypted(pdf(showing("public")), ""))
    assert [s.text for s in segments] == ["public\n"]
    assert not gaps


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"junk " * 100, pdf(showing("One"))[:200]])
def test_broken(read, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    segments, [gap] = read(data)
    assert not segments
    assert (gap.reason, gap.page) == ("broken PDF", None)
    assert capfd.readouterr() == ("", "")


def test_a_page_tree_that_promises_too_much(read) -> None:
    segments, [gap] = read(pdf(showing("One"), count=100_000))
    assert [s.text for s in segments] == ["One\n"]
    assert (gap.reason, gap.page) == ("broken PDF", 2)


@given(st.integers(9, 700), st.binary(max_size=8))
def test_damage_never_raises(tmp_path_factory, at: int, damage: bytes) -> None:
    path = tmp_path_factory.mktemp("damaged") / "file.pdf"
    data = pdf(showing("One"), DRAWING)
    path.write_bytes(data[:at] + damage + data[at + len(damage) :])
    for found in open_sources([str(path)]):
        parts = list(found.segments()) if isinstance(found, Document) else [found]
        assert parts


def test_pypdf_reads_what_pdfium_cannot_open(read, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(stream: object) -> None:
        raise pypdfium2.PdfiumError("no")

    monkeypatch.setattr(pypdfium2, "PdfDocument", refuse)
    segments, gaps = read(pdf(showing("One", "two"), DRAWING, None, showing("four")))
    assert [(s.text, s.start, s.line, s.page) for s in segments] == [
        ("One\ntwo\n", 0, 1, 1),
        ("four\n", 8, 3, 4),
    ]
    assert [(gap.reason, gap.page) for gap in gaps] == [("no text layer", 2)]
    assert read(encrypted(pdf(showing("secret")), "password"))[1][0].reason == "encrypted: needs a password"
    assert logging.getLogger("pypdf").handlers


def test_pypdf_goes_on_where_pdfium_fails(read, monkeypatch: pytest.MonkeyPatch) -> None:
    get_page = pypdfium2.PdfDocument.get_page

    def fail_on_the_second(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
        if index == 1:
            raise pypdfium2.PdfiumError("no")
        return get_page(document, index)

    monkeypatch.setattr(pypdfium2.PdfDocument, "get_page", fail_on_the_second)
    segments, gaps = read(pdf(showing("One"), showing("two"), showing("three")))
    assert [(s.text, s.start, s.page) for s in segments] == [
        ("One\n", 0, 1),
        ("two\n", 4, 2),
        ("three\n", 8, 3),
    ]
    assert not gaps


def test_a_long_page_is_cut(read) -> None:
    line = "0123456789" * 40
    segments, _ = read(pdf(showing(*[line] * 200), showing("two")))
    assert [s.page for s in segments] == [1, 1, 2]
    assert all(len(s.text) <= LIMIT for s in segments)
    assert "".join(s.text for s in segments) == f"{line}\n" * 200 + "two\n"


def test_characters_beyond_the_basic_plane(read) -> None:
    mapping = b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <41> <D83DDE00> endbfchar"
    stream = b"<< /Length %d >> stream\n%s\nendstream" % (len(mapping), mapping)
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>"
    segments, _ = read(pdf(showing("A smile"), font=font, extra=(stream,)))
    assert segments[0].text == "😀 smile\n"


@pytest.mark.parametrize(
    ("extracted", "text"),
    [
        ("a func\ufffetion\r\nof x", "a function\nof x\n"),
        ("a func\x02tion", "a function\n"),
        ("the x\ufffeaxis", "the x-axis\n"),
        ("Marquardt\ufffeLevenberg", "Marquardt-Levenberg\n"),
        ("case\ufffeby-case", "case-by-case\n"),
        ("GNU\ufffePLOT", "GNUPLOT\n"),
        ("soft\u00ad\r\nware and soft\u00adware", "software and software\n"),
        ("one\rtwo\n", "one\ntwo\n"),
        ("\x88 a bullet\x00\ud800", " a bullet\n"),
        (" \r\n \x0c", ""),
    ],
)
def test_clean(extracted: str, text: str) -> None:
    assert _clean(extracted) == text


def test_a_hyphen_at_the_end_of_a_line(read) -> None:
    segments, _ = read(pdf(showing("an exam-", "ple")))
    assert segments[0].text == "an example\n"


def test_lazy_and_repeatable(document) -> None:
    opened = document(pdf(*[showing(f"page {number}") for number in range(1, 51)]))
    assert next(opened.segments()) == Segment(opened.name, "page 1\n", 0, 1, 1)
    assert list(opened.segments()) == list(opened.segments())
    tracemalloc.start()
    assert sum(isinstance(part, Gap) for part in opened.segments()) == 0
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()
