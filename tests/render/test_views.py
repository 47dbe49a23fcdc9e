"""Events as text: each told once, nothing left out in silence."""

import pytest

from mmxcli.render.output import Output
from mmxcli.render.terminal import TextView
from mmxcli.tasks.events import (
    Answer,
    AnswerText,
    Citation,
    Coverage,
    Event,
    Gap,
    ModelInfo,
    Note,
    Progress,
    ReadingDone,
    StateInfo,
    Timing,
)

Capsys = pytest.CaptureFixture[str]
STATE, MODEL = StateInfo("ab12", 0, 10), ModelInfo("m", "full")


def shown(capsys: Capsys, *events: Event, questions: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """Standard output, and the lines of standard error."""
    with TextView(Output(), questions) as view:
        for event in events:
            view.show(event)
    printed = capsys.readouterr()
    return printed.out, printed.err.splitlines()


def answered(text: str, *citations: Citation, coverage: Coverage, warnings: tuple[str, ...] = ()) -> Answer:
    return Answer("Who?", text, True, citations, coverage, STATE, MODEL, Timing(), warnings=warnings)


WHOLE = Coverage(1000, 1000, "full")


def test_a_stage_is_told_when_it_is_over_and_only_once(capsys: Capsys) -> None:
    steps = [Progress("read", done, 300, "tokens") for done in (0, 100, 300, 50, 300)]
    _, lines = shown(capsys, *steps, Progress("fetch", 10, None, "bytes"), Progress("fetch", 2048, 2048, "bytes"))
    assert [line.split(" in ")[0] for line in lines] == ["mmx: read: 300 tokens", "mmx: fetch: 2.0 KiB"]


def test_a_warning_is_told_once(capsys: Capsys) -> None:
    answers = [answered("Yes.", coverage=WHOLE, warnings=("careful",))] * 2
    _, lines = shown(capsys, Note("careful", warning=True), *answers, questions=("a?", "b?"))
    assert lines.count("mmx: warning: careful") == 1


def test_what_was_read_is_told_in_part_and_whole(capsys: Capsys) -> None:
    reading = [
        ReadingDone(Coverage(1000, read, mode), STATE, MODEL, Timing())
        for read, mode in ((1000, "full"), (1000, "recall"), (400, "full"))
    ]
    out, lines = shown(capsys, *reading)
    assert out == "ab12\n" * 3
    assert lines == [
        "mmx: read all 1,000 tokens",
        "mmx: indexed all 1,000 tokens",
        "mmx: read 400 of 1,000 tokens",
    ]


def test_gaps_are_named_and_the_rest_of_many_is_counted(capsys: Capsys) -> None:
    gaps = tuple(Gap(f"{number}\n.pdf", "encrypted", number or None) for number in range(8))
    _, lines = shown(capsys, answered("Yes.", coverage=Coverage(1, 1, "full", gaps)), questions=("a?",))
    assert lines[1] == r"mmx: warning: skipped 0\n.pdf: encrypted"
    assert lines[2] == r"mmx: warning: skipped 1\n.pdf, page 1: encrypted"
    assert lines[-1] == "mmx: warning: skipped 3 more; --json lists all" and len(lines) == 7


def test_an_answer_without_pieces_is_printed_whole_and_with_pieces_once(capsys: Capsys) -> None:
    assert shown(capsys, answered("Yes.", coverage=WHOLE), questions=("a?",))[0] == "Yes.\n"
    events = [AnswerText("Y"), AnswerText("es."), answered("Yes.", coverage=WHOLE)]
    assert shown(capsys, *events, questions=("a?",))[0] == "Yes.\n"


def test_a_quote_that_was_not_verified_says_so(capsys: Capsys) -> None:
    citation = Citation("a\n.txt", 0, 3, None, 7, "a\n  b", False)
    out, _ = shown(capsys, answered("Yes.", citation, coverage=WHOLE), questions=("a?",))
    assert out.splitlines()[-1] == r"a\n.txt:7 (not verified): a b"


def test_an_answer_that_breaks_off_ends_its_line(capsys: Capsys) -> None:
    with pytest.raises(KeyboardInterrupt), TextView(Output(), ["a?"]) as view:
        view.show(AnswerText("The sign"))
        raise KeyboardInterrupt
    assert capsys.readouterr().out == "The sign\n"


def test_what_the_answer_says_word_by_word_beside_its_number_is_not_said_again(capsys: Capsys) -> None:
    quotes = tuple(Citation("a.txt", 0, 9, None, line, said, True) for line, said in ((1, "It is\nblue."), (2, "Red?")))
    answer = Answer("?", "It is blue. [1] red [2]", True, quotes, WHOLE, STATE, MODEL, Timing(), numbered=True)
    out, _ = shown(capsys, answer, questions=("?",))
    assert out.splitlines()[-2:] == ["[1] a.txt:1", "[2] a.txt:2: Red?"]
