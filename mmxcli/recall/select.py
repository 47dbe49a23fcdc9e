"""Chooses the passages to read for a question: the statistics of words, then what stands close together."""

import re
from collections.abc import Mapping

from mmxcli.recall.files import asks_about_files
from mmxcli.recall.index import Hit, RecallIndex
from mmxcli.recall.kin import NONE, Kindred, share
from mmxcli.recall.passages import Passage, is_code
from mmxcli.recall.sentences import sentences
from mmxcli.recall.words import word_texts
from mmxcli.sources.tree import is_tree

CANDIDATES = 50
# Dot leaders, a page number at the end of the line, or a line that only names a chapter.
_CONTENTS_LINE = re.compile(r"(?:\. ?){4}|(?:\s{2}|, )\d+(?:[-–]\d+)?\.?$|^\s*(?i:chapter|chap\.)\s")


def select(index: RecallIndex, question: str, limit: int, kindred: Kindred = NONE, about: str = "") -> list[Hit]:
    """The passages most likely to answer the question, best first; scores are at most 1.5. `about` are words that the
    question goes on from.

    To BM25, relative to its best, comes half the share of the question's rare words that two neighbouring
    sentences hold, less half the share of lines that look like a table of contents. `kindred` may stand for words.
    The tree of a folder says something about files alone.
    """
    hits = index.search(f"{question} {about}" if about else question, CANDIDATES, kindred)
    if not asks_about_files(question):
        hits = [hit for hit in hits if not is_tree(hit.passage.source)]
    weights = index.question_weights(question, about)
    index.stems(word for hit in hits for word in word_texts(hit.passage.text))  # all at once is faster
    scored = [
        Hit(
            hit.passage,
            hit.score / hits[0].score
            + _closest(index, hit.passage, weights, kindred) / 2
            - _contents(hit.passage.text) / 2,
        )
        for hit in hits
    ]
    return sorted(scored, key=lambda hit: -hit.score)[:limit]


def _closest(index: RecallIndex, passage: Passage, weights: Mapping[str, float], kindred: Kindred) -> float:
    """The greatest share of the question that two neighbours and the headings above them hold."""

    text, headings = passage.text, index.stems_of(passage.headings)
    parts = [index.stems_of(text[start:end]) | headings for start, end in sentences(text, is_code(passage.source))]
    return max(share(one | other, weights, kindred) for one, other in zip(parts, [*parts[1:], headings], strict=True))


def _contents(text: str) -> float:
    lines = [line for line in text.split("\n") if line.strip()]
    return sum(bool(_CONTENTS_LINE.search(line)) for line in lines) / len(lines)
