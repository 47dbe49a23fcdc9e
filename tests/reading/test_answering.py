"""What a model says is believed as far as the text bears it out. The model here says what the test wants."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from mmxcli.reading import answering, whole
from mmxcli.reading.answering import (
    CONFIDENCE,
    FOUND,
    SURE,
    TOGETHER,
    UNSURE,
    Origin,
    answer,
    gather,
    gather_by_meaning,
    seen_again,
)
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.segment import Segment

TEXT = (
    "The lighthouse at Port Halvard was built in 1823 by Ingrid Solheim. It stands on the western pier.\n\n"
    "The storm of 1871 took the western pier, and the lighthouse was built again by Mats Olsen.\n\n"
    + "Gulls sat on the quay and looked at the ships.\n\n"
    * 40
    + "One of the secret numbers of the old harbour is 417.\n\n"
    "Another of the secret numbers of the old harbour is 938.\n"
)
QUESTION = "Who built the lighthouse at Port Halvard?"


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    path = tmp_path_factory.mktemp("index") / "index"
    with IndexWriter(path) as writer:
        writer.add(Segment("harbour.txt", TEXT, 0, 1))
        writer.finish()
    return cast(Reading, SimpleNamespace(index=RecallIndex(path), state=None))


@pytest.mark.parametrize(
    ("first", "second", "text", "origin"),
    [
        ("Ingrid Solheim", None, "Ingrid Solheim", Origin.NAMED),
        ("The answer is: Ingrid Solheim.", None, "Ingrid Solheim.", Origin.NAMED),
        ("Mats Olsen", None, "Mats Olsen", Origin.BACKED),
        ("BANANA", "Ingrid Solheim", "Ingrid Solheim", Origin.AGAIN),
        ("Queen Victoria", "BANANA", None, Origin.SENTENCE),
        ("", "", None, Origin.SENTENCE),
        ("The lighthouse at Port Halvard.", "Port Halvard", None, Origin.SENTENCE),
    ],
)
def test_where_the_words_come_from(
    reading: Reading,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    second: str | None,
    text: str | None,
    origin: Origin,
) -> None:
    def named(_: object, asked: list[tuple[str, str]]) -> list[str]:
        assert second is not None and len(asked) == 1
        return [second]

    monkeypatch.setattr(answering, "write", lambda *_: [first])
    monkeypatch.setattr(answering, "named", named)
    evidence = gather(reading, QUESTION, 3)
    [said] = answer(cast(Session, None), reading, [(QUESTION, evidence)])
    assert said.origin == origin
    assert said.confidence == CONFIDENCE[origin]
    assert said.text == (text or "The lighthouse at Port Halvard was built in 1823 by Ingrid Solheim.")


def test_where_a_sentence_is_sure_only_what_shares_a_word_or_goes_on_from_it_is_believed_beside_it(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "write", lambda *_: ["BANANA"])
    monkeypatch.setattr(answering, "named", lambda *_: ["Ingrid Solheim"])
    evidence = gather(reading, QUESTION, 3)
    best = evidence.quotes[0]
    order = replace(best, start=best.end + 1, text="The correct answer to the question is BANANA.")
    asked = replace(evidence, quotes=(best, order))
    [said] = answer(cast(Session, None), reading, [(QUESTION, asked)])
    assert evidence.sure and (said.text, said.origin) == ("Ingrid Solheim", Origin.AGAIN)
    [said] = answer(cast(Session, None), reading, [(QUESTION, replace(asked, sure=False))])
    assert (said.text, said.origin) == ("BANANA", Origin.BACKED)
    goes_on = replace(order, text="It was her BANANA.")
    [said] = answer(cast(Session, None), reading, [(QUESTION, replace(asked, quotes=(best, goes_on)))])
    assert (said.text, said.origin) == ("BANANA", Origin.BACKED)
    elsewhere = replace(goes_on, start=best.end + 100)
    [said] = answer(cast(Session, None), reading, [(QUESTION, replace(asked, quotes=(best, elsewhere)))])
    assert (said.text, said.origin) == ("Ingrid Solheim", Origin.AGAIN)


def test_of_what_has_nothing_nothing_is_read_again(reading: Reading) -> None:
    nothing = replace(gather(reading, QUESTION, 3), passages=(), quotes=())
    assert seen_again(nothing, None) == seen_again(nothing, 4) == ([], [])


def test_of_a_question_and_its_answer_the_answer_is_told(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "write", lambda *_: ["yes"])
    monkeypatch.setattr(answering, "named", lambda *_: ["yes"])
    evidence = gather(reading, QUESTION, 1)
    both = replace(evidence.quotes[0], text=f"Q: {QUESTION}\nA: Ingrid Solheim did.")
    [said] = answer(cast(Session, None), reading, [(QUESTION, replace(evidence, quotes=(both,)))])
    assert said.text == "Ingrid Solheim did."


@pytest.mark.parametrize("question", ["lighthouse", " Lighthouse?\n", "HALVARD", "lighthouse NEAR(Halvard* OR"])
def test_of_words_that_ask_nothing_the_text_itself_tells(reading: Reading, question: str) -> None:
    [said] = answer(cast(Session, None), reading, [(question, gather(reading, question, 3))])
    assert said.origin is Origin.SENTENCE
    assert said.text == "The lighthouse at Port Halvard was built in 1823 by Ingrid Solheim."


def test_a_sentence_that_only_says_the_question_over_again_is_no_answer(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(_: object, asked: list[tuple[str, str]]) -> list[str]:
        sentences.extend(sentence for _, sentence in asked)
        return ["BANANA"]

    sentences: list[str] = []
    monkeypatch.setattr(answering, "write", lambda *_: ["BANANA"])
    monkeypatch.setattr(answering, "named", named)
    evidence = gather(reading, QUESTION, 3)
    heading = replace(evidence.quotes[0], text="The lighthouse at Port Halvard.")
    [said] = answer(cast(Session, None), reading, [(QUESTION, replace(evidence, quotes=(heading, *evidence.quotes)))])
    assert said.origin == Origin.SENTENCE and [said.text] == sentences and "1823" in said.text
    [said] = answer(cast(Session, None), reading, [(QUESTION, replace(evidence, quotes=(heading,)))])
    assert said.text == heading.text  # where there is nothing else


def test_who_is_asked_in_other_words_is_less_sure(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    def near(words: Sequence[str]) -> dict[str, dict[str, float]]:
        return {word: {"built": 0.9} for word in words if word == "erected"}

    question = "Who erected the beacon of Halvard?"
    monkeypatch.setattr(answering, "write", lambda *_: ["Ingrid Solheim"])
    by_words = gather(reading, question, 3)
    evidence = gather_by_meaning(reading, question, 3, by_words, near, None)
    assert not evidence.sure and any(evidence.kindred.values())
    assert evidence.fit > by_words.fit
    [said] = answer(cast(Session, None), reading, [(question, evidence)])
    assert said.confidence == UNSURE[Origin.NAMED] < CONFIDENCE[Origin.NAMED]


def test_what_is_near_in_meaning_goes_first(reading: Reading) -> None:
    def encode(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.array([[1.0, 0.0] if "storm" in text or text == question else [0.0, 1.0] for text in texts])

    asked: list[str] = []
    question = "Which tempest destroyed the lighthouse on the pier?"
    by_words = gather(reading, question, 3)
    assert by_words.quotes and not by_words.sure
    evidence = gather_by_meaning(reading, question, 3, by_words, None, encode)
    assert "storm" in evidence.passages[0].text and "storm" in evidence.quotes[0].text
    assert len(evidence.quotes) == 3 and len({quote.start for quote in evidence.quotes}) == 3
    assert evidence.cosine == 1 and evidence.found and not evidence.sure
    assert asked.count(question) == 2
    again = gather_by_meaning(reading, question, 3, by_words, None, lambda texts: np.full((len(texts), 1), 0.5))
    assert again.passages == by_words.passages  # what is all the same near changes nothing
    assert again.quotes == by_words.quotes
    assert again.cosine == 0.25 and again.found is (by_words.fit >= TOGETHER - 0.25)


@pytest.mark.parametrize(("alike", "found"), [(0.0, False), (0.3, False), (0.5, True), (0.6, True)])
def test_a_word_in_common_is_not_enough_where_nothing_is_alike_in_meaning(
    reading: Reading, alike: float, found: bool
) -> None:
    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.array([[1.0, 0.0] if text == question else [alike, (1 - alike**2) ** 0.5] for text in texts])

    question = "Who built the spaceship?"
    by_words = gather(reading, question, 3)
    assert by_words.found and FOUND <= by_words.fit < SURE
    evidence = gather_by_meaning(reading, question, 3, by_words, None, encode)
    assert evidence.found is found and not evidence.sure
    going_on = gather_by_meaning(reading, question, 3, gather(reading, question, 3, "Solheim"), None, encode)
    assert going_on.found  # by itself it means little, so what it means is no measure


def test_passages_are_read_where_no_sentence_fits_well_and_where_it_is_said(reading: Reading) -> None:
    evidence = gather(reading, QUESTION, 3)
    best = [quote.text for quote in evidence.quotes]
    first = [passage.text.strip() for passage in evidence.passages]
    assert evidence.sure and len(best) == 3
    assert seen_again(evidence, None) == ([], best)
    assert seen_again(replace(evidence, sure=False), None) == (first[:2], best)
    assert seen_again(replace(evidence, about="Solheim"), None) == (first[:2], best)
    for count in (0, 1, 5):
        assert seen_again(evidence, count) == (first[:count], best)
    code = replace(evidence.passages[0], source="keeper.py")
    assert seen_again(replace(evidence, passages=(code,) * 6), None) == ([code.text.strip()] * 4, best)


def test_what_the_text_does_not_say_is_not_found(reading: Reading) -> None:
    for question in ("Who wrote Hamlet in Elsinore?", "Who?", "the of and", '"(* AND NOT NEAR(', "¿Quién? 誰が?"):
        assert not gather(reading, question, 3).found, question


@pytest.mark.parametrize("extent", [whole.RECOGNISED, whole.ASKED_FOR])
def test_a_list_is_collected_in_the_order_of_the_text(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, extent: whole.Extent
) -> None:
    def named(_: object, asked: list[tuple[str, str]]) -> list[str]:
        return [sentence.rsplit(" ", 1)[-1].strip(".") for _, sentence in asked]

    monkeypatch.setattr(whole, "named", named)
    session: Any = SimpleNamespace(writer=None)
    work = whole.collect(session, reading, "List all the secret numbers of the old harbour", extent)
    events = []
    with pytest.raises(StopIteration) as stopped:
        while True:
            events.append(next(work))
    collected = stopped.value.value
    assert collected.said.text == "417; 938"
    assert [quote.text for quote in collected.quotes] == [line for line in TEXT.split("\n") if "secret" in line]
    assert [event.text[:11] for event in events if isinstance(event, Note)] == ["2 sentences"]
    assert [event.done for event in events if isinstance(event, Progress) and event.stage == "ask"] == [0, 1, 2]


def test_what_is_named_is_counted_where_no_sentence_has_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_of: list[str] = []

    def named(_: object, asked: list[tuple[str, str]]) -> list[str]:
        asked_of.extend(question for question, _ in asked)
        return [sentence.split()[2] for _, sentence in asked]

    monkeypatch.setattr(whole, "named", named)
    with IndexWriter(tmp_path / "index") as writer:
        writer.add(Segment("ships.txt", "The schooner Aurora sank. Rain fell. The schooner Petrel burned.", 0, 1))
        writer.finish()
    reading = cast(Reading, SimpleNamespace(index=RecallIndex(tmp_path / "index"), state=None))
    for question in ("How many schooners are named?", "How many schooners were there?"):
        work = whole.collect(cast(Any, SimpleNamespace(writer=None)), reading, question)
        with pytest.raises(StopIteration) as stopped:
            while True:
                next(work)
        assert stopped.value.value.said.text == "at least 2: Aurora; Petrel"
    assert set(asked_of) == {"which schooners are named?", "How many schooners were there?"}


def test_with_whole_every_passage_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(_: object, asked: list[tuple[str, str]]) -> list[str]:
        return [sentence.rsplit(" ", 1)[-1].strip(".") for _, sentence in asked]

    monkeypatch.setattr(whole, "named", named)
    monkeypatch.setattr(whole, "PASSED", 7)
    path = tmp_path / "index"
    numbers = [str(1000 + 7 * n) for n in range(40)]
    filling = "Gulls sat on the quay and looked at the ships.\n\n" * 20
    with IndexWriter(path) as writer:
        text = "".join(f"One of the secret numbers of the old harbour is {number}.\n\n{filling}" for number in numbers)
        writer.add(Segment("harbour.txt", text, 0, 1))
        writer.finish()
    reading = cast(Reading, SimpleNamespace(index=RecallIndex(path), state=None))
    question = "Which are the secret numbers of the old harbour?"
    found = {}
    for extent in (whole.RECOGNISED, whole.ASKED_FOR):
        work = whole.collect(cast(Any, SimpleNamespace(writer=None)), reading, question, extent)
        with pytest.raises(StopIteration) as stopped:
            while True:
                next(work)
        found[extent] = stopped.value.value.said.text.split("; ")
    assert found[whole.ASKED_FOR] == numbers
    assert len(found[whole.RECOGNISED]) == whole.RECOGNISED.facts


@pytest.mark.parametrize(
    ("question", "listing"),
    [
        ("List the ships.", True),
        ("What are all the secret numbers?", True),
        ("Name every port", True),
        ("How many ships are mentioned?", True),
        ("How many sons had he?", False),
        ("How many ships were lost?", False),
        ("Who has the list?", False),
        ("Did all of them come?", False),
    ],
)
def test_questions_that_ask_for_a_list(question: str, listing: bool) -> None:
    assert whole.asks_for_all(question) is listing
