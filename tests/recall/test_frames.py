"""What a question says beside its frame, in several languages and scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from indexes import opened

from mmxcli.recall.frames import ENGLISH, frame, is_english, is_framed
from mmxcli.recall.words import content_words, uncontracted


@pytest.mark.parametrize(
    ("question", "telling"),
    [
        ("Who won the race, and who won't race again?", ["won", "race"]),
        ("What didn't Eddie's aunt say?", ["Eddie", "aunt", "say"]),
        ("How many men are in the haven?", ["men", "haven"]),
        ("How did they die in Paris?", ["die", "Paris"]),
        ("Wie lange ist der Vorstand im Amt?", ["lange", "Vorstand", "Amt"]),
        ("Où faut-il tremper les pruneaux ?", ["tremper", "pruneaux"]),
        ("Ou faut-il tremper les pruneaux ?", ["tremper", "pruneaux"]),
        ("¿Cuánto cuesta la entrada para los niños?", ["cuesta", "entrada", "niños"]),
        ("Почему нельзя брать с собой собак?", ["нельзя", "брать", "собой", "собак"]),
    ],
)
def test_what_only_frames_a_question_is_passed(question: str, telling: list[str]) -> None:
    assert list(content_words(question)) == telling


@pytest.mark.parametrize("text", ["", "war in Iraq", "die casting", "was in an die so", "La Fontaine"])
def test_a_text_is_english_where_little_speaks_for_another_language(text: str) -> None:
    assert frame(text) == ENGLISH


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Who is Zoë?", True),
        ("Zoë?", False),
        ("price list", True),
        ("Kdo napsal včera dopis?", False),
        ("Wer ist Zoë?", False),
        ("Кто это?", False),
    ],
)
def test_english_is_told_by_its_words_before_its_letters(text: str, english: bool) -> None:
    assert is_english(text) is english


@pytest.mark.parametrize(
    ("text", "framed"),
    [
        ("Who built it", True),
        ("lamp oil?", True),
        ("WHAT IS THE PRICE", True),
        ("Wann öffnet das Museum", True),
        ("茶馆是谁开的", True),
        ("price of oil", True),
        ("gate AND NOT (locked* OR NEAR(", False),
        ('"gate" +locked -open', False),
        ("vitamin D, C code", False),
        ("", False),
    ],
)
def test_search_terms_are_not_framed_as_a_question_is(text: str, framed: bool) -> None:
    assert is_framed(text) is framed


@given(st.text(st.sampled_from("ndwot's ’\n."), max_size=40))
def test_what_is_left_without_contractions_stays_where_it_is(text: str) -> None:
    left = uncontracted(text)
    assert len(left) == len(text)
    assert all(one in (other, " ") for one, other in zip(left, text, strict=True))


TEA = "茶馆是徽州商人程守义开的。每天早上六点开门。"


@pytest.mark.parametrize(
    ("text", "question", "kept", "passed"),
    [
        (TEA, "茶馆是谁开的？", {"茶馆", "馆是", "开的"}, {"是谁", "谁开"}),
        (TEA, "张伟的茶馆？", {"张伟", "茶馆"}, {"的茶"}),
        ("บ่อน้ำลึกเจ็ดเมตร", "ลึกกี่เมตร", {"ลึ", "ึก", "เม", "มต", "ตร"}, {"กก", "ี่"}),
    ],
)
def test_what_lies_between_words_without_spaces_is_passed(
    text: str, question: str, kept: set[str], passed: set[str]
) -> None:
    with opened({"a.txt": [text]}) as index:
        found = set(index.question_words(question).values())
        assert kept <= found
        assert not passed & found
