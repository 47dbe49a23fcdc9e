"""Archives and compressed files are what is in them; bombs are one line."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from everything import everything
from formats import docx, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.config import Settings
from mmxcli.sources import archive
from mmxcli.sources.choice import Choice
from mmxcli.sources.open import open_sources

FILES = {"README.md": b"# First\n", "src/main.py": b"print('hello')\n", "docs/long.txt": b"A line of text.\n" * 50_000}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def tar(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return data.getvalue()


ARCHIVES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": lambda files: zipped(dict(files)),
    "tar": tar,
    **{f"tar.{name}": lambda files, pack=pack: pack(tar(files)) for name, pack in COMPRESSIONS.items()},  # type: ignore[misc]
}


def read(data: bytes, name: str, folder: Path, **choice: int) -> tuple[dict[str, str], dict[str, str]]:
    """Texts and reasons by the names within."""
    (folder / name).write_bytes(data)
    segments, gaps = everything(open_sources([str(folder / name)], choice=Choice.of(Settings(**choice))))  # type: ignore[arg-type]
    texts: dict[str, str] = {}
    for segment in segments:
        texts[segment.source] = texts.get(segment.source, "") + segment.text
    short = len(f"{folder}/")
    return {key[short:]: text for key, text in texts.items()}, {gap.source[short:]: gap.reason for gap in gaps}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_every_file_is_there(kind: str, tmp_path: Path) -> None:
    texts, gaps = read(ARCHIVES[kind](FILES), f"a.{kind}", tmp_path)
    assert not gaps and list(texts) == [f"a.{kind}/{name}" for name in FILES]
    assert list(texts.values()) == [content.decode() for content in FILES.values()]


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_one_compressed_file(kind: str, tmp_path: Path) -> None:
    texts, gaps = read(COMPRESSIONS[kind](FILES["docs/long.txt"]), f"log.txt.{kind}", tmp_path)
    assert (list(texts), gaps) == ([f"log.txt.{kind}/log.txt"], {})
    assert texts[f"log.txt.{kind}/log.txt"] == FILES["docs/long.txt"].decode()


def test_the_content_decides_and_archives_hold_documents_and_archives(tmp_path: Path) -> None:
    inner = zipped({"deep.txt": "deep down\n", ".hidden": "x", "__MACOSX/a.txt": "x"})
    texts, gaps = read(tar({"a.bin": inner, "report": docx([("Title", ["Words."])])}), "download", tmp_path)
    assert texts["download/a.bin/deep.txt"] == "deep down\n" and "Words." in texts["download/report"]
    assert set(texts) == {"download/a.bin/deep.txt", "download/report"} and not gaps


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    texts, _ = read(
        tar({"../../etc/passwd": b"root\n", "/abs/olute": b"text\n", "a/../b": b"more\n"}), "t.tar", tmp_path
    )
    assert set(texts) == {"t.tar/etc/passwd", "t.tar/abs/olute", "t.tar/b"}


def test_a_member_without_a_name_is_read(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        nameless = zipfile.ZipInfo("x")
        nameless.filename = ""
        made.writestr(nameless, "nameless\n")
        made.writestr("b.txt", "named\n")
    texts, gaps = read(data.getvalue(), "a.zip", tmp_path)
    assert sorted(texts.values()) == ["named\n", "nameless\n"] and not gaps


def test_a_bomb_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ALWAYS", 1 << 20)
    begun = time.monotonic()
    bomb, last = bytes(50 << 20), {"c.txt": b"text"}
    tarred = gzip.compress(tar({"a.txt": b"text", "b.txt": bomb, **last}))
    for data, name, found, told in (
        (gzip.compress(bomb), "b.gz", set(), {"b.gz/b"}),
        (zipped({"b.txt": bomb, **last}), "b.zip", {"b.zip/c.txt"}, {"b.zip/b.txt"}),
        (zipped({"b.gz": gzip.compress(bomb), **last}), "g.zip", {"g.zip/c.txt"}, {"g.zip/b.gz/b"}),
        (tarred, "b.tgz", {"b.tgz/a.txt"}, {"b.tgz/b.txt", "b.tgz/b.tar"}),
    ):
        texts, gaps = read(data, name, tmp_path)
        assert (set(texts), set(gaps)) == (found, told)
        assert all("unpacks to more than 200 times" in reason for reason in gaps.values())
    data = b"text\n"
    for _ in range(8):
        data = zipped({"again.zip": data})
    texts, gaps = read(data, "nested.zip", tmp_path)
    assert not texts and list(gaps.values()) == ["an archive within 4 others, like all that are as deep"]
    assert time.monotonic() - begun < 30


def test_what_cannot_be_unpacked_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": b"first " * 100, "b.txt": b"second " * 100}, zipfile.ZIP_STORED))
    data[data.index(b"first ")] ^= 1
    texts, gaps = read(bytes(data), "z.zip", tmp_path)
    assert list(texts)[-1] == "z.zip/b.txt" and gaps == {"z.zip/a.txt": "broken archive"}
    locked = bytearray(zipped({"a.txt": b"text"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(magic) + offset] |= 1
    assert read(bytes(locked), "l.zip", tmp_path)[1] == {"l.zip/a.txt": "encrypted: needs a password"}
    assert read(gzip.compress(b"text" * 1000)[:-20], "g.gz", tmp_path)[1] == {
        "g.gz/g": "broken archive: it ends too early"
    }
    assert read(zipped({}), "e.zip", tmp_path)[1] == {
        "e.zip": "an archive without files, but for empty and hidden ones"
    }


def test_limits_are_told(tmp_path: Path) -> None:
    texts, gaps = read(tar(FILES), "t.tar", tmp_path, max_file_size=1000)
    assert not texts and list(gaps.values()) == [f"{len(tar(FILES)):,} bytes, more than --max-file-size allows"]
    (tmp_path / "folder").mkdir()
    for number in range(5):
        (tmp_path / "folder" / f"{number}.txt").write_text("text" * (number + 1))
    found = list(open_sources([str(tmp_path / "folder")], choice=Choice(max_files=3)))
    assert [getattr(item, "reason", "") for item in found] == [
        "",
        "",
        "",
        "it and all that follows are beyond the 3 of --max-files",
        "",  # the tree
    ]


LINES = {f"{number}.txt": f"This is line {number}.\n".encode() * (number + 1) for number in range(6)}


@settings(max_examples=60, deadline=None)
@given(number=st.integers(0, 5), packed=st.sampled_from(["tar", "tar.gz"]), cut=st.booleans(), old=st.booleans())
def test_only_the_damaged_member_of_a_tar_is_missing(number: int, packed: str, cut: bool, old: bool) -> None:
    data = bytearray(tar(LINES))
    headers = [at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]
    at = headers[number]
    if old:  # as tar wrote them before there was a magic number
        for header in headers:
            data[header + 257 : header + 265] = bytes(8)
            block = data[header : header + 148] + b" " * 8 + data[header + 156 : header + 512]
            data[header + 148 : header + 156] = b"%06o\0 " % sum(block)
    if cut:
        data = data[: at + 512 * bool(number % 2)]
    else:
        data[at + 150] ^= 1
    gone = range(number, 6 if cut else number + 1)
    if number == 0 and (old or not data):
        return  # nothing shows that it is one
    with TemporaryDirectory() as folder:
        texts, gaps = read(COMPRESSIONS["gz"](bytes(data)) if packed == "tar.gz" else bytes(data), "a", Path(folder))
    assert texts == {f"a/{name}": text.decode() for name, text in LINES.items() if int(name[0]) not in gone}
    assert "a" in gaps and gaps["a"].startswith("broken archive")


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(list(COMPRESSIONS)),
    streams=st.lists(st.binary(max_size=300).map(bytes.hex), min_size=1, max_size=4),
    padding=st.integers(0, 3),
    behind=st.sampled_from(["nothing", "something else", "a cut stream"]),
)
def test_what_streams_hold_is_read_and_what_else_there_is_is_told(
    kind: str, streams: list[str], padding: int, behind: str
) -> None:
    """Streams, their padding, and where they end, for each kind of compression."""
    pack = COMPRESSIONS[kind]
    data = bytes(4 * padding).join(pack(f"{stream}\n".encode()) for stream in streams)
    rest = {"nothing": b"", "something else": b"else", "a cut stream": pack(b"not all of it " * 20)[:-5]}[behind]
    expected = "".join(f"{stream}\n" for stream in streams)
    with TemporaryDirectory() as folder:
        texts, gaps = read(data + rest, f"log.{kind}", Path(folder))
    assert texts[f"log.{kind}/log"].startswith(expected)
    reasons = {"something else": "something else follows", "a cut stream": "broken archive: it ends too early"}
    assert list(gaps) == ([f"log.{kind}/log"] if rest else [])
    assert not rest or gaps[f"log.{kind}/log"].startswith(reasons[behind])


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_what_a_cut_stream_holds_is_read(kind: str, tmp_path: Path) -> None:
    text = "".join(f"Line {number * number}.\n" for number in range(150_000 if kind == "bz2" else 3000))
    data = COMPRESSIONS[kind](text.encode())
    texts, gaps = read(data[: len(data) * 3 // 4], f"log.{kind}", tmp_path)
    assert gaps == {f"log.{kind}/log": "broken archive: it ends too early"}
    assert (found := texts.get(f"log.{kind}/log", "")) == text[: len(found)] and (found or kind == "zst")


def test_archives_that_begin_with_something_else(tmp_path: Path) -> None:
    for name, before in {"program": b"\x7fELF\0\1\2" * 99, "spanned.zip": b"PK\7\x08"}.items():
        texts, gaps = read(before + zipped({"a.txt": "text"}), name, tmp_path)
        assert (texts, gaps) == ({f"{name}/a.txt": "text"}, {})
    skipped = b"\x50\x2a\x4d\x18\4\0\0\0skip" + COMPRESSIONS["zst"](b"text")
    assert read(skipped, "a.zst", tmp_path) == ({"a.zst/a": "text"}, {})
    assert read(b"\0\1\2\3" * 99 + b"PK\5\6" + bytes(18), "b", tmp_path)[1] == {"b": "binary"}


def test_a_member_of_a_few_bytes_takes_little_memory(tmp_path: Path) -> None:
    """zipfile would unpack all of it at once, whatever size the member says it has."""
    packed = bz2.compress(bytes(1 << 26))
    numbers = (0, 12, 0, 33, 0, len(packed), 1000, 5, 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 46, *numbers) + b"a.txt"
    listed = struct.pack("<4s6H3L5H2L", b"PK\1\2", 46, 46, *numbers, *[0] * 5) + b"a.txt"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(listed), len(local + packed), 0)
    tracemalloc.start()
    texts, gaps = read(local + packed + listed + end, "a.zip", tmp_path)
    assert not texts and gaps and tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_a_tar_that_leads_back_or_has_endless_headers_ends(tmp_path: Path) -> None:
    for kind, size in ((b"0", 1 << 40), (b"0", -2048), (b"x", 1 << 30), (b"L", -512)):
        member = tarfile.TarInfo("b.txt")
        member.type, member.size = kind, size
        data = tar({"a.txt": b"text"})[:1024] + member.tobuf(tarfile.GNU_FORMAT) + tar({"c.txt": b"text"})
        texts, gaps = read(data, "a.tar", tmp_path)
        assert "a.tar/a.txt" in texts and ("a.tar/c.txt" in texts or size == 1 << 40) and gaps


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(ARCHIVES)),
    place=st.floats(0, 1),
    change=st.binary(min_size=1, max_size=6),
    cut=st.booleans(),
)
def test_damage_ends_in_text_or_a_reason(kind: str, place: float, change: bytes, cut: bool) -> None:
    data = bytearray(ARCHIVES[kind]({"a.txt": b"one\n" * 300, "b/c.txt": b"two\n" * 300}))
    at = int(place * (len(data) - 1))
    data[at : at + len(change)] = change
    with TemporaryDirectory() as folder:
        texts, gaps = read(bytes(data[:at] if cut else data), f"f.{kind}", Path(folder))
    assert texts or gaps
