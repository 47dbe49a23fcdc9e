"""How near the words of a line are to those of a question, by the model's own embedding of words: `declined` is near to
`rejected`, and no step of the model is needed to know it."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mmxcli.models.tokenizer import Tokenizer
from mmxcli.recall.shapes import line_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mmxcli.models.embedding import Embedding

    Floats = NDArray[np.float32]

KNOWN = 50_000  # words whose nearness is kept
COMMON = 4096  # tokens whose mean is what all tokens share
ALIKE = 5  # letters at the beginning of two words that make them one word, where there is no embedding
# A question that names nothing, and words that only frame one.
_OPEN = re.compile(
    r"\b(?:unusual|strange|odd|weird|abnormal|anomal\w+|suspicious|wrong|unexpected|out of the ordinary|noteworthy"
    r"|remarkable|interesting|problems?|trouble|amiss|new)\b",
    re.I,
)
_FRAMING = """
    somebody someone anyone anybody something anything nothing everything happen happens happened there tell say says
    become get got go goes going still ever yet
"""
_FRAME = frozenset(_FRAMING.split())
_VALUE = re.compile(r"[^\W_]*\d[^\W_]*")


class Meaning:
    """`terms`: the words of the question that tell; none where it is open, such as "anything unusual?"."""

    def __init__(self, question: str, tokenizer: Tokenizer, embedding: "Embedding | None") -> None:
        self.terms = [word for word in line_words(question) if word not in _FRAME]
        self.values = frozenset(_VALUE.findall(question.lower()))
        if _OPEN.search(question) and all(_OPEN.fullmatch(word) or word in _FRAME for word in self.terms):
            self.terms = []
        self._tokenizer = tokenizer
        self._embedding = embedding
        self._known: dict[str, Sequence[float]] = {}
        self._near = self._by_embedding() if embedding is not None else self._by_letters

    @property
    def open(self) -> bool:
        return not self.terms and not self.values

    def values_in(self, text: str) -> list[str]:
        """The question's numbers and names with figures that stand in a line, in order."""
        return sorted(self.values.intersection(_VALUE.findall(text.lower()))) if self.values else []

    def nearness(self, words: Sequence[str], weight: Callable[[str], float], values: int = 0) -> float:
        """From 0 to 1: of each of the question's words how near the nearest of `words` is, on average; what is in many
        lines counts less. `values`: how many of the question's values the line has."""
        best = [0.0] * len(self.terms)
        for word in words:
            weighs = weight(word)
            near = self._known.get(word) or self._learn(word)
            for at, one in enumerate(near):
                best[at] = max(best[at], one * weighs)
        count = len(best) + len(self.values)
        return (sum(best) + values) / count if count else 0.0

    def _learn(self, word: str) -> Sequence[float]:
        if len(self._known) >= KNOWN:
            self._known.clear()
        found = self._known[word] = self._near(word) or (0.0,)
        return found

    def _by_letters(self, word: str) -> Sequence[float]:
        return [float(term[:ALIKE] == word[:ALIKE]) for term in self.terms]

    def _by_embedding(self) -> Callable[[str], Sequence[float]]:
        import numpy as np

        embedding = self._embedding
        assert embedding is not None
        shared = embedding.rows(range(min(COMMON, len(embedding)))).mean(axis=0)

        def vector(word: str) -> "Floats":
            mean: Floats = embedding.rows(self._tokenizer.encode(f" {word}")).mean(axis=0) - shared
            length = float(np.linalg.norm(mean))
            return mean / length if length else mean

        terms = np.array([vector(term) for term in self.terms])

        def near(word: str) -> Sequence[float]:
            found: list[float] = np.maximum(terms @ vector(word), 0).tolist() if len(terms) else []
            return found

        return near
