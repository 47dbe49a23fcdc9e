"""What a person and a program see, and where."""

import json
from pathlib import Path

import canned as tasks
import pytest
from canned import Run

from mmxcli.cli.app import run

ANSWER = r"The sign bears the name of Peter Coffin, in white letters on a swinging board.\x1b]0;owned\x07"
QUOTE = r"moby_dick.txt:1423: “The Spouter Inn:—Peter Coffin.” \x1b[2J"


def test_in_a_pipe_the_answer_and_its_quotes_are_plain_lines(canned: Run) -> None:
    done = canned("ask", "moby_dick.txt", "Who?", FORCE_COLOR="1")
    assert done.returncode == 0
    assert done.stdout == f"{ANSWER}\n\n{QUOTE}\n"


def test_everything_else_is_on_standard_error_a_line_a_stage(canned: Run) -> None:
    lines = canned("ask", "moby_dick.txt", "Who?").stderr.splitlines()
    assert lines[0] == "mmx: fetching the model, once"
    assert lines[1].startswith("mmx: read: 212,340 tokens in ")
    assert lines[2:] == [
        "mmx: warning: one page is a picture",
        "mmx: indexed all 212,340 tokens",
        "mmx: warning: skipped scan.pdf, page 12: no text layer",
    ]


def test_quiet_is_the_answer_alone(canned: Run) -> None:
    done = canned("ask", "moby_dick.txt", "Who?", "--quiet")
    assert (done.stdout, done.stderr) == (f"{ANSWER}\n", "")


def test_verbose_tells_times_and_the_model(canned: Run) -> None:
    lines = canned("ask", "moby_dick.txt", "Who?", "--verbose").stderr.splitlines()
    assert lines[-2:] == [
        "mmx: qwen2.5-coder-0.5b, memory windowed, state 3fa91c20be17",
        "mmx: loading 1.5 s, reading 2.2 s, recall 0.1 s, first word after 4.0 s, 8.0 s in all",
    ]


def test_several_questions_are_told_apart_and_a_missing_answer_shows_the_nearest_passages(canned: Run) -> None:
    done = canned("ask", "moby_dick.txt", "-q", "Who?", "-q", "Any ghost?")
    assert done.stdout == (
        f"Q: Who?\n{ANSWER}\n\n{QUOTE}\n\n"
        "Q: Any ghost?\nThe text does not say.\n\n"
        "Nearest passages:\ngnuplot.pdf, page 21: Original Software: Thomas Williams.\n"
    )


def test_the_json_contract(canned: Run) -> None:
    done = canned("ask", "moby_dick.txt", "-q", "Who?", "-q", "Any ghost?", "--json")
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout
    found, missing = map(json.loads, done.stdout.splitlines())
    assert found == {
        "question": "Who?",
        "answer": "".join(tasks.PIECES),
        "found": True,
        "confidence": 0.75,
        "citations": [
            {
                "source": "moby_dick.txt",
                "start": 44267,
                "end": 44299,
                "page": None,
                "line": 1423,
                "quote": tasks.CITATION.quote,
                "verified": True,
                "place": None,
            }
        ],
        "coverage": {
            "tokens": 212340,
            "read": 212340,
            "mode": "recall",
            "skipped": [{"source": "scan.pdf", "page": 12, "reason": "no text layer"}],
            "remarks": [],
        },
        "state": {"id": "3fa91c20be17", "reused_tokens": 212000, "bytes": 1048576},
        "model": {"name": "qwen2.5-coder-0.5b", "memory": "windowed"},
        "timing": {
            "load_s": 1.5,
            "read_s": 2.25,
            "recall_s": 0.125,
            "first_token_s": 4.0,
            "total_s": 8.0,
            "evidence_s": 0.5,
        },
        "warnings": ["one page is a picture"],
    }
    keys = ["question", "answer", "found", "confidence", "citations"]
    more = ["coverage", "state", "model", "timing", "warnings"]
    assert list(found) == [*keys, *more]
    assert list(missing) == [*keys, "nearest", *more]
    assert missing["citations"] == [] and missing["nearest"][0]["page"] == 21


def test_places_alone_for_an_editor(canned: Run) -> None:
    done = canned("ask", "moby_dick.txt", "-q", "Who?", "-q", "Any ghost?", "--open")
    assert done.returncode == 0
    assert done.stdout == f"moby_dick.txt:{tasks.CITATION.line}\n{tasks.NEAREST.source}#page=21\n"
    assert "Peter Coffin" in done.stderr


def test_reading_prints_the_id_and_json_without_question_and_answer(canned: Run) -> None:
    done = canned("read", "moby_dick.txt")
    assert done.stdout == "3fa91c20be17\n"
    assert "indexed all 212,340 tokens" in done.stderr
    record = json.loads(canned("read", "moby_dick.txt", "--json").stdout)
    assert list(record) == ["coverage", "state", "model", "timing", "warnings"]


def test_counting(canned: Run) -> None:
    done = canned("count", "moby_dick.txt")
    assert done.stdout.splitlines() == [
        "    212,340  moby_dick.txt",
        "    212,340  tokens in 1 document",
        "    recall:  about 2.0 s with qwen2.5-coder-0.5b",
        "      full:  about 20:49 min, 2.0 GiB of memory with qwen2.5-coder-0.5b",
    ]
    assert done.stderr.splitlines()[-2:] == [
        "mmx: warning: skipped scan-4.pdf: no text layer",
        "mmx: warning: skipped 2 more; --json lists all",
    ]
    record = json.loads(canned("count", "moby_dick.txt", "--json").stdout)
    assert list(record) == ["tokens", "documents", "skipped", "remarks", "model", "read_s", "memory_bytes"]
    assert len(record["skipped"]) == 7


def test_an_output_file_gets_what_standard_output_would(canned: Run, person: Path) -> None:
    (person / "answer.txt").write_text("an older answer, longer than the new one" * 9)
    done = canned("ask", "moby_dick.txt", "Who?", "-o", "answer.txt")
    assert done.stdout == ""
    assert (person / "answer.txt").read_text() == f"{ANSWER}\n\n{QUOTE}\n"
    assert sorted(path.name for path in person.iterdir()) == ["answer.txt", "moby_dick.txt"]


def test_an_output_that_is_a_device_stays_one(canned: Run) -> None:
    done = canned("ask", "moby_dick.txt", "Who?", "-o", "/dev/stdout")
    assert done.stdout == f"{ANSWER}\n\n{QUOTE}\n"
    assert Path("/dev/null").is_char_device()


def test_a_failure_leaves_the_output_file_as_it_was(canned: Run, person: Path) -> None:
    (person / "answer.txt").write_text("before")
    assert canned("ask", "moby_dick.txt", "Who?", "-o", "answer.txt", MMX_TEST_FAIL="BudgetError").returncode == 4
    assert (person / "answer.txt").read_text() == "before"
    assert sorted(path.name for path in person.iterdir()) == ["answer.txt", "moby_dick.txt"]


def test_answers_that_are_all_there_are_kept_when_strict_fails_afterwards(canned: Run, person: Path) -> None:
    assert canned("ask", "moby_dick.txt", "Who?", "-o", "answer.txt", "--strict").returncode == 3
    assert (person / "answer.txt").read_text().startswith("The sign bears")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mmx ")
