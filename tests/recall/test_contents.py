"""Questions about how a document is divided."""

from pathlib import Path

import pytest
from indexes import write

from mmxcli.recall.contents import contents
from mmxcli.recall.index import RecallIndex

NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
TITLES = ["The Sea", "The Storm", "The Island", "The Storm", *(f"Day {n}" for n in range(5, 13))]
CONTENTS = "".join(f"{n}. {title}    {9 * at}\n\n" for at, (n, title) in enumerate(zip(NUMERALS, TITLES, strict=True)))
CHAPTERS = "".join(
    f"CHAPTER {n}.\n\n{title}.\n\n{'The ship sailed on and on. ' * 12}\n\n"
    for n, title in zip(NUMERALS, TITLES, strict=True)
)
BOOK = (
    f"PART ONE: Outward\n\n{CONTENTS}{CHAPTERS}PART TWO: Home\n\nThey came back.\n\nAPPENDIX A. Maps\n\nA map."
    "\n\nAPPENDIX B. Winds\n\nA wind.\n"
)


def index_of(folder: Path, *texts: str) -> RecallIndex:
    documents = {f"source {number}": [text] for number, text in enumerate(texts)}
    return RecallIndex(write(folder / "index", documents))


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RecallIndex:
    return index_of(tmp_path_factory.mktemp("book"), BOOK)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many chapters does the book have?", "12 chapters: from I, The Sea to XII, Day 12"),
        ("How many parts are there?", "2 parts: from ONE, Outward to TWO, Home"),
        ("Into how many parts is it divided, and what is each called?", "2 parts: ONE, Outward; TWO, Home"),
        ("What are the titles of the appendices?", "2 appendices: A, Maps; B, Winds"),
        (
            "In what order do chapters II to IV treat the weather?",
            "3 chapters: II, The Storm; III, The Island; IV, The Storm",
        ),
        ("What are the titles of chapters 2-3?", "2 chapters: II, The Storm; III, The Island"),
        ("Which two chapters bear the same title?", "chapters II and IV: The Storm"),
    ],
)
def test_answers_come_from_the_headings(book: RecallIndex, question: str, text: str) -> None:
    found = contents(book, question)
    assert found and found.text == text
    for entry in found.entries:
        heading = book.text("source 0", entry.start, entry.end)
        assert heading.lower().startswith(entry.sort)
        assert entry.title in heading


@pytest.mark.parametrize(
    "question",
    [
        "In chapter 'The Storm', how many ships does the captain see?",
        "How many volumes does the book have?",
        "How many letters did the captain write?",
        "Under what title was the part of the map sold?",
        "Which part has the ship's name?",
        "",
    ],
)
def test_other_questions_are_not_taken_for_such(book: RecallIndex, question: str) -> None:
    assert contents(book, question) is None


def test_several_documents_have_no_contents_of_their_own(tmp_path: Path) -> None:
    assert contents(index_of(tmp_path, BOOK, BOOK), "How many chapters does the book have?") is None
