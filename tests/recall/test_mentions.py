"""How often, and in what order, a text names things."""

import pytest
from generators import ended
from hypothesis import given
from hypothesis import strategies as st
from indexes import opened

from mmxcli.recall import mentions as module
from mmxcli.recall.mentions import asks_how_often, mentions
from mmxcli.recall.order import order

TEXT = (
    "CHAPTER I\n\nQueequeg slept. Everybody knew Queequeg’s harpoon, and the white\nwhale too.\n\n"
    "CHAPTER II\n\nThe Rose was a ship. A rose is none; whales and the white whale are no roses, said QUEEQUEG.\n"
)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many times is Queequeg mentioned?", "3 times (Queequeg 2, QUEEQUEG 1)"),
        ("How often does the phrase 'white whale' occur in the book?", "2 times: white whale"),
        ("How many mentions of the whale are there?", "2 times: whale; not counted: whales 1"),
        ("How often is the word rose used?", "2 times (Rose 1, rose 1); not counted: roses 1"),
        ("How often is Rose mentioned?", "1 time: Rose"),
        ("How many times does the text mention Queequeg in chapter 1?", "2 times in CHAPTER I: Queequeg"),
    ],
)
def test_words_are_counted_as_they_stand(question: str, told: str) -> None:
    with opened({"book.txt": [TEXT]}) as index:
        found = ended(mentions(index, question))
        assert found and found.text == told
        assert 1 <= len(found.spans) <= 2


@given(
    st.lists(st.sampled_from(["gull", "Gull", "gulls", "seagull", "\n", "sea gull", "gull-", "a_gull"]), max_size=40)
)
def test_windows_do_not_matter(words: list[str]) -> None:
    text = f"gull {' '.join(words)}"
    expected = 1 + sum(word in ("gull", "Gull", "sea gull", "gull-") for word in words)
    with opened({"a.txt": [text]}) as index, pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "WINDOW", 7)
        found = ended(mentions(index, "How many times is the word gull used?"))
        assert found and found.text.startswith(f"{expected} time")


@pytest.mark.parametrize(
    "question",
    [
        "How many sons had he?",
        "How many times did he stop?",
        "How often does the comet appear?",
        "How many ships are there?",
        "How many barrels of oil does the narrator judge the tongue would yield?",
        "How often is the pump used?",
    ],
)
def test_ordinary_numbers_are_not_counted(question: str) -> None:
    assert not asks_how_often(question)


BOOK = (
    "The Rachel.\n\nThe Albatross sailed past them at dawn. Far away the Town-Ho was seen, and nobody met it.\n\n"
    "In June they passed the Jeroboam near the cape. In July they passed the Albatross again.\n\n"
    "In August they passed the Rachel, and her captain wept.\n"
)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            "In what order did the Rachel, the Jeroboam and the Albatross pass them?",
            "in the order of the text: Jeroboam [1]; Albatross [2]; Rachel [3]",
        ),
        (
            "In which order are the Rachel, the Town-Ho and the Albatross named?",
            "first named in this order: Albatross [1]; Town-Ho [2]; Rachel [3]",
        ),
        (
            "In what order did they meet the Rachel, the Jeroboam and the Albatross?",
            "first named in this order: Albatross [1]; Jeroboam [2]; Rachel [3]",
        ),
        ("Which comes first, the Town-Ho or the Jeroboam?", "first named in this order: Town-Ho [1]; Jeroboam [2]"),
        (
            "In what order does it name these ships: the Jeroboam, the Pequod, the Albatross?",
            "first named in this order: Albatross [1]; Jeroboam [2]; not named: Pequod",
        ),
    ],
)
def test_things_are_put_in_the_order_of_the_text(question: str, told: str) -> None:
    with opened({"book.txt": [BOOK]}) as index:
        found = order(index, question)
        assert found and found.text == told


@pytest.mark.parametrize("question", ["In what order did he eat?", "Who was first?", "In what order did gulls come?"])
def test_without_things_there_is_no_order(question: str) -> None:
    with opened({"book.txt": [BOOK]}) as index:
        assert order(index, question) is None
