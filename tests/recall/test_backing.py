"""What is claimed must stand in the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from indexes import write

from mmxcli.recall.backing import CRISP, LONGEST, backed, borne_out, claims, names, rival, shortened
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.quotes import Quote

TEXT = (
    "Captain Peleg hired Ishmael for the three hundredth lay. He sailed on Christmas day of 1841 from Nantucket with "
    "eighteen men."
)
QUESTION = "For which lay did Captain Peleg hire Ishmael?"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> RecallIndex:
    path = tmp_path_factory.mktemp("index") / "index"
    return RecallIndex(write(path, {"a": [TEXT]}))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("the three hundredth", True),
        ("The three hundredth lay.", True),
        ("the 300th lay", True),
        ("He sails in 1841", True),
        ("with 18 men", True),
        ("in 1851", False),
        ("the seven hundredth lay", False),
        ("the 3rd lay", False),
        ("one", False),
        ("Bildad", False),
        ("", False),
        ("of the", False),
        ("Captain Peleg did hire Ishmael for a lay", False),
        ("Peleg", False),
        ("yes", False),
    ],
)
def test_backed(index: RecallIndex, answer: str, expected: bool) -> None:
    assert backed(index, QUESTION, answer, [TEXT]) is expected
    assert backed(index, QUESTION, answer, []) is False


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("The answer is: the three hundredth lay.", "the three hundredth lay."),
        ("The answer to this question is: 1841\n\nThe text states that it was in Boston.", "1841"),
        ("He sailed from Nantucket. He sailed from Nantucket. He sailed from Boston.", "He sailed from Nantucket."),
        ("Captain Peleg hired Ishmael.", ""),
        ("The answer is: Boston.", ""),
        ("", ""),
    ],
)
def test_only_what_is_borne_out_is_kept(index: RecallIndex, written: str, kept: str) -> None:
    assert borne_out(index, QUESTION, written, [TEXT]) == kept


def test_an_answer_that_says_the_question_over_again_is_cut_down(index: RecallIndex) -> None:
    question = "From which town did the captain sail with his crew on that very day of Christmas?"
    answer = "The captain sailed with his crew on that very day of Christmas from Nantucket."
    assert shortened(index, question, answer, [TEXT]) == "Nantucket"
    assert shortened(index, question, answer, ["elsewhere"]) == answer
    assert shortened(index, question, "From Nantucket", [TEXT]) == "From Nantucket"


def test_words_of_the_question_that_no_text_has_are_cut_off(index: RecallIndex) -> None:
    asked = "lay AND NOT (hired* OR NEAR(Bildad"
    assert (
        borne_out(index, asked, "Hired for the three hundredth lay AND NOT NEAR Bildad.", [TEXT]) == "three hundredth"
    )
    assert borne_out(index, "How did Bildad sail?", "Bildad sailed from Nantucket.", [TEXT]) == "Nantucket"


def test_a_name_that_only_the_question_has_is_never_said(index: RecallIndex) -> None:
    asked = "Whom did Captain Bildad of Boston hire?"
    assert borne_out(index, asked, "Ishmael, hired by Captain Bildad of Boston for the lay of Peleg.", [TEXT]) == ""


@given(
    st.text(st.sampled_from('AND NEAR(Bildad* Peleg"hire lay 1851'), max_size=40),
    st.lists(st.sampled_from(["Ishmael", "1841", "from Nantucket", "hired", "sailed."]), max_size=4),
)
def test_no_name_or_number_is_said_that_no_text_has(index: RecallIndex, asked: str, added: list[str]) -> None:
    written = " ".join([asked, *added])
    said = borne_out(index, asked, written, [TEXT])
    assert names(index, said) <= claims(index, TEXT)


@given(
    st.lists(st.sampled_from(["Peleg sailed from Nantucket.", "He saw Boston.", "eighteen men", "The answer is", "\n"]))
)
def test_what_is_kept_is_backed_and_short(index: RecallIndex, parts: list[str]) -> None:
    kept = borne_out(index, QUESTION, " ".join(parts), [TEXT])
    assert not kept or backed(index, QUESTION, kept, [TEXT])
    assert len(kept.split()) <= max(LONGEST, CRISP)


def quotes(*texts: str) -> list[Quote]:
    return [Quote("a", 100 * at, 100 * at + len(text), at, None, text) for at, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("texts", "otherwise"),
    [
        (["The old tower is 40 metres high.", "The old tower is 45 metres high."], 1),
        (["The old tower is 40 metres high.", "A flag flies there.", "The old tower is forty-five metres high."], 2),
        (["The old tower is 40 metres high.", "The old tower is forty metres high."], None),
        (["The old tower is 40 metres high.", "The old tower is high."], None),
        (["The old tower is 40 metres high.", "The new bridge is 45 metres long."], None),
        (["The old tower is 45 metres high."], None),
        ([], None),
    ],
)
def test_what_says_otherwise(index: RecallIndex, texts: list[str], otherwise: int | None) -> None:
    found = rival(index, "How high is the old tower?", "40 metres", quotes(*texts))
    assert (found and found.text) == (None if otherwise is None else texts[otherwise])


@pytest.mark.parametrize(
    ("less", "otherwise"),
    [
        ("The old tower is 45 metres high.", True),
        ("The tower: 45 metres high.", False),  # perhaps a new one
        ("The old tower and its flag are 45 metres high.", False),
        ("The old tower is high.", False),
        ("The old tower is 40 metres high.", False),
    ],
)
def test_what_says_less_may_say_otherwise(index: RecallIndex, less: str, otherwise: bool) -> None:
    said = "The keeper told every child who came that the old tower is 40 metres high."
    found = rival(index, "How high is the old tower?", "40 metres", quotes(said, less))
    assert (found is not None) is otherwise


def test_what_is_said_of_another_is_no_rival(index: RecallIndex) -> None:
    rooms = [f"The list of rooms says that room {number} is painted in shade {number * 7}." for number in (12, 13)]
    assert rival(index, "What shade has room 12?", "shade 84", quotes(*rooms)) is None
    assert rival(index, "What shade has the room?", "shade 84", quotes(*rooms)) is not None


@pytest.mark.parametrize(
    ("question", "text"), [("tower", "The old tower."), ("What is a tower?", "Masons call it so.")]
)
def test_another_sentence_is_no_rival_of_one_that_is_the_answer(index: RecallIndex, question: str, text: str) -> None:
    others = ["[Note: The tower as a ruin.]", "While writing, a tower of the Patris is for sale, it calls masons."]
    assert rival(index, question, text, quotes(text, *others)) is None


def test_of_a_whole_sentence_only_a_name_or_a_number_may_be_otherwise(index: RecallIndex) -> None:
    said = "This charm consists in setting certain ingredients to seethe in a large cauldron."
    alike = "The most potent consists in setting a number of ingredients to seethe together in a cauldron, with pins."
    assert rival(index, "cauldron", said, quotes(said, alike)) is None
    built = ["The mill at Orm was built by Ada Finch in 1823.", "The mill at Orm was built by Ada Finch in 1871."]
    assert rival(index, "mill", built[0], quotes(*built)) == quotes(*built)[1]
