import errno
import io
import os
import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from everything import everything
from pdfs import pdf, showing

from mmxcli.errors import InputError, Interrupted, MmxError
from mmxcli.sources.choice import Choice, Listed
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.spool import Slice, spool


def test_a_missing_path_fails_before_anything_is_read(tmp_path: Path) -> None:
    class Untouched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError

    with pytest.raises(InputError, match="absent: no such file or folder") as raised:
        open_sources(["-", str(tmp_path / "absent")], stdin=Untouched())
    assert raised.value.exit_code == 3
    assert "\n" not in str(raised.value)


def test_a_listed_path_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("one")
    Path("b.txt").write_text("two")
    names = ["a.txt", "absent", "/dev/null", "a\0b", "b.txt"]
    segments, gaps = everything(open_sources([Listed(name) for name in names]))
    assert [segment.text for segment in segments] == ["one", "two"] and [gap.source for gap in gaps] == names[1:4]
    assert gaps[0].reason == "no such file or folder; check the spelling"


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000, "/dev/null"])
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(InputError) as raised:
        open_sources([path])
    assert "\n" not in str(raised.value)


def test_a_file_keeps_the_name_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("text")
    [found] = open_sources(["./a.txt", "a.txt"])
    assert isinstance(found, Document)
    assert found.name == "./a.txt"
    monkeypatch.chdir("/")
    assert list(found.segments()) == [Segment("./a.txt", "text", 0, 1)]


def test_fingerprints_tell_bytes_and_readers_apart(document, monkeypatch: pytest.MonkeyPatch) -> None:
    one = document(b"text", "one")
    assert len(one.fingerprint()) == 64
    assert document(b"text", "two").fingerprint() == one.fingerprint()
    assert document(b"texts", "three").fingerprint() != one.fingerprint()
    assert replace(one, reader=document(pdf(), "four").reader).fingerprint() != one.fingerprint()


def test_a_fingerprint_needs_the_file(document, tmp_path: Path) -> None:
    opened = document(b"text")
    (tmp_path / "file").unlink()
    with pytest.raises(InputError, match="file: cannot be read"):
        opened.fingerprint()


@pytest.mark.parametrize(("data", "texts"), [(b"one\ntwo", ["one\ntwo"]), (pdf(showing("One")), ["One\n"])])
def test_standard_input_is_read_twice(data: bytes, texts: list[str]) -> None:
    [found] = open_sources(["-", "-"], stdin=io.BytesIO(data))
    assert isinstance(found, Document)
    assert (found.name, found.size) == ("<stdin>", len(data))
    assert [[part.text for part in found.segments()] for _ in range(2)] == [texts, texts]
    assert found.fingerprint() == found.fingerprint()


def test_readers_of_standard_input_do_not_disturb_each_other() -> None:
    text = "0123456789abcde\n" * 10_000
    [found] = open_sources(["-"], stdin=io.BytesIO(text.encode()))
    assert isinstance(found, Document)
    pairs = list(zip(found.segments(), found.segments(), strict=True))
    assert "".join(one.text for one, _ in pairs) == text
    assert all(one == other for one, other in pairs)


def test_standard_input_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    [found] = open_sources(["-"], stdin=io.BytesIO(b"text" * 100_000))
    assert isinstance(found, Document) and isinstance(found.content, Slice)
    assert not list(tmp_path.iterdir())


def test_standard_input_closed_or_empty() -> None:
    assert list(open_sources(["-"], stdin=io.BytesIO())) == [Gap("<stdin>", "empty")]
    with pytest.raises(InputError, match="standard input is closed"):
        open_sources(["-"])


def test_a_full_disk_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda prefix: Full())
    with pytest.raises(MmxError, match="is full; set TMPDIR") as raised:
        spool(io.BytesIO(b"text"), "<stdin>")
    assert raised.value.exit_code == 1


class Disk(NamedTuple):
    total: int
    used: int
    free: int


class Endless(io.BytesIO):
    """Until somebody presses Ctrl-C in the `stop`th block."""

    def __init__(self, stop: int) -> None:
        self.left = stop

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return b"y\n" * (1 << 15)


def test_standard_input_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    [gap] = open_sources(["-"], stdin=Endless(99), choice=Choice(max_file_size=1 << 17))
    assert gap == Gap("<stdin>", "196,608 bytes or more, more than --max-file-size allows")
    with pytest.raises(Interrupted, match="<stdin>: interrupted after 131,072 bytes") as raised:
        list(open_sources(["-"], stdin=Endless(3)))
    assert raised.value.exit_code == 130
    monkeypatch.setattr("mmxcli.sources.spool.STRIDE", 1 << 18)
    room = iter([(1 << 40, 0, 1 << 31), (1 << 40, 0, 1 << 29)])  # of the disk, as others fill it too
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(*next(room)))
    with pytest.raises(MmxError, match=r"stopped after 655,360 bytes: .* has only 512 MiB left.*mmx follow"):
        list(open_sources(["-"], stdin=Endless(99)))
    assert not list(tmp_path.iterdir())


def test_standard_input_that_is_a_folder(tmp_path: Path) -> None:
    class Folder(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")

    with pytest.raises(InputError, match="<stdin>: cannot be read: Is a directory"):
        spool(Folder(), "<stdin>")


def test_a_named_pipe_is_read_as_standard_input_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("from a command",))
    writer.start()
    segments, gaps = everything(open_sources([str(pipe)]))
    writer.join()
    assert ([s.text for s in segments], gaps) == (["from a command"], [])


def test_a_file_without_a_size_but_with_content() -> None:
    [found] = open_sources(["/proc/self/status"])
    assert isinstance(found, Document)
    assert found.size > 0
