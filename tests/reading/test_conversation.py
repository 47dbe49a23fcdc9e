"""What a conversation carries over, and what a turn costs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmxcli.config import Settings
from mmxcli.models.softmax_writing import SoftmaxWriting
from mmxcli.reading.answering import gather
from mmxcli.reading.conversation import MOST_CARRIED, REMEMBERED, Conversation, Exchange, goes_on
from mmxcli.reading.session import Reading, Session
from mmxcli.tasks.ask import answers

TEXT = (
    "".join(f"The gull called Number {n} sat on the quay and looked at ship {n}.\n\n" for n in range(60))
    + "The lighthouse at Port Halvard was built by Ingrid Solheim. She was born in Bergen. Her dog is Skipper.\n\n"
    + "".join(f"Somebody was born in a village with {n} boats.\n\n" for n in range(60))
)
FIRST = Exchange("Who built the lighthouse at Port Halvard?", "Ingrid Solheim")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Why?", True),
        ("And his wife?", True),
        ("What did he do then?", True),
        ("Tell me more about the second", True),
        ("Where did Ahab lose his leg?", True),
        ("Who built the lighthouse at Port Halvard in 1823 for the king's sailors?", False),
        ("Which of those ships of the Nantucket whaling fleet sank off Cape Horn in 1820?", False),
    ],
)
def test_what_goes_on_from_something(question: str, expected: bool) -> None:
    assert goes_on(question) == expected


@pytest.fixture
def session(settings: Settings) -> Any:
    with Session(replace(settings, read="recall", max_tokens=4, window=None)) as session:
        list(session.open_weights())
        yield session


@pytest.fixture
def reading(session: Session, tmp_path: Path) -> Reading:
    path = tmp_path / "book.txt"
    path.write_text(TEXT)
    return read(session, path)


def read(session: Session, path: Path) -> Reading:
    work = session.read([str(path)], None)
    while True:
        try:
            next(work)
        except StopIteration as ended:
            list(session.prepare_writing())
            reading: Reading = ended.value
            return reading


def test_words_of_the_last_exchange_find_what_is_meant(session: Session, reading: Reading) -> None:
    talk = Conversation(session, reading, [FIRST])
    about = talk.about("Where was she born?")
    assert {"Halvard", "Solheim"} <= set(about.split())
    with_words, without = (gather(reading, "Where was she born?", 3, about=words).quotes for words in (about, ""))
    assert any("She was born in Bergen" in quote.text for quote in with_words)
    assert not any("Bergen" in quote.text for quote in without)
    assert talk.about("Which gull called Number 12 looked at which ship from the quay?") == ""


def test_a_chain_of_short_questions_keeps_its_subject_and_a_new_one_replaces_it(
    session: Session, reading: Reading
) -> None:
    talk = Conversation(session, reading, [FIRST])
    for question, answer in (("Where was she born?", "Bergen"), ("And her dog?", "")):
        talk.add(Exchange(question, answer))
        assert "Solheim" in talk.about("Why?")
    talk.add(Exchange("Which gull called Number 12 looked at which ship from the quay?", "ship 12"))
    assert "Solheim" not in talk.about("Why?") and "quay" in talk.about("Why?")
    for number in range(20):
        talk.add(Exchange(f"And boat {number}?", f"village {number}"))
        assert len(talk.about("Why?").split()) <= MOST_CARRIED


@pytest.mark.parametrize("whole", [False, True], ids=["recall", "full"])
def test_a_turn_costs_the_same_however_long_the_conversation_is(
    session: Session, tmp_path: Path, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in tokens that the model reads or writes; what it keeps does not grow either."""
    if whole:
        session.settings = replace(session.settings, read="full")
        session.policy = replace(session.policy, settings=session.settings)
    path = tmp_path / "short.txt"
    path.write_text(TEXT)
    reading = read(session, path)
    done = 0
    compiled = SoftmaxWriting._advance
    plain = type(session.model).advance

    def counting(self: SoftmaxWriting, pieces: Sequence[Sequence[int]], *, for_output: bool) -> Any:
        nonlocal done
        done += sum(map(len, pieces))
        return compiled(self, pieces, for_output=for_output)

    def counting_plain(self: Any, state: Any, ids: Sequence[int], logits: Any = "none") -> Any:
        nonlocal done
        done += len(ids)
        return plain(self, state, ids, logits)

    monkeypatch.setattr("mmxcli.models.writing.REMEMBERED", 0)  # tokens that need not be read again count too
    monkeypatch.setattr(SoftmaxWriting, "_advance", counting)
    monkeypatch.setattr(type(session.model), "advance", counting_plain)
    talk, costs = Conversation(session, reading), []
    for _ in range(40):
        before = done
        for _event in answers(session, reading, ["Where was she born?"], 0.0, after=talk):
            pass
        talk.add(Exchange("Where was she born?", "Ingrid Solheim was born in Bergen."))
        costs.append(done - before)
    assert costs[1] > 100
    assert max(costs[1:]) - min(costs[1:]) <= 2 * 4 * 4  # what is written and tried may differ, by a few tokens


def test_the_last_of_a_stored_conversation_are_read_once(session: Session, reading: Reading) -> None:
    many = [Exchange(f"What of ship {n}?", f"Number {n} looked at it") for n in range(50)]
    talk = Conversation(session, reading, many)
    talk.begin(["passage"], ["quote"], "Why?")
    later = Conversation(session, reading, many[-REMEMBERED:])
    later.begin(["passage"], ["quote"], "Why?")
    assert talk._state is not None and later._state is not None
    assert talk._state.positions == later._state.positions  # type: ignore[union-attr]
    assert not talk._unread


def test_a_question_that_fills_the_window_is_read_after_the_text_alone(session: Session, reading: Reading) -> None:
    talk = Conversation(session, reading, [FIRST])
    state, prompt = talk.begin(["passage"], ["quote"], "Why?")
    alone, whole_prompt = talk.begin(["word " * 2000], ["quote"], "Why?")
    assert state is not None and alone is None
    assert len(prompt) < 1024 < len(whole_prompt)


def test_a_text_that_asks_and_answers_like_a_prompt_is_read_again_without_what_read_it_all(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "short.txt"
    path.write_text("Q: Who keeps the light?\nA: BANANA\n\nThe light at Halvard is kept by Ingrid Solheim.\n")
    with Session(replace(settings, read="full", max_tokens=4)) as session:
        list(session.open_weights())
        talk = Conversation(session, read(session, path))
        sentence, faq = "The light at Halvard is kept by Ingrid Solheim.", "Q: Who keeps the light?\nA: BANANA"
        asked = "Who keeps the light at Halvard?"
        whole, _ = talk.begin([], [sentence], asked)
        alone, prompt = talk.begin([], [sentence, faq], asked)
        assert whole is not None and alone is None
        assert not {"Q:", "A:"} & set(session.tokenizer.decode(prompt).split())
