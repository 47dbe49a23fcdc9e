import io
import logging
import re
import tracemalloc
import zlib

import pypdfium2
import pytest
from everything import everything
from hypothesis import given, settings
from hypothesis import strategies as st
from pdfs import DRAWING, HELVETICA, encrypted, pdf, showing, structured, without_map

from mmxcli.config import Settings
from mmxcli.errors import InputError
from mmxcli.sources.choice import Choice
from mmxcli.sources.cutter import LIMIT
from mmxcli.sources.document import ENCRYPTED, Document
from mmxcli.sources.heads import MOST, without_heads
from mmxcli.sources.open import open_sources
from mmxcli.sources.pdf import PdfReader, _clean
from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.spool import spool


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmxcli.sources.readers.Isolated", lambda parser: parser)


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
    assert read(b"\x1b%-12345X@PJL\r\n" + pdf(showing("One")) + b"\x1b%-12345X", "print job")[0][0].page == 1
    code = b'"""A test"""\nSAMPLE = b"""\n%PDF-1.4\n1 0 obj\n%%EOF\n"""\nKEYWORD = 1\n'
    segments, gaps = read(code, "sample.py")
    assert (segments[0].text, gaps) == (code.decode(), [])


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


BOOK = [[f"page {n} line {line} of words" for line in range(9)] for n in range(1, 6)]


def of(segments: list[Segment]) -> dict[int, str]:
    """By the numbers of pages, their texts."""
    return {number: "".join(s.text for s in segments if s.page == number) for number in {s.page or 0 for s in segments}}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=9))
def test_a_page_whose_content_is_damaged_is_told(page: int, at: float, damage: bytes) -> None:
    data = pdf(*[showing(*lines) for lines in BOOK], packed=True)
    starts = [found.end() for found in re.finditer(rb">> stream\n", data)]
    ends = [found.start() for found in re.finditer(rb"\nendstream", data)]
    place = starts[page - 1] + int(at * (ends[page - 1] - starts[page - 1] - len(damage)))
    damaged = data[:place] + damage + data[place + len(damage) :]
    items = list(PdfReader().read(spool(io.BytesIO(damaged), "file.pdf")))
    texts = of([item for item in items if isinstance(item, Segment)])
    gaps = [(item.reason, item.page) for item in items if isinstance(item, Gap)]
    for n, lines in enumerate(BOOK, 1):
        told = ("broken PDF: not all of the page can be read", n) in gaps
        assert told if n == page and damaged != data else texts[n].split("\n")[:-1] == lines and not told


def test_a_page_whose_content_is_not_there_is_told(read) -> None:
    segments, [gap] = read(pdf(showing("One"), showing("two"), showing("three")).replace(b"\n7 0 obj", b"\n7 0 xxx"))
    assert list(of(segments)) == [1, 3]
    assert (gap.reason, gap.page) == ("broken PDF: not all of the page can be read", 2)


def test_a_missing_page_is_told_and_counted(read) -> None:
    data = pdf(showing("One"), showing("two"), showing("three"))
    segments, [gap] = read(data.replace(b"/Kids [4 0 R 6 0 R", b"/Kids [4 0 R 99 0 R"))
    assert of(segments) == {1: "One\n", 3: "three\n"}
    assert (gap.reason, gap.page) == ("broken PDF: the page is not there", 2)


def test_a_page_tree_that_promises_too_little(read) -> None:
    segments, gaps = read(pdf(showing("One"), showing("two"), showing("three"), count=1))
    assert of(segments) == {1: "One\n", 2: "two\n", 3: "three\n"} and not gaps


def test_a_page_tree_that_leads_back_to_itself(read) -> None:
    data = pdf(showing("One"), showing("two"), showing("three"), count=1)
    segments, [gap] = read(data.replace(b"/Kids [4 0 R 6 0 R", b"/Kids [2 0 R 2 0 R"))
    assert of(segments) == {1: "three\n"}
    assert (gap.reason, gap.page) == ("broken PDF: its page tree leads back to itself", None)


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.35, 0.95), packed=st.booleans())
def test_of_a_file_that_is_cut_off_the_pages_are_read_that_are_there(share: float, packed: bool) -> None:
    data = pdf(*[showing(*lines) for lines in BOOK], packed=packed)
    cut = data[: int(share * data.index(b"xref"))]
    items = list(PdfReader().read(spool(io.BytesIO(cut), "file.pdf")))
    texts = of([item for item in items if isinstance(item, Segment)])
    whole = cut.count(b"\nendstream\nendobj")
    assert all(texts[n] == "".join(f"{line}\n" for line in BOOK[n - 1]) for n in range(1, whole + 1))
    assert [item.reason for item in items if isinstance(item, Gap) and item.page is None] == [
        "broken PDF: it is cut off, and its pages are counted as they come"
    ]


