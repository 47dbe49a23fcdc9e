"""How near the words of a line are to those of a question: `declined` is near to `rejected`, and no step of the model
is needed to know it."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mmxcli.recall.shapes import line_words, telling_words

if TYPE_CHECKING:
    from mmxcli.reading.directions import Directions

KNOWN = 50_000  # words whose nearness is kept
ALIKE = 5  # letters at the beginning of two words that make them one word, where nothing else tells it
SAYS = 0.2  # as in Directions, then
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

    def __init__(self, question: str) -> None:
        self.terms = [word for word in line_words(question) if word not in _FRAME]
        self.values = frozenset(_VALUE.findall(question.lower()))
        if _OPEN.search(question) and all(_OPEN.fullmatch(word) or word in _FRAME for word in self.terms):
            self.terms = []
        self.measure_by(None)

    def measure_by(self, directions: "Directions | None") -> None:
        """How near words are is told by `directions` from now on; by their beginnings where there are none.

        `measure` names that, and `says` is what nearness and the model's gain must make together for a line to say
        what is asked."""
        self.measure = directions.name if directions else "letters"
        self.says = directions.says if directions else SAYS
        self._near = self._by_letters
        if directions and self.terms:
            terms = directions(self.terms).T
            self._near = lambda words: (directions(words) @ terms).clip(0).tolist()
        self._known: dict[str, Sequence[float]] = {}

    @property
    def open(self) -> bool:
        return not self.terms and not self.values

    def values_in(self, text: str) -> list[str]:
        """The question's numbers and names with figures that stand in a line, in order."""
        return sorted(self.values.intersection(_VALUE.findall(text.lower()))) if self.values else []

    def foresee(self, text: str) -> None:
        """Learns the words of lines that will come: of many words at once each takes a tenth of the time."""
        if not self.open:
            self._learn(telling_words(text))

    def nearness(self, words: Sequence[str], weight: Callable[[str], float], values: int = 0) -> float:
        """From 0 to 1: of each of the question's words how near the nearest of `words` is, on average; what is in many
        lines counts less. `values`: how many of the question's values the line has."""
        self._learn(words)
        best = [0.0] * len(self.terms)
        for word in words:
            weighs = weight(word)
            for at, one in enumerate(self._known[word]):
                best[at] = max(best[at], one * weighs)
        count = len(best) + len(self.values)
        return (sum(best) + values) / count if count else 0.0

    def _learn(self, words: Sequence[str]) -> None:
        if len(self._known) > KNOWN:
            self._known.clear()
        if new := [word for word in words if word not in self._known]:
            self._known.update(zip(new, self._near(new), strict=True))

    def _by_letters(self, words: Sequence[str]) -> list[list[float]]:
        return [[float(term[:ALIKE] == word[:ALIKE]) for term in self.terms] for word in words]
