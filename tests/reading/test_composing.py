"""Whether a model can put answers together is tried on cases, and told by what it wrote."""

import re
from collections.abc import Callable, Generator, Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from mmxcli.reading import ability, composing
from mmxcli.reading.ability import CASES, Case, able
from mmxcli.reading.composing import compose
from mmxcli.reading.session import Session
from mmxcli.recall.quotes import Quote
from mmxcli.recall.stems import Stemmer

Writes = Callable[[str], str]


def run(generator: Generator[object, None, object]) -> object:
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Callable[[Writes], Session]:
    """A session whose model writes what the test wants, and the prompts that it was given."""

    def made(writes: Writes) -> Session:
        asked: list[str] = []

        class Scribe:
            def __init__(self, *_: object) -> None: ...

            def __enter__(self) -> "Scribe":
                return self

            def __exit__(self, *_: object) -> None: ...

            def write(self, prompts: Sequence[str], *_: object) -> Generator[object, None, list[str]]:
                asked.extend(prompts)
                yield from ()
                return [writes(prompt) for prompt in prompts]

        for module in (ability, composing):
            monkeypatch.setattr(module, "Scribe", Scribe)
            monkeypatch.setattr(module, "composing_prompt", lambda _, given, question: "\n".join([question, *given]))
        settings = SimpleNamespace(weights_folder=None)
        return cast(Session, SimpleNamespace(abilities={}, settings=settings, template=None, asked=asked))

    return made


def case_of(prompt: str) -> Case:
    return next(case for case in CASES if prompt.startswith(case.question))


def perfect(prompt: str) -> str:
    case = case_of(prompt)
    return " ".join(case.sentences[: case.telling])


def everything(prompt: str) -> str:
    return " ".join(case_of(prompt).sentences)


def first(prompt: str) -> str:
    return case_of(prompt).sentences[0]


def now_and_then(prompt: str) -> str:
    """As many right as must be, one of them among the first, and of the others the first sentence."""
    return perfect(prompt) if CASES.index(case_of(prompt)) in range(1, ability.RIGHT + 1) else first(prompt)


def seldom(prompt: str) -> str:
    return perfect(prompt) if CASES.index(case_of(prompt)) in range(1, ability.RIGHT) else ""


def once_astray(prompt: str) -> str:
    return everything(prompt) if CASES.index(case_of(prompt)) == len(CASES) - 1 else perfect(prompt)


@pytest.mark.parametrize(
    ("writes", "expected", "tried"),
    [
        (perfect, True, len(CASES)),
        (everything, False, ability.FIRST),
        (first, False, ability.FIRST),
        (lambda _: "", False, ability.FIRST),
        (now_and_then, True, len(CASES)),
        (seldom, False, len(CASES)),
        (once_astray, False, len(CASES)),
    ],
)
def test_a_model_is_able_when_it_takes_up_what_answers_and_nothing_else(
    session: Callable[[Writes], Session], writes: Writes, expected: bool, tried: int
) -> None:
    one = session(writes)
    assert run(able(one)) is expected
    assert one.abilities == {ability.TO_COMPOSE: expected}
    assert len(one.asked) == tried  # type: ignore[attr-defined]
    run(able(one))
    assert len(one.asked) == tried  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", CASES)
def test_every_case_can_be_done_right_and_wrong(case: Case) -> None:
    told = case.sentences[: case.telling]
    assert case.done(" ".join(told)) == (True, False)
    assert case.done(" ".join(reversed(told))) == (True, False)
    assert case.done(" ".join(case.sentences)) == (False, True)
    assert case.done(told[0]) == case.done("") == (False, False)
    assert sorted(case.given) == sorted(case.sentences)


def quotes() -> list[Quote]:
    texts = ["The Berg pump is electric.", "The Aalto pump runs on petrol.", "The shed is red."]
    return [Quote("a.txt", 100 - at, 200 - at, 1, None, text, 1.0) for at, text in enumerate(texts)]


def test_an_answer_is_put_together_from_quotes_which_come_in_its_order(
    session: Callable[[Writes], Session],
) -> None:
    one = session(lambda _: "The Berg pump is electric. The Aalto pump runs on petrol. It is fast.")
    composed = run(compose(one, Stemmer(), "How do they differ?", quotes()))
    assert isinstance(composed, composing.Composed)
    assert composed.text == "The Berg pump is electric. [1] The Aalto pump runs on petrol. [2]"
    assert [quote.text for quote in composed.quotes] == ["The Berg pump is electric.", "The Aalto pump runs on petrol."]


@pytest.mark.parametrize("written", ["", "The Berg pump is electric.", "Both are fast.", "The Berg pump is blue."])
def test_what_one_quote_alone_bears_out_is_no_answer_of_this_kind(
    session: Callable[[Writes], Session], written: str
) -> None:
    assert run(compose(session(lambda _: written), Stemmer(), "How do they differ?", quotes())) is None


@pytest.mark.parametrize(
    ("question", "twisted"),
    [
        ("How was the ferry run?", "The ferry was run by Lena, who owned it and steered it. Karl sold the tickets."),
        ("How do guests and members of the club differ?", "Members may bring any number of dogs, guests one dog."),
        ("How were the two locks built?", "Both locks were built by Greta Moe. The lower was cut into the rock."),
        ("How does the alarm work?", "It is raised by smoke. It calls the guard and the fire brigade."),
    ],
)
def test_what_is_twisted_is_astray_though_every_word_stands_there(question: str, twisted: str) -> None:
    case = next(case for case in CASES if case.question == question)
    just, _ = case.done(twisted)
    assert not just
    assert re.search(case.twisted or "", twisted, re.I)
