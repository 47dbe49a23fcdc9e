"""What a text says of two things, side by side."""

import pytest
from indexes import opened

from mmxcli.recall.comparison import asks_to_compare, comparison
from mmxcli.recall.sides import sides

HAY = "The shed has a window to the south, and swallows nest in it. "
PUMPS = (
    f"{HAY * 9}\n\nThe red pump moves 40 litres a minute. {HAY}The red pump runs on petrol.\n\n{HAY * 9}\n\n"
    f"The blue pump was painted in May. {HAY}The blue pump moves 25 litres a minute. {HAY}\n\n{HAY * 9}\n"
)


@pytest.mark.parametrize(
    "question",
    [
        "Compare the red pump and the blue pump.",
        "What is the difference between the red pump and the blue pump?",
        "How does the red pump differ from the blue pump?",
        "How do the red pump and the blue pump compare?",
    ],
)
def test_both_sides_are_told_the_same_kind_of_thing_first(question: str) -> None:
    with opened({"pumps.txt": [PUMPS]}) as index:
        found = comparison(index, question)
        assert found and found.text == (
            "the red pump: The red pump moves 40 litres a minute. [1] The red pump runs on petrol. [2]\n"
            "the blue pump: The blue pump moves 25 litres a minute. [3] The blue pump was painted in May. [4]"
        )
        assert [index.text(*span) in found.text for span in found.spans] == [True] * 4


def test_a_side_that_is_not_there_is_told_and_both_are_refused() -> None:
    with opened({"pumps.txt": [PUMPS]}) as index:
        found = comparison(index, "Compare the red pump and the yellow pump")
        assert found and found.text.endswith("the yellow pump: the text does not seem to say")
        assert comparison(index, "Compare the submarine and the giraffe") == ("", (), True)


def test_what_stands_in_two_places_is_told_once() -> None:
    twice = "The red pump is old. The blue pump is new.\n"
    with opened({"a.txt": [twice], "b.txt": [twice]}) as index:
        found = comparison(index, "Compare the red pump and the blue pump")
        assert found
        assert found.text == "the red pump: The red pump is old. [1]\nthe blue pump: The blue pump is new. [2]"


def test_two_sources_are_sides_too() -> None:
    with opened({"a.txt": ["The notice is three months."], "b.txt": ["The notice is six weeks. Rain fell."]}) as index:
        found = comparison(index, "Compare the notice in a.txt and b.txt", sides(index, ["a.txt", "b.txt"]))
        assert found and found.text == "a.txt: The notice is three months. [1]\nb.txt: The notice is six weeks. [2]"


@pytest.mark.parametrize(
    "question",
    [
        "To which church does he compare the ship?",
        "What did he compare?",
        "How do the two pumps differ?",
        "Is red blue?",
    ],
)
def test_other_questions_have_no_sides(question: str) -> None:
    assert not asks_to_compare(question)
