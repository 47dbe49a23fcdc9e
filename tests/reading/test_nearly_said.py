"""What a text nearly says, and what only marks a place in it, is no answer. The model here says what the test wants."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from mmxcli.reading import answering
from mmxcli.reading.answering import Origin, answer, gather
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.segment import Segment
from mmxcli.tasks import ask as task
from mmxcli.tasks.events import Answer

HAY = "Gulls sat on the quay and looked at the ships.\n\n" * 40
TEXT = (
    "Priya measured the new store and ordered tissue.\n\nGulls sat on the quay.\n\n"
    "(3) The members of the harbour club elect a board of seven.\n\n"
    "9. TERMINATION OF THE LEASE\n\n"
    "9.2 The landlord may end the lease after six weeks without rent.\n\n"
    "The lighthouse keeper Olsen was a man of sixty, and his boat was green.\n\n" + HAY
)

Says = Callable[[str, str], None]


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    with IndexWriter(tmp_path / "index") as writer:
        writer.add(Segment("harbour.txt", TEXT, 0, 1))
        writer.finish()
    index = RecallIndex(tmp_path / "index")
    yield cast(Reading, SimpleNamespace(index=index, state=None, stored=None, named=(), read_s=0.0))
    index.close()


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What the model says at first, and then of one sentence."""

    def script(first: str, second: str) -> None:
        monkeypatch.setattr(answering, "write", lambda *_: [first])
        monkeypatch.setattr(answering, "named", lambda *_: [second])

    return script


@pytest.mark.parametrize(
    ("question", "untold"),
    [
        ("How old is Priya?", "an age"),
        ("How old is the keeper Olsen?", ""),
        ("What colour is the new store that Priya measured?", "a colour"),
        ("What colour is the boat of keeper Olsen?", ""),
        ("How many members of the harbour club elect a board?", ""),
        ("How many sheets of tissue has Priya ordered?", "a number"),
        ("Who ordered tissue?", ""),
    ],
)
def test_what_has_nothing_of_the_kind_that_is_asked_for_is_not_found(
    reading: Reading, question: str, untold: str
) -> None:
    evidence = gather(reading, question, 3)
    assert evidence.near
    assert evidence.untold == untold
    assert evidence.found is not bool(untold)


def test_it_is_told_what_is_missing(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("coverage", "model_info", "state_info"):
        monkeypatch.setattr(task, name, lambda *_: None)
    settings = SimpleNamespace(context=0, passages=0)
    session = SimpleNamespace(
        settings=settings, load_s=0.0, composes=False, sentence_encoder=none, near_words=lambda: None
    )
    events = list(task.answers(cast(Session, session), reading, ["How old is Priya?"], 0.0))
    [said] = [event for event in events if isinstance(event, Answer)]
    assert not said.found and said.nearest and said.warnings == (f"{task.UNTOLD} an age",)


def none() -> Iterator[None]:
    """No encoder."""
    return
    yield


@pytest.mark.parametrize(
    ("first", "second", "text", "origin"),
    [
        ("sixty", "", "sixty", Origin.NAMED),
        ("60", "", "60", Origin.NAMED),
        ("Olsen", "a man of sixty", "a man of sixty", Origin.AGAIN),
        ("his boat was green", "the lighthouse", None, Origin.SENTENCE),
    ],
)
def test_an_answer_is_of_the_kind_that_is_asked_for(
    reading: Reading, says: Says, first: str, second: str, text: str | None, origin: Origin
) -> None:
    says(first, second)
    question = "How old was the lighthouse keeper?"
    [said] = answer(cast(Session, None), reading, [(question, gather(reading, question, 3))])
    assert said.origin == origin
    assert said.text == (text or "The lighthouse keeper Olsen was a man of sixty, and his boat was green.")


@pytest.mark.parametrize(
    ("question", "first", "text"),
    [
        ("Whom do the members of the harbour club elect?", "3", "a board of seven"),
        ("Whom do the members of the harbour club elect?", "(3)", "a board of seven"),
        ("How many members has the board that the harbour club elects?", "3", "a board of seven"),
        ("Which paragraph says whom the members of the harbour club elect?", "3", "3"),
    ],
)
def test_the_mark_before_a_sentence_answers_only_where_it_is_asked_for(
    reading: Reading, says: Says, question: str, first: str, text: str
) -> None:
    says(first, "a board of seven")
    [said] = answer(cast(Session, None), reading, [(question, gather(reading, question, 3))])
    assert said.text == text


def test_a_heading_is_no_answer(reading: Reading, says: Says) -> None:
    says("", "")
    for question, text in (
        ("May the landlord end the lease?", "The landlord may end the lease after six weeks without rent."),
        ("Which section says that the landlord may end the lease?", "9. TERMINATION OF THE LEASE"),
    ):
        evidence = gather(reading, question, 3)
        heading = replace(evidence.quotes[0], text="9. TERMINATION OF THE LEASE")
        [said] = answer(
            cast(Session, None), reading, [(question, replace(evidence, quotes=(heading, *evidence.quotes)))]
        )
        assert said.text == text
