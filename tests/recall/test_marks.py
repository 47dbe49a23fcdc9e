"""Marks before sentences say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.recall.marks import asks_for_place, is_heading, unlabelled, unmarked

MARKS = ["4.2 ", "12. ", "3) ", "(3) ", "(b) ", "b) ", "iv. ", "(iv) ", "§ 7 ", "§ 7 (2) ", "10.2.1 ", "- 4.2 "]


@pytest.mark.parametrize("mark", MARKS)
@given(st.sampled_from(["The deposit", "Bei Auflösung", "Залог", "押金"]), st.text(max_size=40))
def test_a_mark_before_a_sentence_is_taken_away_and_nothing_else(mark: str, begins: str, more: str) -> None:
    assert unmarked(f"{mark}{begins} {more}").startswith(begins)


@given(st.text(max_size=80))
def test_only_what_stands_before_a_sentence_or_a_line_goes(text: str) -> None:
    kept = unmarked(text).split("\n")
    assert len(kept) <= len(text.split("\n"))
    assert all(any(line.endswith(one) for line in text.split("\n")) for one in kept)


@pytest.mark.parametrize("text", ["J. Smith came", "22 crews have come", "1.40 m wide", "I. Newton", "E4: low", "3"])
def test_what_is_no_mark_stays(text: str) -> None:
    assert unmarked(text) == text


@pytest.mark.parametrize("label", ["Q: ", "A:", "  Question : ", "ANSWER: ", "Antwort: ", "答：", "Most relevant:\t"])
def test_lines_lose_the_label_of_a_question_or_an_answer(label: str) -> None:
    assert unlabelled(f"{label}Is it?\n{label}It is: yes.") == "Is it?\nIt is: yes."


@given(st.text(max_size=80))
def test_a_line_that_has_no_colon_keeps_all_of_it(text: str) -> None:
    text = text.translate({ord(":"): None, ord("："): None})
    assert unlabelled(text) == text


def test_a_mark_after_a_heading_goes_too() -> None:
    assert unmarked("PREMISES\n1.1 The Landlord lets the flat.") == "PREMISES\nThe Landlord lets the flat."
    assert unmarked("the door is\n1.40 m wide") == "the door is\n1.40 m wide"


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("9. TERMINATION FOR BREACH", True),
        ("GENERAL", True),
        ("4. Boat race", True),
        ("Termination", False),
        ("4.2 The deposit is £1,860.", False),
        ("(b) 14 days", False),
        ("The rent is due", False),
        ("", False),
    ],
)
def test_headings(text: str, heading: bool) -> None:
    assert is_heading(text) is heading


@pytest.mark.parametrize("question", ["Which clause forbids dogs?", "Welcher Paragraph gilt?", "第几条规定押金?"])
def test_a_question_may_ask_for_the_mark(question: str) -> None:
    assert asks_for_place(question)
    assert not asks_for_place("How much is the deposit?")
