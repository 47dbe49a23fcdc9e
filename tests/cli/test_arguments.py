"""What a command line means: sources, questions and settings, handed to the task; or one line of help."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import canned as tasks
import pytest

from mmxcli.cli.app import run
from mmxcli.reading.upto import Upto


@pytest.fixture(autouse=True)
def canned_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.install(lambda owner, name, value: monkeypatch.setattr(owner, name, value, raising=False))
    tasks.CALLS.clear()


def asked(*arguments: str) -> dict[str, Any]:
    assert run(["ask", *arguments]) == 0
    [(task, given)] = tasks.CALLS
    assert task == "ask"
    return given


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and not tasks.CALLS
    assert printed.err.startswith("mmx: ") and printed.err.count("\n") == 1
    return printed.err


def test_the_last_argument_is_the_question() -> None:
    given = asked("moby_dick.txt", "other.pdf", "Who is Ishmael?")
    assert given["sources"] == ["moby_dick.txt", "other.pdf"]
    assert given["questions"] == ["Who is Ishmael?"]


def test_with_q_every_argument_is_a_source() -> None:
    given = asked("moby_dick.txt", "-q", "Who?", "--question", "Where?", "other.pdf")
    assert given["sources"] == ["moby_dick.txt", "other.pdf"]
    assert given["questions"] == ["Who?", "Where?"]


def test_settings_of_flags_reach_the_task() -> None:
    given = asked(
        *("moby_dick.txt", "Who?", "-m", "smollm2-135m", "--read", "full", "--window", "256", "--memory", "2G"),
        *("--max-tokens", "9", "--threads", "2", "--offline", "--no-cache"),
    )
    settings = given["settings"]
    assert (settings.model, settings.read, settings.window, settings.memory) == ("smollm2-135m", "full", 256, 2 << 30)
    assert (settings.max_tokens, settings.threads) == (9, 2)
    assert settings.offline and not settings.cache and not settings.strict


def test_a_switch_that_is_not_given_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMX_OFFLINE", "1")
    monkeypatch.setenv("MMX_CACHE", "0")
    settings = asked("moby_dick.txt", "Who?")["settings"]
    assert settings.offline and not settings.cache


def test_standard_input_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"Call me Ishmael."))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert asked("-", "Who?")["stdin"] is stdin.buffer


def test_standard_input_stays_alone_when_nothing_names_it() -> None:
    assert asked("moby_dick.txt", "Who?")["stdin"] is None


def test_closed_standard_input_is_an_input_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["ask", "-", "Who?"]) == 3
    assert "standard input is closed" in capsys.readouterr().err


def test_whole_reaches_the_task() -> None:
    assert asked("moby_dick.txt", "Who?")["whole"] is False
    tasks.CALLS.clear()
    assert asked("moby_dick.txt", "Who?", "--whole", "--context", "3")["whole"] is True
    assert tasks.CALLS[0][1]["settings"].context == 3


def test_upto_reaches_the_task() -> None:
    assert asked("moby_dick.txt", "Who?", "--upto", "chapter:12")["upto"] == Upto("chapter", 12)


def test_a_question_longer_than_any_file_name() -> None:
    question = "Why " * 2000 + "?"
    assert asked("moby_dick.txt", question)["questions"] == [question]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask"], ["lacks what to read and the question", 'mmx ask book.pdf "']),
        (["ask", "moby_dick.txt"], ["`mmx ask moby_dick.txt` lacks the question", "in quotes"]),
        (["ask", "a.txt", "moby_dick.txt"], ["lacks the question", "moby_dick.txt is something to read"]),
        (["ask", "."], ["lacks the question"]),
        (["ask", "-"], ["lacks the question"]),
        (["ask", "Who?"], ["lacks what to read", "Who?"]),
        (["ask", "moby_dick.txt", " "], ["question is empty"]),
        (["ask", "-q", "Who?"], ["nothing to read"]),
        (["ask", "moby_dick.txt", "-q", ""], ["-q is empty"]),
        (["ask", "-", "-", "Who?"], ["read only once"]),
        (["ask", "-", "--questions", "-"], ["read only once"]),
        (["ask", "moby_dick.txt", "Who?", "-0"], ["--files-from"]),
        (["ask", "moby_dick.txt", "Who?", "--files-from", "none.txt"], ["none.txt", "cannot be read"]),
        (["ask", "moby_dick.txt", "--questions", "none.txt"], ["none.txt", "cannot be read"]),
        (["ask", "moby_dick.txt", "Who?", "--read", "fast"], ["--read", "auto or full or recall"]),
        (["ask", "moby_dick.txt", "Who?", "--memory", "much"], ["--memory", "8G"]),
        (["ask", "moby_dick.txt", "Who?", "-o", "moby_dick.txt"], ["moby_dick.txt", "also a source"]),
        (["ask", "moby_dick.txt", "Who?", "-o", "."], ["is a folder"]),
        (["ask", "moby_dick.txt", "Who?", "-o", "no/such/file"], ["no folder to be in"]),
        (["ask", "moby_dick.txt", "Who?", "--upto", "somewhere"], ["--upto", "page:120"]),
        (["ask", "moby_dick.txt", "Who?", "--upto", "page:3", "--dry-run"], ["leave --upto out"]),
        (["ask", "moby_dick.txt", "Who?", "--pages", "3"], ["--pages", "mmx ask --help"]),
        (["ask", "moby_dick.txt", "-q"], ["-q", "mmx --help"]),
        (["read"], ["nothing to read"]),
        (["count"], ["nothing to read"]),
        (["states"], ["mmx states --help"]),
        (["states", "rm"], ["ID", "mmx states rm --help"]),
        (["explain"], ["explain", "mmx --help"]),
    ],
)
def test_a_usage_error_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    message = refused(capsys, *arguments)
    assert all(word in message for word in words), message


def test_questions_of_a_file_one_a_line(person: Path) -> None:
    (person / "q.txt").write_text("Who?\n\n  Where?  \r\n", encoding="utf-8")
    assert asked("moby_dick.txt", "-q", "Why?", "--questions", "q.txt")["questions"] == ["Why?", "Who?", "Where?"]


def test_ids_of_questions_come_back_in_the_json(person: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ['{"id": "moby-01", "question": "Who?", "answers": ["x"]}', '{"question": "ghost\u2028?"}', ""]
    (person / "q.jsonl").write_text("\n".join(lines), encoding="utf-8")
    asked("moby_dick.txt", "--questions", "q.jsonl", "--json")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(first)[:2] == ["id", "question"] and first["id"] == "moby-01"
    assert "id" not in second and second["question"] == "ghost\u2028?"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["holds no question"]),
        (b'{"question": "Who?"}\n{"id": 3}', ["q.jsonl:2", "has no question"]),
        (b'{"question": "Who?"}\nWhere?', ["q.jsonl:2", "is not JSON"]),
        (b'{"question": 3}', ["q.jsonl:1"]),
        (b"{" * 100_000, ["q.jsonl:1", "is not JSON"]),
        (b'{"a":' * 100_000, ["q.jsonl:1", "is not JSON"]),
        (b"\xff\xfeW\x00", ["UTF-8"]),
    ],
)
def test_a_bad_file_of_questions_is_refused_where_it_is_bad(
    person: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: list[str]
) -> None:
    (person / "q.jsonl").write_bytes(content)
    message = refused(capsys, "ask", "moby_dick.txt", "--questions", "q.jsonl")
    assert all(word in message for word in words), message


def test_files_from_a_list(person: Path) -> None:
    (person / "list").write_bytes("a b.txt\r\n\nç.txt\n-\n".encode())
    assert asked("Who?", "--files-from", "list")["sources"] == ["a b.txt", "ç.txt", "./-"]


def test_files_from_a_list_that_ends_names_with_nul(person: Path) -> None:
    (person / "list").write_bytes(b"a\nb.txt\0\xff.txt\0")
    assert asked("moby_dick.txt", "Who?", "--files-from", "list", "-0")["sources"] == [
        "moby_dick.txt",
        "a\nb.txt",
        "\udcff.txt",
    ]


def test_an_empty_list_of_files_is_refused(person: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (person / "list").write_text("\n")
    assert "names no file" in refused(capsys, "ask", "Who?", "--files-from", "list")


@pytest.mark.parametrize("command", [["ask", "moby_dick.txt", "Who?"], ["read", "moby_dick.txt"]])
def test_a_dry_run_only_counts(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--dry-run"]) == 0
    assert [task for task, _ in tasks.CALLS] == ["count"]
    printed = capsys.readouterr()
    assert "212,340  tokens in 1 document" in printed.out
    assert "dry run: nothing is read" in printed.err and "--read auto" in printed.err


def test_settings_inside_what_is_read_are_ignored_aloud(person: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (person / "mmx.toml").write_text("window = 50")
    assert asked(".", "Who?")["settings"].window is None
    assert "mmx.toml is ignored" in capsys.readouterr().err
    tasks.CALLS.clear()
    assert asked("moby_dick.txt", "Who?")["settings"].window == 50
    assert "is ignored" not in capsys.readouterr().err


def test_settings_inside_what_a_list_names_are_ignored(person: Path) -> None:
    (person / "mmx.toml").write_text("window = 50")
    (person / "list").write_text(".\n")
    assert asked("Who?", "--files-from", "list")["settings"].window is None
