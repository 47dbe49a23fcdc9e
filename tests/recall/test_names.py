"""Whom a text names most, and the sentences that say who they are."""

import pytest

from mmxcli.recall.names import Names, introductions

CHAPTERS = [
    f"In {n} of HM it was Captain Ingrid who saw Mats Olsen, and Mats Olsen saw the Heron on a Monday in Husvik. "
    f"That day a heron flew over the pier, and a heron is no boat; nor is the other heron, or that grey one."
    for n in range(6)
]


def names(texts: list[str]) -> Names:
    found = Names()
    for text in texts:
        found.add(text)
    return found


def test_names_are_what_many_parts_share() -> None:
    assert names(CHAPTERS).most(8) == ["Mats Olsen", "Captain Ingrid", "Husvik"]
    assert names([*CHAPTERS, *["nobody is named here"] * 60]).most(8) == []
    assert names([]).most(8) == []
    assert {"that", "heron"} <= names(CHAPTERS).common()


@pytest.mark.parametrize(
    ("sentence", "plainly"),
    [
        ("Ingrid was a pilot of the harbour.", 0),
        ("Old Ingrid, of Husvik, was the first pilot.", 0),
        ("The pilot of the harbour was Ingrid, a native of Husvik.", 0),
        ("At last Ingrid, the pilot of the harbour, laughed.", 1),
        ("Ingrid laughed.", None),
        ("Mats was a pilot, and Ingrid laughed.", None),
    ],
)
def test_an_introduction_says_who_it_is(sentence: str, plainly: int | None) -> None:
    ways = introductions("Ingrid")
    assert next((at for at, way in enumerate(ways) if way.match(sentence)), None) == plainly
