"""What changed from one text to another."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from generators import ended
from hypothesis import given
from hypothesis import strategies as st
from indexes import Documents, opened

from mmxcli.recall.changes import asks_about_changes, changes
from mmxcli.recall.found import Found
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.sides import sides

OLD = """1. Rent

The tenant shall pay a rent of 500 crowns a month. The rent is due on the first day of each month.

2. Animals

Members may bring one dog. Cats are welcome in the garden.

3. Term

Either side may end it with a notice of three months. The landlord keeps a key. The boathouse belongs to the tenant.
"""
NEW = """1. Rent

The tenant shall pay a rent of 550 crowns a month.  The rent is due on the first
day of each month.

2. Term

Either side may end it with a notice of six months. The landlord keeps no key.

3. Animals

Members may bring one dog. Cats are welcome in the garden. Parrots need a permission.
"""
RENT = "altered: a rent of 500 crowns a month [] -> a rent of 550 crowns a month []"
NOTICE = "altered: a notice of three months. [] -> a notice of six months. []"
KEY = "altered: The landlord keeps a key. [] -> The landlord keeps no key. []"
PARROTS, BOATHOUSE = "added: Parrots need a permission. []", "removed: The boathouse belongs to the tenant. []"
ALL = {RENT, NOTICE, KEY, PARROTS, BOATHOUSE}


@contextmanager
def asked(documents: Mapping[str, str], question: str, named: Sequence[str] = (), most: int = 8) -> Any:
    texts: Documents = {name: [text] for name, text in documents.items()}
    with opened(texts) as index:
        yield ended(changes(index, sides(index, named or list(documents)), question, most)), index


def lines(found: Found | None) -> set[str]:
    """What is told, without the numbers of the quotes."""
    return {re.sub(r"\[\d+\]", "[]", line) for line in found.text.split("\n")[1:]} if found else set()


def stand_in_their_quotes(found: Found, index: RecallIndex) -> bool:
    """Whether all that is told before a number stands in the quote of that number."""
    told = re.findall(r"(?:^\w+: |-> )(.+?) \[(\d+)\]", found.text, re.M)
    quotes = [" ".join(index.text(*span).split()) for span in found.spans]
    return len(told) == len(quotes) and all(words in quotes[int(number) - 1] for words, number in told)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What changed?", ALL),
        ("Compare old.txt and new.txt", ALL),
        ("What is the difference between the two versions?", ALL),
        ("Which sentences were removed?", {BOATHOUSE}),
        ("What is new in new.txt?", {PARROTS}),
        ("What changed about the rent?", {RENT}),
        ("What was added about the landlord?", {KEY}),
        ("What changed about the cats?", set()),
        ("How has the notice changed?", {NOTICE}),
    ],
)
def test_what_is_asked_is_told(question: str, told: set[str]) -> None:
    with asked({"old.txt": OLD, "new.txt": NEW}, question) as (found, index):
        assert lines(found) == told
        assert not told or stand_in_their_quotes(found, index)


def test_numbers_come_first_and_the_rest_is_counted() -> None:
    with asked({"old.txt": OLD, "new.txt": NEW}, "What changed?", most=2) as (found, _):
        first, one, other, rest = found.text.split("\n")
    assert first == "old.txt -> new.txt: 3 altered, 1 added, 1 removed; 6 sentences are the same"
    assert "550" in one and "six" in other
    assert rest == "and 3 more"


def test_what_is_not_a_version_has_not_changed() -> None:
    with asked({"old.txt": OLD, "new.txt": "The sea was calm. Nobody sailed.\n"}, "What changed?") as (found, _):
        assert found is None
    with asked({"old.txt": OLD}, "What changed?") as (found, _):
        assert found is None


@pytest.mark.parametrize(
    "question",
    [
        "Compare the rent and the notice.",
        "What is the difference between a dog and a cat?",
        "Who keeps the key?",
        "How much is the rent?",
        "Which member was removed?",
    ],
)
def test_other_questions_are_not_about_changes(question: str) -> None:
    with asked({"old.txt": OLD, "new.txt": NEW}, question) as (found, _):
        assert found is None


def test_of_three_versions_each_is_compared_with_the_one_before() -> None:
    texts = {f"v{number}.txt": f"The timeout is {30 + number} seconds. The cache is kept.\n" for number in (1, 2, 3)}
    with asked(texts, "What changed?") as (found, _):
        assert [line.partition(":")[0] for line in found.text.split("\n")] == [
            "v1.txt -> v2.txt",
            "altered",
            "v2.txt -> v3.txt",
            "altered",
        ]


def test_what_is_no_version_among_others_is_told_so() -> None:
    with asked({"old.txt": OLD, "new.txt": NEW, "sea.txt": "The sea was calm.\n"}, "What changed?") as (found, _):
        assert lines(found) == {*ALL, "new.txt -> sea.txt: too little in common to be versions of one text"}


def test_of_folders_what_was_only_renamed_is_the_same() -> None:
    code = "".join(f"def part_{number}(x):\n    return x + {number}\n\n" for number in range(9))
    old = {"a/src/one.py": code, "a/src/two.py": "WIDTH = 80\nDEPTH = 3\n", "a/notes.md": "Call the harbour master.\n"}
    new = {"b/src/uno.py": code, "b/src/two.py": "WIDTH = 88\nDEPTH = 3\n"}
    with asked(old | new, "What changed?", ["a", "b"]) as (found, _):
        assert lines(found) == {
            "altered: WIDTH = 80 [] -> WIDTH = 88 []",
            "removed: a/notes.md: Call the harbour master. []",
        }
    with asked(old | new, "Which files were removed?", ["a", "b"]) as (found, _):
        assert lines(found) == {"removed: a/notes.md: Call the harbour master. []"}


WORDS = [f"{first}{second}" for first in ("ba", "ke", "lo", "mi", "nu", "ra", "so") for second in ("dor", "fin", "lag")]


@st.composite
def texts(draw: st.DrawFn) -> list[list[str]]:
    """Paragraphs of sentences, no two the same."""
    sentence = st.lists(st.sampled_from(WORDS), min_size=6, max_size=9).map(
        lambda said: f"{' '.join(said).capitalize()}."
    )
    every = draw(st.lists(sentence, min_size=8, max_size=24, unique=True))
    return [every[at : at + 3] for at in range(0, len(every), 3)]


@given(texts(), st.randoms(use_true_random=False), st.integers(20, 90))
def test_moving_and_wrapping_change_nothing(text: list[list[str]], dice: Any, width: int) -> None:
    moved = dice.sample(text, len(text))
    new = "\n\n".join(textwrap.fill(" ".join(paragraph), width) for paragraph in moved)
    old = "\n\n".join(" ".join(paragraph) for paragraph in text)
    with asked({"old.txt": old, "new.txt": f"\n{new}\n"}, "What changed?") as (found, _):
        assert "nothing changed" in found.text


@given(texts(), st.data())
def test_each_change_is_told_once(text: list[list[str]], data: st.DataObject) -> None:
    every = [one for paragraph in text for one in paragraph]
    altered, removed = data.draw(st.lists(st.sampled_from(range(len(every))), min_size=2, max_size=2, unique=True))
    added = "Wholly other matters stand in this sentence of 77."
    new = [one.replace(".", " 4711.") if at == altered else one for at, one in enumerate(every) if at != removed]
    place = data.draw(st.integers(0, len(new)))
    new = [*new[:place], added, *new[place:]]
    with asked({"old.txt": " ".join(every), "new.txt": " ".join(new)}, "What changed?") as (found, index):
        assert found.text.split("\n")[0].startswith("old.txt -> new.txt: 1 altered, 1 added, 1 removed;")
        quotes = [" ".join(index.text(*span).split()) for span in found.spans]
        assert set(quotes) == {every[altered], every[altered].replace(".", " 4711."), added, every[removed]}
        assert stand_in_their_quotes(found, index)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(old: str, new: str) -> None:
    with asked({"a.txt": f"x{old}", "b.txt": f"x{new}"}, "What changed?") as (found, index):
        for span in found.spans if found else ():
            assert index.text(*span)


@pytest.mark.parametrize("question", ["What innkeeper changed the sign?", "Who removed the book?", "Is it new?", ""])
def test_what_does_not_ask_for_changes_is_not_taken_for_it(question: str) -> None:
    assert not asks_about_changes(question)
