"""Questions and texts in odd forms: what happens is clear, and takes no longer than it must."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from mmxcli.reading.answering import Origin, Said, answer, gather, gather_by_meaning
from mmxcli.reading.session import Reading
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.segment import Segment
from mmxcli.tasks import ask as task
from mmxcli.tasks.events import Answer, Looking

FACT = "The lighthouse at Port Halvard is 40 metres high."
OTHER = "The lighthouse at Port Halvard is 45 metres high."
HAY = "Gulls sat on the quay and looked at the ships.\n\n" * 60
QUESTION = "How high is the lighthouse at Port Halvard?"


@pytest.fixture
def reading(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Reading]:
    with IndexWriter(tmp_path / "index") as writer:
        writer.add(Segment("harbour.txt", request.param, 0, 1))
        writer.finish()
    index = RecallIndex(tmp_path / "index")
    yield cast(Reading, SimpleNamespace(index=index, state=None, stored=None, named=(), read_s=0.0))
    index.close()


def of(text: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reading", [text], indirect=True)


@of(f"{HAY}{FACT}\n\n{HAY}")
@pytest.mark.parametrize(
    ("question", "found"),
    [
        (QUESTION, True),
        ("lighthouse", True),
        ("LIGHTHOUSE?!", True),
        ('How "high is (the lighthouse at Port Halvard', True),
        ("lighthouse AND NOT port* OR NEAR(halvard, 3) ^high -metres words:lighthouse", True),
        (f"{QUESTION} " * 700, True),  # 5,600 words
        ("Wie hoch ist der Leuchtturm?", False),
        ("灯台の高さは？", False),
        ("", False),
        ("   \n", False),
        ("?!()\"'*", False),
        ("the of and", False),
    ],
)
def test_a_question_finds_by_its_words_alone(reading: Reading, question: str, found: bool) -> None:
    evidence = gather(reading, question, 3)
    if evidence.quotes and not evidence.sure:
        evidence = gather_by_meaning(
            reading,
            question,
            3,
            evidence,
            lambda words: {word: {"gulls": 0.9} for word in words},
            lambda texts: np.full((len(texts), 1), 0.5, np.float32),
        )
    assert evidence.found is found
    assert not found or evidence.quotes[0].text == FACT


@of(f"{HAY}{FACT}\n\n{HAY}")
@pytest.mark.parametrize("question", ["lighthouse", f"{QUESTION} " * 700])
def test_what_is_no_question_is_put_to_no_model(reading: Reading, question: str) -> None:
    nobody: Any = None
    (said,) = answer(nobody, reading, [(question, gather(reading, question, 3))])
    assert (said.text, said.origin) == (FACT, Origin.SENTENCE)


@of(f"{HAY}E4: the lamp of Lighthouse_2 is broken, ring_put returns it. Fuse B12 of version 2, section 第5章.\n\n{HAY}")
@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("When is the lamp broken, what does E4 mean?", True),
        ("When is the lamp broken, what does E5 mean?", False),
        ("When is the lamp broken, what does ring_put return?", True),
        ("When is the lamp broken, what does ring_peek return?", False),
        ("When is the lamp of v2 broken, for 5km or on the 30th, in 第5章?", True),
    ],
)
def test_what_has_a_name_of_its_own_is_nothing_else(reading: Reading, question: str, found: bool) -> None:
    assert gather(reading, question, 3).found is found


@of("The lighthouse at Port Halvard is 40 metres high. " * 20_000)
def test_one_sentence_over_and_over_is_one_quote_at_a_time(reading: Reading) -> None:
    for question in (QUESTION, "lighthouse " * 5000):
        evidence = gather(reading, question, 3)
        assert [quote.text for quote in evidence.quotes] == [FACT] * 3
        assert len({quote.start for quote in evidence.quotes}) == 3


def answered(reading: Reading, text: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(task, "answer", lambda *_: [Said(text, Origin.NAMED)])
    for name in ("coverage", "state_info", "model_info"):
        monkeypatch.setattr(task, name, lambda _: None)
    session: Any = SimpleNamespace(settings=SimpleNamespace(context=0), writer=None, load_s=0.0, prepare_writing=tuple)
    return list(task._answer(session, reading, [QUESTION], 0.0, whole=False, after=None))


@of(f"{HAY[:480]}{FACT}\n\n" * 500)
def test_what_is_said_five_hundred_times_is_not_in_dispute(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, said = answered(reading, "40 metres", monkeypatch)
    assert isinstance(said, Answer) and said.warnings == ()
    assert {cited.quote for cited in said.citations} == {FACT}


@of(f"{HAY}{FACT}\n\n{HAY}{OTHER}\n\n{HAY}")
def test_two_values_are_both_cited_and_told(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, *_, said = answered(reading, "40 metres", monkeypatch)
    assert [cited.quote for cited in said.citations[:2]] == [FACT, OTHER]
    assert said.warnings == (task.OTHERWISE,)
    assert all(cited.verified for cited in said.citations)
    assert isinstance(looking, Looking) and looking.citation.quote in (FACT, OTHER)
