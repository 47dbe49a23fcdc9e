"""Whether a line says what a question asks: how much more the model expects the question after it than after ordinary
lines. Asked for yes or no, a small model says yes to nearly everything; what it expects tells far better."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmxcli.reading.meaning import Meaning
from mmxcli.reading.prompts import expecting_prompt
from mmxcli.reading.session import Session
from mmxcli.recall.shapes import shape

if TYPE_CHECKING:
    from mmxcli.models.writing import Writing

LOOKED_AT = 400  # characters of a line


class Judge:
    """Comes after the session was prepared for writing."""

    def __init__(self, session: Session, question: str, meaning: Meaning) -> None:
        self._session = session
        self._meaning = meaning
        self._before, self._after = expecting_prompt(session.template)
        self._question = session.tokenizer.encode(question)
        self._begun: Writing | None = None

    def expectation(self, line: str) -> float:
        """The logarithm of the probability that the model gives the question, having read the line."""
        session = self._session
        assert session.writer
        if self._begun is None:
            self._begun = session.writer.begin(1, [self._before], session.policy.chunk)
        writing = self._begun.fork()
        read = session.tokenizer.encode(self._short(line)) + self._after
        writing.read([read[:-1]])
        return _expected(writing, [read[-1], *self._question])

    def _short(self, line: str) -> str:
        """The line without the values that are not asked for: each of their figures is a token."""
        line = line if self._meaning.values_in(line) else shape(line)
        return " ".join(line[:LOOKED_AT].split()).lstrip("# ")


def gain(expectation: float, ordinary: float) -> float:
    """What part of the surprise that a question is after an ordinary line has gone."""
    return 1 - expectation / ordinary if ordinary else 0.0


def _expected(writing: "Writing", ids: Sequence[int]) -> float:
    """The logarithm of the probability of all ids but the first, each after those before it."""
    import numpy as np

    total = 0.0
    size = len(ids) - 1 if writing.rows > 1 else 1  # a plain writing takes one at a time
    for start in range(0, len(ids) - 1, size):
        logits = writing.step([ids[start : start + size]])
        writing.keep([size])
        logits = logits - logits.max(axis=1, keepdims=True)
        chosen = logits[np.arange(size), np.array(ids[start + 1 : start + 1 + size])]
        total += float((chosen - np.log(np.exp(logits).sum(axis=1))).sum())
    return total
