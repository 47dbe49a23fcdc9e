"""mmx summarize: its flags, and what a person and a program see."""

import json
from pathlib import Path

import pytest
from canned import Run

SAID = r"Peter Coffin keeps an inn. \x1b[2J"
PLACE = "moby_dick.txt:1423"


def test_as_text(canned: Run) -> None:
    done = canned("summarize", "moby_dick.txt", "--depth", "1")
    assert done.returncode == 0
    assert done.stdout == (
        f"moby_dick.txt (212,815 words)\n• {SAID}\n\nCHAPTER 2.\\x07 (1,500 words)\n  • {SAID}\n  • {SAID}\n"
    )
    assert "mmx: 3 of the text's own sentences" in done.stderr
    assert "skipped scan.pdf, page 12: no text layer" in done.stderr


def test_with_sources_and_quietly(canned: Run) -> None:
    done = canned("summarize", "moby_dick.txt", "--sources", "--quiet")
    assert f"• {SAID} ({PLACE})\n" in done.stdout and done.stderr == ""


def test_as_markdown_into_a_file(canned: Run, person: Path) -> None:
    assert canned("summarize", "moby_dick.txt", "--format", "markdown", "-o", "s.md").stdout == ""
    assert (person / "s.md").read_text() == (
        f"# moby_dick.txt (212,815 words)\n\n- {SAID}\n\n## CHAPTER 2.\\x07 (1,500 words)\n\n- {SAID}\n- {SAID}\n\n"
    )


@pytest.mark.parametrize("flags", [["--json"], ["--format", "json"]])
def test_the_json_contract(canned: Run, flags: list[str]) -> None:
    record = json.loads(canned("summarize", "moby_dick.txt", "--focus", "inns", *flags).stdout)
    assert list(record) == ["focus", "found", "summary", "coverage", "state", "model", "timing", "warnings"]
    (part,) = record["summary"]["parts"]
    assert part["words"] == 1500 and part["said"][0]["origin"] == "extract"
    assert part["said"][0]["citation"]["line"] == 1423 and part["said"][0]["citation"]["verified"]


def test_nothing_about_the_focus(canned: Run) -> None:
    done = canned("summarize", "moby_dick.txt", "--focus", "nothing")
    assert (done.returncode, done.stdout) == (0, "The text does not seem to say anything about: nothing\n")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--length", "huge"], "--length huge is not short, medium, long"),
        (["--length", "3"], "from 10 to"),
        (["--depth", "-1"], "--depth -1"),
        (["--focus", " "], "--focus is empty"),
        (["--format", "html"], "--format html is none of text, markdown, json"),
    ],
)
def test_wrong_flags(canned: Run, flags: list[str], told: str) -> None:
    done = canned("summarize", "moby_dick.txt", *flags)
    assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1
    assert canned("summarize").returncode == 2
