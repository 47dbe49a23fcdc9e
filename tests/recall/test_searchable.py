"""Names come apart, and what belongs together stays together, by expressions that are fast; slower ones say how."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.recall.words import searchable, word_texts, words

TEXTS = st.one_of(
    st.text(max_size=60),
    st.text("aBcD9_. éßǅ\u0301ข漢-", max_size=60),
    st.lists(st.sampled_from(["col_max", "8.1.3", "setup.cfg", "HelpFormatter", "ABCd", "x" * 41, "_", ".", " "])).map(
        "".join
    ),
)
PART = (
    r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{1,40}"
)
JOINED = rf"(?<![^\W_])(?:{PART}(?:_{PART}){{1,6}}|\d{{1,9}}(?:\.\d{{1,9}}){{1,4}}|{PART}\.[a-z]{{1,4}})(?![^\W_])"
PARTS = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+"
CAMEL_CASE = r"[^\W_]*(?:[a-z\d][A-Z]|[A-Z]{2}[a-z])[^\W_]*"


@given(TEXTS)
def test_what_is_added_to_a_text(text: str) -> None:
    parts = [part for name in re.findall(CAMEL_CASE, text) for part in re.findall(PARTS, name)]
    joined = [re.sub("[._]", "", name) for name in re.findall(JOINED, text)]
    expected = [*parts, *joined]
    assert searchable(text).split(" ")[-len(expected) :] == expected or not expected


@given(TEXTS)
def test_words_stand_where_they_are_said_to(text: str) -> None:
    for word in words(text):
        there = text[word.start : word.end]
        assert word.text in (there, re.sub("[._]", "", there))


@given(TEXTS)
def test_plain_words_are_found_sooner_and_are_the_same(text: str) -> None:
    """What makes a text one that is looked at more closely changes no word before it."""
    after = " HelpFormatter 漢 a_b"
    assert [word for word in words(text + after) if word.start < len(text)] == list(words(text))
    assert word_texts(text) == [word.text for word in words(text)]