def test_a_file_that_is_cut_off_with_its_pages_in_object_streams(read) -> None:
    fonts = b"/Resources << /Font << /F1 3 0 R >> >>"
    inner = [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] %s /Contents 4 0 R >>" % fonts, HELVETICA]
    head = b"7 0 3 %d " % len(inner[0])
    packed = zlib.compress(head + b"".join(inner))
    way = b"<< /Type /ObjStm /N 2 /First %d /Length %d /Filter /FlateDecode >>" % (len(head), len(packed))
    shown = showing("One", "two")
    data = b"%%PDF-1.5\n4 0 obj\n<< /Length %d >> stream\n%s\nendstream\nendobj\n" % (len(shown), shown)
    data += b"5 0 obj\n%s\nstream\n%s\nendstream\nendobj\n6 0 obj\n<< /Le" % (way, packed)
    segments, [gap] = read(data)
    assert of(segments) == {1: "One\ntwo\n"} and "cut off" in gap.reason


def noted(*notes: bytes) -> bytes:
    """A PDF of two pages, the first with annotations."""
    data = pdf(showing("One"), showing("two"), extra=tuple(b"<< /Type /Annot %s >>" % note for note in notes))
    annotations = b" ".join(b"%d 0 R" % number for number in range(4, 4 + len(notes)))
    return data.replace(b"/Type /Page /", b"/Type /Page /Annots [%s] /" % annotations, 1)


def test_what_is_written_into_forms_and_annotations_stands_at_the_end_of_its_page(read) -> None:
    segments, gaps = read(
        noted(
            b"/Subtype /Widget /FT /Tx /T (name) /V (Ingrid Solheim)",
            b"/Subtype /FreeText /Contents (seen by Ada)",
            b"/Subtype /Text /Contents <FEFF6E2F0041>",
            b"/Subtype /Widget /FT /Btn /V /Off",
            b"/Subtype /Text /F 2 /Contents (hidden)",
            b"/Subtype /Link /Contents (a link)",
        )
    )
    assert of(segments) == {1: "One\nIngrid Solheim\nseen by Ada\n港A\n", 2: "two\n"} and not gaps


def test_pypdf_reads_what_pdfium_cannot_open(read, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
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


def test_places_are_printed_labels_and_headings(read) -> None:
    pages = [
        showing("Preface"),
        showing("1 Whales", "swim"),
        showing("and dive", "Chapter 2 Sharks", "bite"),
        showing("too"),
    ]
    data = structured(pdf(*pages), [("Whales", 2), ("Sharks", 3)], [(1, 1, "/r"), (2, 4, "/D")])
    segments, gaps = read(data)
    assert not gaps
    assert [(s.text, s.page, s.place and s.place.words) for s in segments] == [
        ("Preface\n", 1, "printed page i"),
        ("1 Whales\nswim\n", 2, "printed page 1, Whales"),
        ("and dive\n", 3, "printed page 2, Whales"),
        ("Chapter 2 Sharks\nbite\n", 3, "printed page 2, Sharks"),
        ("too\n", 4, "printed page 3, Sharks"),
    ]
    assert "".join(s.text for s in segments) == "".join(s.text for s in read(pdf(*pages))[0])


def test_a_heading_that_the_page_does_not_show_holds_from_its_top(read) -> None:
    segments, _ = read(structured(pdf(showing("one"), showing("two")), [("Whales", 1), ("Sharks", 2)]))
    assert [(s.text, s.place.words) for s in segments] == [("one\n", "Whales"), ("two\n", "Sharks")]


@pytest.mark.parametrize("kind", ["by glyph", "drawn", "by name"])
def test_fonts_that_do_not_tell_their_characters(read, kind: str) -> None:
    segments, [gap] = read(without_map(kind))
    assert not segments
    assert (gap.page, gap.reason) == (1, "garbled: its fonts do not tell which characters they show")


def test_old_fonts_that_tell_nothing_but_are_read_right(read) -> None:
    font = without_map("by name").partition(b"3 0 obj\n")[2].partition(b"\nendobj")[0].replace(b"[65 ", b"[300 ")
    segments, gaps = read(pdf(showing("The whale is a fish, says Ishmael."), font=font, extra=(b"<< >>",)))
    assert [s.text for s in segments] == ["The whale is a fish, says Ishmael.\n"]
    assert not gaps


def test_running_heads_are_dropped_where_asked_for(tmp_path) -> None:
    left, right = "{n} The Whale", "Chapter One {n}"
    pages = [
        showing((left if n % 2 else right).format(n=n), f"page {n} begins", "12 7", f"page {n} ends", "A Footer")
        for n in range(1, 9)
    ]
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf(*pages))
    segments, gaps = everything(open_sources([str(path)], choice=Choice(drop_running_heads=True)))
    assert not gaps
    assert [s.text for s in segments] == [f"page {n} begins\n12 7\npage {n} ends\n" for n in range(1, 9)]


