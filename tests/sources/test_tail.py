"""A file that is followed by its name, whatever is done to it."""

import os
from pathlib import Path

import pytest

from mmxcli.errors import InputError
from mmxcli.sources import tail
from mmxcli.sources.tail import Pipe, Tail, Turn


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "POLL", 0.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\ntwo\n")
    return path


def everything(stream: Tail) -> list[bytes | Turn]:
    """Until two looks have brought nothing."""
    found: list[bytes | Turn] = []
    quiet = 0
    while quiet < 2:
        data = stream.read(0.0)
        quiet = 0 if data else quiet + 1
        if data:
            found.append(data)
    return found


def test_what_is_appended_comes_next(log: Path) -> None:
    stream = Tail(log)
    assert everything(stream) == [b"one\ntwo\n"]
    with log.open("ab") as file:
        file.write(b"three\n")
    assert everything(stream) == [b"three\n"]


def test_a_file_that_is_replaced_is_read_to_its_end_first(log: Path) -> None:
    stream = Tail(log)
    assert stream.read(0.0) == b"one\ntwo\n"
    with log.open("ab") as file:
        file.write(b"last\n")
        file.flush()
        log.rename(log.with_name("app.log.1"))
        assert everything(stream) == [b"last\n"]  # away for a while
        file.write(b"very last\n")
        file.flush()
        log.write_bytes(b"new\n")
        assert everything(stream) == [b"very last\n", Turn.REPLACED, b"new\n"]


@pytest.mark.parametrize("after", [b"", b"x\n", b"something longer than what was there before\n"])
def test_a_file_that_is_cut_begins_anew_though_it_may_have_grown_since(log: Path, after: bytes) -> None:
    stream = Tail(log)
    everything(stream)
    log.write_bytes(after)  # the same file: copied away and cut, as logrotate does
    assert everything(stream) == [Turn.CUT] + [after] * bool(after)


def test_a_place_is_found_again_also_under_the_next_name(log: Path) -> None:
    stream = Tail(log)
    everything(stream)
    mark = stream.mark(4)
    again = Tail(log)
    assert again.seek(mark) and everything(again) == [b"two\n"]
    log.rename(log.with_name("app.log.1"))
    log.write_bytes(b"new\n")
    rotated = Tail(log)
    assert rotated.seek(mark) and everything(rotated) == [b"two\n", Turn.REPLACED, b"new\n"]
    log.with_name("app.log.1").unlink()
    gone = Tail(log)
    assert not gone.seek(mark) and everything(gone) == [b"new\n"]


def test_a_place_in_a_file_that_was_written_anew_is_not_taken_for_the_old_one(log: Path) -> None:
    mark = Tail(log).mark(8)
    log.write_bytes(b"another beginning\n")
    stream = Tail(log)
    assert not stream.seek(mark) and everything(stream) == [b"another beginning\n"]


def test_a_pipe_ends_when_who_writes_closes_it() -> None:
    reading, writing = os.pipe()
    stream = Pipe(reading, "-")
    assert stream.read(0.0) == b""
    os.write(writing, b"some")
    assert stream.read(0.0) == b"some"
    os.close(writing)
    assert stream.read(0.0) is None
    os.close(reading)


def test_what_cannot_be_followed_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "fifo"):
        with pytest.raises(InputError, match=path.name):
            Tail(path)
