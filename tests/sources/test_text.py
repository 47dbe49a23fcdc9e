import codecs
import io
import re
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from everything import everything
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.sources.cutter import LIMIT, Cutter
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.sources.spool import spool
from mmxcli.sources.text import TextReader

any_text = st.text(
    st.sampled_from("ab \t\r\n\x0c\x1b\x85\u2028é€漢😀\u0301\ufeff\ufffd") | st.characters(codec="utf-8")
)


def read_bytes(data: bytes) -> tuple[list[Segment], list[Gap]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        return everything(open_sources([str(path)]))


def assert_origins(segments: list[Segment], text: str) -> None:
    start = 0
    for segment in segments:
        assert segment.start == start
        assert segment.line == 1 + text.count("\n", 0, start)
        assert 0 < len(segment.text) <= LIMIT
        start += len(segment.text)
    assert "".join(segment.text for segment in segments) == text


@given(any_text.filter(lambda text: not any(c < " " and c not in "\t\r\n\x0c\x1b" for c in text)))
def test_segments_are_the_decoded_file(text: str) -> None:
    text = "text" + text.replace("\x7f", "")
    segments, gaps = read_bytes(text.encode())
    assert not gaps
    assert_origins(segments, text if "\n" in text else text.replace("\r", "\n"))


@given(st.lists(st.text(st.sampled_from("a\r\n😀"), min_size=1), min_size=1), st.integers(1000, 40_000))
def test_cuts_keep_offsets_and_lines(pieces: list[str], times: int) -> None:
    cutter, segments = Cutter("file"), list[Segment]()
    pieces = [piece * (times // len(piece)) for piece in pieces][:8]
    for piece in pieces:
        segments += cutter.cut(piece, last=False)
    segments += cutter.cut("", last=True)
    assert_origins(segments, "".join(pieces))


@settings(deadline=None)  # the first loads the detector
@given(st.binary())
def test_any_bytes_give_text_or_a_reason(data: bytes) -> None:
    segments, gaps = read_bytes(data)
    assert segments or gaps
    assert_origins(segments, "".join(segment.text for segment in segments))
    "".join(segment.text for segment in segments).encode("utf-8")


@settings(deadline=None)  # the first loads the detector
@given(st.lists(st.binary(min_size=1, max_size=4) | st.just(b"some text\n"), max_size=20), st.integers(0, 3))
def test_undecodable_bytes_are_counted(pieces: list[bytes], shift: int) -> None:
    data = b"x" * (LIMIT - shift) + b"\n" + b"".join(pieces).replace(b"\0", b"0")
    items = list(TextReader("utf-8").read(spool(io.BytesIO(data), "file")))
    segments = [item for item in items if isinstance(item, Segment)]
    gaps = [item for item in items if isinstance(item, Gap)]
    text = data.decode("utf-8", "surrogateescape")
    lost = [at for at, character in enumerate(text) if "\udc80" <= character <= "\udcff"]
    assert_origins(segments, re.sub("[\udc80-\udcff]", "\ufffd", text))
    line = text.count("\n", 0, lost[0]) + 1 if lost else 0
    expected = f"{len(lost)} bytes are not utf-8, the first on line {line}"
    assert [gap.reason for gap in gaps] == ([expected] if lost else [])


def test_cuts_prefer_the_end_of_a_line(read) -> None:
    segments, _ = read(b"0123456789abcde\n" * 10_000)
    assert len(segments) == 3
    assert all(segment.text.endswith("\n") for segment in segments)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_that_end_as_on_old_macs(read, encoding: str) -> None:
    lines = ["one", "two " * 20_000, "", "four"]
    segments, gaps = read("\r".join(lines).encode(encoding))
    assert_origins(segments, "\n".join(lines))
    assert not gaps
    text = "\r".join(lines) + "\nfive\rsix"
    assert "".join(segment.text for segment in read(text.encode(encoding))[0]) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(read, encoding: str) -> None:
    text = "Grüße, 世界 😀\r\nzwei\n"
    segments, gaps = read(text.encode(encoding))
    assert ("".join(segment.text for segment in segments), gaps) == (text, [])


def test_big_endian_utf_16_with_half_a_character(read) -> None:
    segments, [gap] = read(codecs.BOM_UTF16_BE + "one\ntwo".encode("utf-16-be") + b"\xd8")
    assert segments[0].text == "one\ntwo\ufffd"
    assert gap.reason == "1 bytes are not UTF-16, the first on line 2"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (codecs.BOM_UTF16_LE, "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (bytes(range(1, 32)) * 9, "binary"),
        (b"name\0value\0" * 99, "binary"),
        (b"\x7fELF" + b"\0" * 9 + b"\x01\x02" * 300, "binary"),
    ],
)
def test_what_is_no_text(read, data: bytes, reason: str) -> None:
    segments, [gap] = read(data, "notes.txt")
    assert not segments
    assert (gap.reason, gap.page) == (reason, None)
    assert gap.source.endswith("notes.txt")


@pytest.mark.parametrize("line", ["12:00:01 the pump stopped\n", "12:00:01 насос остановлен\n"])
@pytest.mark.parametrize("at", [0, 40, 200_000])
def test_a_log_with_a_few_zeros(document, line: str, at: int) -> None:
    data = (line * 9_000).encode()
    [*segments, remark] = document(data[:at] + b"\0\0\0" + data[at:]).segments()
    text = "".join(part.text for part in segments)
    assert (text.count("\0"), text.count("\ufffd")) == (0, 3)
    assert text.replace("\ufffd", "") == line * 9_000
    assert isinstance(remark, Remark) and remark.text == "3 zero characters in it, shown as \ufffd"


def test_an_archive_of_text_is_no_text_with_zeros(read) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        about = tarfile.TarInfo("a.txt")
        about.size = 90_000
        archive.addfile(about, io.BytesIO(b"all work and no play\n" * 9_000))
    segments, _ = read(stream.getvalue())
    assert {segment.source.rpartition("/")[2] for segment in segments} == {"a.txt"}
    assert "\ufffd" not in segments[0].text


def test_reads_again_what_was_there_when_it_was_opened(document, tmp_path: Path) -> None:
    log = document(b"first line\n")
    before = log.fingerprint()
    with (tmp_path / "file").open("ab") as file:
        file.write(b"second line\n")
    assert log.size == 11
    assert [part.text for part in log.segments()] == ["first line\n"]
    assert [part.text for part in log.segments()] == ["first line\n"]
    assert log.fingerprint() == before


def test_a_file_that_shrinks_or_vanishes_is_told(document, tmp_path: Path) -> None:
    opened: Document = document(b"first line\n")
    (tmp_path / "file").write_bytes(b"first")
    text, gap = opened.segments()
    assert isinstance(text, Segment) and text.text == "first"
    assert isinstance(gap, Gap) and gap.reason == "lost its last 6 bytes while it was read"
    (tmp_path / "file").unlink()
    [gone] = opened.segments()
    assert isinstance(gone, Gap) and gone.reason == "cannot be read: No such file or directory"


def test_one_line_of_60_megabytes_in_constant_memory(tmp_path: Path) -> None:
    path, size = tmp_path / "one-line.json", 60 << 20
    with path.open("wb") as file:
        for _ in range(60):
            file.write(b"0123456789abcde," * (1 << 16))
    tracemalloc.start()
    [found] = open_sources([str(path)])
    assert isinstance(found, Document)
    total = 0
    for segment in found.segments():
        assert isinstance(segment, Segment) and segment.line == 1 and segment.start == total
        total += len(segment.text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == size
    assert peak < 2 << 20
