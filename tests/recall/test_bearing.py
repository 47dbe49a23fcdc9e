"""Sentences that were put together from several others are borne out clause by clause, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.reading.composing import asks_to_tell, marked
from mmxcli.recall.bearing import bearers
from mmxcli.recall.stems import Stemmer

QUESTION = "How do the Aalto and the Berg pump differ?"
TEXTS = [
    "The Aalto pump moves 40 litres a minute and runs on petrol.",
    "The Berg pump is electric and moves 25 litres a minute.",
    "It has never been repaired.",
]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The Aalto pump runs on petrol.", (0,)),
        ("Aalto moves forty litres a minute, while the Berg pump moves 25.", (0, 1)),
        ("The Berg pump is electric; the Aalto pump runs on petrol.", (0, 1)),
        ("The Aalto pump moves 25 litres a minute.", ()),
        ("The Berg pump runs on petrol and moves 40 litres.", ()),
        ("The Aalto pump runs on petrol, while the Berg pump moves 30 litres.", ()),
        ("The Aalto pump does not run on petrol.", ()),
        ("It was never repaired.", (2,)),
        ("The Aalto and the Berg pump differ.", ()),
        ("The Carlsen pump runs on petrol.", ()),
        ("", ()),
    ],
)
def test_each_clause_needs_one_text_that_says_it(sentence: str, expected: tuple[int, ...]) -> None:
    assert bearers(Stemmer(), QUESTION, sentence, TEXTS) == expected


def test_sentences_are_marked_with_what_bears_them_out_and_the_others_go() -> None:
    written = "The Berg pump is electric [1]. Both are blue. Aalto runs on petrol, while Berg moves 25 litres [9]."
    text, taken = marked(Stemmer(), QUESTION, written, TEXTS)
    assert text == "The Berg pump is electric. [1] Aalto runs on petrol, while Berg moves 25 litres. [2] [1]"
    assert taken == [1, 0]


@given(st.lists(st.sampled_from([*TEXTS, "Both are blue.", "Berg moves 40 litres."]), max_size=6))
def test_only_what_stands_there_is_kept_and_every_mark_leads_there(written: list[str]) -> None:
    text, taken = marked(Stemmer(), QUESTION, " ".join(written), TEXTS)
    for number, place in enumerate(taken, 1):
        assert f"{TEXTS[place]} [{number}]" in text
    assert "blue" not in text and "Berg moves 40" not in text
    assert len(set(taken)) == len(taken)


def test_nothing_bears_out_anything_where_there_are_no_texts() -> None:
    assert marked(Stemmer(), QUESTION, "Aalto runs on petrol.", []) == ("", [])


@pytest.mark.parametrize(
    ("question", "tells"),
    [
        ("Why was the mill closed?", True),
        ("How does the retry work?", True),
        ("And how was it paid for?", True),
        ("Compare the two routes.", True),
        ("What changed in version 2?", True),
        ("What are the differences between A and B?", True),
        ("What does the scheduler do when a job fails?", True),
        ("How many ships were there?", False),
        ("How old is he?", False),
        ("Who built the bridge?", False),
        ("What is the name of the ship?", False),
        ("When was it?", False),
    ],
)
def test_questions_that_want_to_be_told_something(question: str, tells: bool) -> None:
    assert asks_to_tell(question) is tells
