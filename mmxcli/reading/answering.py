"""One question: the recalled passages are read again, and what the model writes is held against them."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmxcli.reading.generate import generate
from mmxcli.reading.prompts import continuation_prompt, question_prompt
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.backing import backed
from mmxcli.recall.passages import Passage
from mmxcli.recall.quotes import Quote, best_quotes
from mmxcli.recall.select import select

CANDIDATES = 8  # passages in which evidence is looked for; the model reads the first few of them
# The least that the best sentence must share with a question for the text to be taken to answer it. Measured: of 72
# questions about three books, asked of their own book, the lowest reached 1.05; asked of another, 84 in 100 stayed
# below this (docs/benchmarks.md).
FOUND = 0.85


@dataclass(frozen=True, slots=True)
class Evidence:
    """What recall found for a question: the passages for the model, the best sentences without any answer."""

    passages: tuple[Passage, ...]
    quotes: tuple[Quote, ...]

    @property
    def found(self) -> bool:
        """Whether the text can be taken to say something about the question."""
        return bool(self.quotes) and self.quotes[0].score >= FOUND


def gather(reading: Reading, question: str, limit: int) -> Evidence:
    """Passages and the `limit` best sentences for a question, best first."""
    passages = tuple(hit.passage for hit in select(reading.index, question, CANDIDATES))
    return Evidence(passages, tuple(best_quotes(reading.index, question, None, passages, limit)))


def answer(session: Session, reading: Reading, asked: Sequence[tuple[str, Evidence]]) -> list[str]:
    """For each question with its evidence the model's answer where the passages bear it out, else the sentence that
    fits the question best. The answers are written together.

    A guess without evidence is never returned, so nothing can be shown before it is whole.
    """
    written = write(session, reading, asked)
    return [
        text if backed(reading.index, question, text, evidence.passages) else " ".join(evidence.quotes[0].text.split())
        for text, (question, evidence) in zip(written, asked, strict=True)
    ]


def write(session: Session, reading: Reading, asked: Sequence[tuple[str, Evidence]]) -> list[str]:
    """What the model says: after the state of a full reading, which stays as it is, or from nothing.

    For each question it reads the first passages, and then the best sentences of all of them.
    """
    prompts = []
    for question, evidence in asked:
        passages = [passage.text.strip() for passage in evidence.passages[: session.settings.passages]]
        quotes = [quote.text for quote in evidence.quotes]
        form = question_prompt if reading.state is None else continuation_prompt
        prompts.append(form(session.template, passages, quotes, question))
    states = None if reading.state is None else [reading.state.fork() for _ in asked]
    limit, chunk = session.settings.max_tokens, session.policy.chunk
    assert session.writer  # the session was prepared
    texts = [""] * len(asked)
    for number, piece in generate(session.writer, session.tokenizer, states, prompts, limit, chunk):
        texts[number] += piece
    return [text.strip() for text in texts]
