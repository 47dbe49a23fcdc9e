"""Chooses the passages to read for a question: the statistics of words, then what stands close together."""

import re
from collections.abc import Mapping, Set

from mmxcli.recall.index import Hit, RecallIndex
from mmxcli.recall.passages import Passage, is_code
from mmxcli.recall.sentences import sentences
from mmxcli.recall.words import words

CANDIDATES = 50
# Dot leaders, a page number at the end of the line, or a line that only names a chapter.
_CONTENTS_LINE = re.compile(r"(?:\. ?){4}|(?:\s{2}|, )\d+(?:[-–]\d+)?\.?$|^\s*(?i:chapter|chap\.)\s")


def select(index: RecallIndex, question: str, limit: int, about: str = "") -> list[Hit]:
    """The passages most likely to answer the question, best first; scores are at most 1.5. `about` are words that the
    question goes on from.

    To BM25, relative to its best, comes half the share of the question's rare words that two neighbouring
    sentences hold, less half the share of lines that look like a table of contents.
    """
    hits = index.search(f"{question} {about}", CANDIDATES)
    weights = index.question_weights(question, about)
    index.stems(word.text for hit in hits for word in words(hit.passage.text))  # all at once is faster
    scored = [
        Hit(
            hit.passage,
            hit.score / hits[0].score + _closest(index, hit.passage, weights) / 2 - _contents(hit.passage.text) / 2,
        )
        for hit in hits
    ]
    return sorted(scored, key=lambda hit: -hit.score)[:limit]


def share(stems: Set[str], weights: Mapping[str, float]) -> float:
    """How much of the weight these stems carry, from 0 to 1."""
    return sum(weights[stem] for stem in stems & weights.keys()) / (sum(weights.values()) or 1)


def _closest(index: RecallIndex, passage: Passage, weights: Mapping[str, float]) -> float:
    """The greatest share of the question that two neighbours and the headings above them hold."""

    text, headings = passage.text, index.stems_of(passage.headings)
    parts = [index.stems_of(text[start:end]) | headings for start, end in sentences(text, is_code(passage.source))]
    return max(share(one | other, weights) for one, other in zip(parts, [*parts[1:], headings], strict=True))


def _contents(text: str) -> float:
    lines = [line for line in text.split("\n") if line.strip()]
    return sum(bool(_CONTENTS_LINE.search(line)) for line in lines) / len(lines)
