"""Archives and compressed files are what is in them; bombs are one line."""

import bz2
import gzip
import io
import lzma
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

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


def test_a_bomb_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ALWAYS", 1 << 20)
    begun = time.monotonic()
    bomb = bytes(50 << 20)
    for data, name in ((gzip.compress(bomb), "b.gz"), (zipped({"b.txt": bomb, "c.txt": b"text"}), "b.zip")):
        texts, gaps = read(data, name, tmp_path)
        assert not texts and ["unpacks to more than 200 times" in reason for reason in gaps.values()] == [True]
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


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["zip", "tar", "tar.gz", "tar.zst"]),
    place=st.floats(0, 1),
    change=st.binary(min_size=1, max_size=6),
    cut=st.booleans(),
)
def test_damage_ends_in_text_or_a_reason(kind: str, place: float, change: bytes, cut: bool) -> None:
    from tempfile import TemporaryDirectory

    data = bytearray(ARCHIVES[kind]({"a.txt": b"one\n" * 300, "b/c.txt": b"two\n" * 300}))
    at = int(place * (len(data) - 1))
    data[at : at + len(change)] = change
    with TemporaryDirectory() as folder:
        texts, gaps = read(bytes(data[:at] if cut else data), f"f.{kind}", Path(folder))
    assert texts or gaps
