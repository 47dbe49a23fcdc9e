"""What a text is called and by whom it is stands before it, and nothing else is taken for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import opened

from mmxcli.recall.front import title_pages
from mmxcli.recall.own_words import OwnWords

NOVEL = (
    "Produced by Jane Roe, and the Online Proofreaders\n\n\n\n\n\n"
    "THE HARBOUR;\n\nor, STONE AND TIDE.\n\nBY\n\nINGRID SOLHEIM\n\n_SECOND EDITION_\n\nLONDON\n1871\n\n\n\n\n"
    "CHAPTER I\n\nBy the time the boats came in, it was dark, and nobody saw them.\n\n"
)
LETTERS = "\n\n\n\nTHE LETTERS OF MATS OLSEN\n\nEDITED BY ADA QUILL\n\n\n\n\nDear Sir, the stone has come.\n\n"


def told(text: str, limit: int = 40, pages: bool = False) -> list[str]:
    with opened({"a.txt": [text]}, pages) as index:
        return [one.text for one in title_pages(index, "a.txt", limit)]


def test_a_title_page_without_who_made_the_file_and_who_printed_it() -> None:
    assert told(NOVEL) == ["THE HARBOUR; or, STONE AND TIDE. BY INGRID SOLHEIM."]


def test_each_of_several_books_in_one_file() -> None:
    assert told(NOVEL + LETTERS) == [
        "THE HARBOUR; or, STONE AND TIDE. BY INGRID SOLHEIM.",
        "THE LETTERS OF MATS OLSEN. EDITED BY ADA QUILL.",
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Title: The Harbour\n\nAuthor: Ingrid Solheim\n\nIt was dark.\n", "The Harbour, by Ingrid Solheim"),
        ("# The Harbour\n\nIt was dark.\n", "The Harbour."),
        ("The Harbour\n===========\n\nIt was dark.\n", "The Harbour."),
        ("   HARBOUR LICENCE\n   Version 3, May 1871\n\nEveryone may moor.\n", "HARBOUR LICENCE Version 3, May 1871."),
        ("HARBOUR LICENCE\n\n1. Definitions.\n\nA pier is of stone.\n", "HARBOUR LICENCE."),
        ("What It Is About\n\nIt was dark.\n", "What It Is About."),
    ],
)
def test_a_title_may_stand_in_a_field_or_alone(text: str, title: str) -> None:
    assert told(text) == [title]


def test_of_a_document_in_pages_the_first_lines_are_its_title() -> None:
    page = "harbour 5.4\nA Program that Counts Boats\nIngrid Solheim & Mats Olsen\nreport what does not work here\n"
    assert told(page, pages=True) == ["harbour 5.4. A Program that Counts Boats. Ingrid Solheim & Mats Olsen."]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n\n\n",
        "12:01 boat Ferry moored\n12:02 boat Heron left\n" * 40,
        "It was dark when the boats came in, and nobody on the pier of the harbour saw where they went that night.\n\n",
        "[Illustration: the pier]\n\nIt was dark.\n",
    ],
)
def test_what_has_no_title_has_none(text: str) -> None:
    assert told(text) == []


@settings(deadline=None)
@given(st.text("AbyY .:\n#=-_[1", max_size=300), st.integers(1, 60))
def test_whatever_stands_there_a_title_lies_within_the_text(text: str, limit: int) -> None:
    with opened({"a.txt": [text]}) as index:
        assert all(0 <= one.start < one.end <= len(text) and one.text for one in title_pages(index, "a.txt", limit))


def test_a_text_speaks_of_itself() -> None:
    with opened({"a.txt": [NOVEL]}) as index:
        weight = OwnWords(index, "Harbour 5.4. A Program that Counts Boats").weight
        defines, itself = weight("Harbour is a program for small ports."), weight("This manual tells how it is used.")
        aside = weight("Fees are noted at the pier where the ferry and the heron moor, as this manual tells.")
        assert defines > itself > aside > 0
        assert weight("The pier was a ruin.") == 0 == weight("It is a program.")