@given(st.lists(st.lists(st.sampled_from(["a", "b 1", "2 c", "ix", "7", ""]), min_size=1, max_size=5), max_size=12))
def test_without_heads_every_page_keeps_a_line_and_loses_only_some_at_its_ends(pages: list[list[str]]) -> None:
    texts = [(number, "\n".join(lines) + "\n") for number, lines in enumerate(pages, 1)]
    kept = list(without_heads(texts))
    assert [number for number, _ in kept] == [number for number, _ in texts]
    for (_, before), (_, after) in zip(texts, kept, strict=True):
        assert after in before
        assert before.count("\n") - after.count("\n") <= 2 * MOST
        assert after.endswith("\n")


def test_numbers_that_count_nothing_are_no_running_heads() -> None:
    pages = [(n, f"{n * n} apples\nthe end {n * n}\n") for n in range(1, 10)]
    assert list(without_heads(pages)) == pages


@pytest.fixture
def locked(tmp_path):
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted(pdf(showing("secret")), "open sesame"))
    return path


def test_passwords_of_a_file(locked, tmp_path) -> None:
    file = tmp_path / "passwords"
    file.write_text("wrong\nopen sesame\n")
    choice = Choice.of(Settings(password_file=file))
    [document] = open_sources([str(locked)], choice=choice)
    assert [s.text for s in document.segments()] == ["secret\n"]
    [other] = open_sources([str(locked)])
    assert other.fingerprint() != document.fingerprint()
    assert "sesame" not in document.reader.version


def test_passwords_that_open_nothing(locked) -> None:
    _, [gap] = everything(open_sources([str(locked)], choice=Choice(passwords=("a", "b"))))
    assert gap.reason == "encrypted: the password does not open it"


def test_a_file_of_passwords_that_is_not_there(tmp_path) -> None:
    with pytest.raises(InputError, match=r"--password-file .*nowhere: No such file"):
        Choice.of(Settings(password_file=tmp_path / "nowhere"))


@pytest.mark.parametrize(("typed", "text"), [(["no", "open sesame"], "secret\n"), (["no"] * 3, ""), ([""], "")])
def test_a_person_is_asked(locked, monkeypatch, typed: list[str], text: str) -> None:
    asked = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return typed[len(asked) - 1]

    monkeypatch.setattr("mmxcli.sources.lock.getpass.getpass", getpass)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    segments, gaps = everything(open_sources([str(locked)]))
    assert "".join(s.text for s in segments) == text
    assert bool(gaps) == (not text)
    assert asked == [f"password of {locked}: "] * len(typed)


def test_nobody_is_asked_where_nobody_sits(locked, monkeypatch) -> None:
    monkeypatch.setattr("mmxcli.sources.lock.getpass.getpass", lambda _: pytest.fail("asked"))
    _, [gap] = everything(open_sources([str(locked)]))
    assert gap.reason == ENCRYPTED


def test_the_other_process_knows_the_choice(tmp_path, monkeypatch, locked) -> None:
    monkeypatch.undo()
    segments, gaps = everything(open_sources([str(locked)], choice=Choice(passwords=("open sesame",))))
    assert [s.text for s in segments] == ["secret\n"]
    assert not gaps


# pdfium takes lines of single characters for text that runs downwards.
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789", min_size=2, max_size=9), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(pages=st.lists(st.lists(WORDS.map(" ".join), min_size=1, max_size=5), min_size=1, max_size=6))
def test_every_word_is_there_on_its_page(pages: list[list[str]]) -> None:
    content = spool(io.BytesIO(pdf(*[showing(*lines) for lines in pages])), "file.pdf")
    items = list(PdfReader().read(content))
    assert all(isinstance(item, Segment) for item in items)
    assert [(item.page, item.text.split()) for item in items] == [
        (number, " ".join(lines).split()) for number, lines in enumerate(pages, 1)
    ]
