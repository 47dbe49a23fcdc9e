"""How near lines are to a question, by directions that the test knows."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.reading.directions import Directions, Floats
from mmxcli.reading.meaning import Meaning
from mmxcli.reading.watch import Watch
from mmxcli.sources.lines import Line

QUESTION = "Was the payment declined?"
ALIKE = [{"payment", "card", "charge"}, {"declined", "rejected", "refused"}]
words = st.text("abcdeé", min_size=3, max_size=6) | st.sampled_from(sorted(set().union(*ALIKE)))


def vectors(asked: Sequence[str]) -> Floats:
    """Words that are alike have one direction, all others another, with a middle that all share."""
    found = np.zeros((len(asked), 3), np.float32)
    for row, word in zip(found, asked, strict=True):
        row[next((place for place, some in enumerate(ALIKE) if word in some), 2)] = 1
    return found + 5


DIRECTIONS = Directions("test", 0.5, vectors, np.full(3, 5, np.float32))


def meaning(directions: Directions | None = DIRECTIONS) -> Meaning:
    made = Meaning(QUESTION)
    made.measure_by(directions)
    return made


def one(_: str) -> float:
    return 1.0


def test_a_line_in_other_words_is_near() -> None:
    assert meaning().nearness(["card", "rejected", "today"], one) == 1
    assert meaning().nearness(["card", "accepted"], one) == 0.5
    assert meaning(None).nearness(["card", "rejected"], one) == 0
    assert (meaning().says, meaning().measure) == (0.5, "test")


def test_what_all_words_share_makes_none_near() -> None:
    assert meaning().nearness(["basket", "menu"], one) == 0
    shared = replace(DIRECTIONS, middle=np.zeros(3, np.float32))
    assert meaning(shared).nearness(["basket", "menu"], one) > 0.9


@given(st.lists(st.lists(words, max_size=8), max_size=8))
def test_words_that_were_foreseen_are_as_near_as_others(lines: list[list[str]]) -> None:
    plain, foreseen = meaning(), meaning()
    foreseen.foresee("\n".join(map(" ".join, lines)))
    for line in lines:
        assert foreseen.nearness(line, one) == plain.nearness(line, one)


def test_an_open_question_learns_nothing() -> None:
    asked = Meaning("Anything unusual?")
    asked.foresee("some words of a line")
    assert asked.open and not asked._known


def test_going_on_with_another_measure_keeps_all_but_how_near_lines_were() -> None:
    watch = Watch(meaning(None))
    for number in range(400):
        watch.see(Line(number + 1, f"reading the list of {'abcdefgh'[number % 8] * 3} users", 0))
    list(watch.ask(lambda _: -1.0))
    learnt = json.loads(json.dumps(watch.learnt()))
    assert Watch.of(meaning(None), learnt).ranks.total == watch.ranks.total > 0
    other = Watch.of(meaning(), learnt)
    assert (other.ranks.total, other.words.lines, len(other.kinds)) == (0, 400, 8)
