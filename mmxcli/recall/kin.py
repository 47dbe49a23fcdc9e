"""Words of a text that may stand there for those of a question."""

from collections.abc import Callable, Mapping, Sequence, Set
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from mmxcli.recall.frames import is_english
from mmxcli.recall.words import spaceless

if TYPE_CHECKING:
    from mmxcli.recall.index import RecallIndex

RARE = 0.05  # of the passages, in which a word may stand to stand for another; or FEW of them
FEW = 20
# Letters that two forms of a word begin with, and those that either may have after them.
BEGINNING, ENDING = 4, 3


class Kin(NamedTuple):
    """A word, and how much of another one it counts: 0 to 1."""

    word: str
    nearness: float


Near = Callable[[Sequence[str]], Mapping[str, Mapping[str, float]]]  # words to those near each, with their nearness
Kindred = Mapping[str, Mapping[str, Kin]]  # stem of a question's word to the stems of those that may stand for it
NONE: Kindred = {}


def kindred(index: "RecallIndex", question: str, near: Near) -> Kindred:
    """Of the words near those of the question those that the text has, and not too often; of other languages than
    English, whose endings the index keeps, also those that begin alike."""
    words = index.question_words(question)
    found = near(list(words.values()))
    foreign = not is_english(question)
    stems = index.stems(word for others in found.values() for word in others)
    chosen: dict[str, dict[str, Kin]] = {}
    for stem, word in words.items():
        kin = chosen[stem] = _forms(index, stem) if foreign and not spaceless(word) else {}
        for other, nearness in found.get(word, {}).items():  # nearest first
            its = stems[other]
            rare = its and 0 < index.holding(its) <= max(FEW, RARE * index.count)
            if rare and its not in words and its not in kin:
                kin[its] = Kin(other, nearness)
    return chosen


def _forms(index: "RecallIndex", stem: str) -> dict[str, Kin]:
    """Terms of the index that may be the same word with another ending."""
    found = {}
    for term in index.terms_from(stem[: max(BEGINNING, len(stem) - ENDING)]):
        pairs = zip(stem, term, strict=False)
        alike, longest = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)), max(len(stem), len(term))
        if term != stem and alike >= BEGINNING and longest - alike <= ENDING:
            found[term] = Kin(term, alike / longest)
    return found


def share(stems: Set[str], weights: Mapping[str, float], kindred: Kindred = NONE) -> float:
    """How much of the weight these stems carry, from 0 to 1; a word that stands for another carries a part of it."""
    held = sum(weights[stem] for stem in stems & weights.keys())
    for stem, kin in kindred.items():
        if kin and stem not in stems:
            nearest = max((kin[other].nearness for other in kin.keys() & stems), default=0.0)
            held += weights.get(stem, 0.0) * nearest
    return held / (sum(weights.values()) or 1)
