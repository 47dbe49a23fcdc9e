"""mmx follow as a process: signals, ends, hostile text, and going on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest

from mmxcli.config import Settings
from mmxcli.reading.every import parse_every
from mmxcli.reading.meaning import Meaning
from mmxcli.tasks.events import Finding, Followed
from mmxcli.tasks.follow import follow as follow_stream

NEWS = "kernel panic, fatal exception inside interrupt"
ORDINARY = "".join(f"reading the list of {n} users from the {'big' if n % 2 else 'small'} shelf\n" for n in range(600))
Follow = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def follow(tiny_folder: Path, tmp_path: Path) -> Iterator[Follow]:
    """Starts mmx with the tiny model; what is open is killed in the end."""
    started = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"MMX_MODEL": str(tiny_folder), "PYTHONUNBUFFERED": "1", "MMX_OFFLINE": "1"}
        command = [sys.executable, "-m", "mmxcli", "follow", *arguments]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def finished(process: "subprocess.Popen[bytes]", data: bytes | None = None) -> tuple[int, str, str]:
    out, err = process.communicate(data, timeout=120)
    return process.returncode, out.decode(), err.decode()


def told(stream: IO[bytes] | None, words: str) -> bool:
    """Whether the words are in one of the next lines, read up to there."""
    assert stream
    return any(words in line.decode() for line in iter(stream.readline, b""))


def line(stream: IO[bytes] | None) -> str:
    assert stream
    return stream.readline().decode()


def test_a_stream_that_ends_is_asked_to_its_end(follow: Follow) -> None:
    data = f"{ORDINARY}{NEWS} \x1b]0;owned\x07\r\n{NEWS} again, without an end".encode()
    code, out, err = finished(follow("anything unusual?"), data)
    assert code == 0
    assert out.splitlines()[0] == rf"601: {NEWS} \x1b]0;owned\x07"
    assert "read 602 lines" in err and "2 findings" in err


def test_nothing_at_all_is_no_error(follow: Follow) -> None:
    code, out, err = finished(follow("Did a disk fail?"), b"")
    assert (code, out) == (0, "")
    assert "read 0 lines" in err


def test_json_counts_what_was_not_looked_at(follow: Follow) -> None:
    data = ORDINARY.encode() + b"\0\1\2\3" * 9 + b"\n" + b"y" * 100_000 + b"\n" + NEWS.encode() + b"\n"
    code, out, _ = finished(follow("anything unusual?", "-", "--json", "--every", "10lines"), data)
    *found, end = map(json.loads, out.splitlines())
    assert code == 0
    assert [(one["line"], one["quote"]) for one in found if one["quote"].startswith("kernel")] == [(603, NEWS)]
    assert (end["event"], end["lines"], end["bytes"]) == ("end", 603, len(data))
    assert end["skipped"]["binary_lines"] == end["skipped"]["cut_lines"] == 1
    assert end["skipped"]["cut_bytes"] == 100_000 - 8192


def test_a_stream_that_pauses_is_asked_about_and_goes_on(follow: Follow) -> None:
    process = follow("anything unusual?")
    assert process.stdin
    process.stdin.write(f"{ORDINARY}{NEWS}\n".encode())
    process.stdin.flush()
    assert line(process.stdout) == f"601: {NEWS}\n"  # the pipe is still open
    process.stdin.write(b"segfault: everything burned down\n")
    process.stdin.flush()
    assert line(process.stdout) == "602: segfault: everything burned down\n"
    assert finished(process)[0] == 0


def test_a_signal_asks_at_once_and_another_ends(follow: Follow) -> None:
    process = follow("anything unusual?", "--every", "1h")
    assert process.stdin and process.stderr
    process.stdin.write(f"{ORDINARY}{NEWS}\n".encode())
    process.stdin.flush()
    time.sleep(5)  # it has installed its handlers long before
    process.send_signal(signal.SIGUSR1)
    assert line(process.stdout) == f"601: {NEWS}\n"
    assert told(process.stderr, "asked at line 601: 1 findings")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert "interrupted after 601 lines, 1 findings" in process.stderr.read().decode()


def test_a_line_that_matches_asks_and_a_closed_output_ends_quietly(follow: Follow) -> None:
    process = follow("anything unusual?", "--when", "^now$")
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(f"{ORDINARY}{NEWS}\nnow\n".encode())
    process.stdin.flush()
    assert line(process.stdout) == f"601: {NEWS}\n"
    process.stdout.close()
    process.stdin.write(b"segfault: everything burned down\nnow\n")
    process.stdin.flush()
    assert process.wait(timeout=60) == 0
    assert "error" not in process.stderr.read().decode().lower()


def test_who_stops_reading_ends_it_though_nothing_is_found(follow: Follow) -> None:
    process = follow("anything unusual?")
    assert process.stdin and process.stdout and process.stderr
    process.stdout.close()
    assert process.wait(timeout=60) == 0  # the stream is still open
    assert process.stderr.read() == b""


def test_an_expression_that_takes_for_ever_takes_no_longer_than_a_moment(follow: Follow) -> None:
    data = f"{ORDINARY}{'a' * 60}!\n{NEWS}\n".encode()
    code, out, err = finished(follow("anything unusual?", "--when", "(a+)+$|panic"), data)
    assert (code, out.splitlines()[-1]) == (0, f"602: {NEWS}")
    assert "warning: line 601: --when took too long" in err
    assert "1 line for which --when took too long" in err


def test_a_file_goes_on_where_it_was_after_a_rotation_and_a_kill(follow: Follow, person: Path) -> None:
    log = person / "app.log"
    log.write_text(f"{ORDINARY}{NEWS}\n")
    arguments = ("anything unusual?", str(log), "--resume", "app", "--json", "--every", "10lines")
    first = follow(*arguments)
    assert json.loads(line(first.stdout))["line"] == 601
    time.sleep(1)
    first.kill()
    first.wait()
    with log.open("a") as file:
        file.write("segfault: everything burned down\n")
    log.rename(person / "app.log.1")
    log.write_text("reading the list of 1 users from the big shelf\ncatastrophe struck without warning\n")
    second = follow(*arguments)
    found = [json.loads(line(second.stdout)) for _ in range(2)]
    assert [(one["line"], one["replaced"], one["quote"][:8]) for one in found] == [
        (602, 0, "segfault"),
        (2, 1, "catastro"),
    ]
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=60) == 130
    code, out, err = finished(follow(*arguments[:3], "app", "--bad"), b"")
    assert (code, out) == (2, "") and err
    bookmark = person.parent / "home" / "follows" / "app.json"
    code, out, err = finished(follow("another question?", *arguments[1:]), b"")
    assert (code, out, err.count("\n")) == (5, "", 1)
    bookmark.write_bytes(bookmark.read_bytes()[:-9])
    code, out, err = finished(follow(*arguments), b"")
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert "app.json is damaged" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "takes a question"),
        (("a?", "b", "c"), 2, "takes a question"),
        (("a?", "--every", "soon"), 2, "--every"),
        (("a?", "--every", ""), 2, "--every"),
        (("a?", "--when", "("), 2, "--when"),
        (("a?", "--resume", "../x"), 2, "--resume"),
        (("a?", "--encoding", "utf-16"), 2, "utf-16"),
        (("a?", "missing.log"), 3, "missing.log"),
    ],
)
def test_bad_command_lines_are_one_line(follow: Follow, arguments: tuple[str, ...], code: int, said: str) -> None:
    found, out, err = finished(follow(*arguments), b"")
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert said in err


def test_of_what_is_no_text_no_word_is_learnt(
    settings: Settings, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen = []
    monkeypatch.setattr(Meaning, "foresee", lambda meaning, text: foreseen.append(text))
    with TemporaryFile() as file:
        file.write(b"a line\n" + bytes(range(256)).replace(b"\n", b"") * 9 + b"\nanother\n")
        file.seek(0)
        small = replace(settings, model=str(tiny_folder))
        events = list(follow_stream("anything unusual?", "-", small, file, parse_every("2000"), None, None))
    assert foreseen == ["a line\nanother\n"]
    end = events[-1]
    assert isinstance(end, Followed) and end.skipped.binary_lines == 1


def test_a_real_model_finds_a_line_that_is_worded_otherwise(
    weights_folder: Path, real_encoder: Path, settings: Settings
) -> None:
    planted = "payments: card of customer 12 was rejected by the issuer, code 51"
    lines = ORDINARY.splitlines()
    lines.insert(450, planted)
    real = replace(settings, weights=weights_folder, model="smollm2-135m", window=None, chunk=None)
    with TemporaryFile() as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.seek(0)
        events = follow_stream("Has a payment been declined?", "-", real, file, parse_every("2000"), None, None)
        assert [(event.line, event.quote) for event in events if isinstance(event, Finding)] == [(451, planted)]
