"""How a sentence was altered: the words that it had, and those that it has instead."""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import IntEnum
from typing import NamedTuple

from mmxcli.recall.numbers import numbers
from mmxcli.recall.words import PLAIN

SHOWN = 160  # code points of either side
AROUND = 3  # words that are shown with those that differ
CLOSE = 6  # words between two differences that are shown as one
MOST = 600  # words of a sentence that are compared
_TOKEN = re.compile(r"\d+(?:[.,:/-]\d+)*|\w+(?:['’]\w+)*|[^\w\s]")
_TURNING = """
    no not never none nor neither nobody nothing cannot without must shall should may might can could will would only
    unless except until before after always every all any
"""
_FORCE = frozenset(_TURNING.split())


class Weight(IntEnum):
    """What kind of words differ, the most telling last."""

    MARKS = 0
    WORDS = 1
    FORCE = 2
    NUMBERS = 3


class Rewording(NamedTuple):
    """The half-open spans of the old text and of the new that differ, with some words around."""

    old: tuple[int, int]
    new: tuple[int, int]


def weight(old: str, new: str) -> tuple[Weight, float]:
    """What kind of words only one of the texts has, and which share of all words both have."""
    one, other = (Counter(token.group().translate(PLAIN) for token in _TOKEN.finditer(text)) for text in (old, new))
    shared = 2 * (one & other).total() / (one.total() + other.total() or 1)
    return _weight([*(one - other).elements()], [*(other - one).elements()]), shared


def rewording(old: str, new: str) -> Rewording:
    """Of two texts that differ. Where they do so at several places, all are shown if there is room, else the most
    telling one."""
    ours, theirs = (list(_TOKEN.finditer(text))[:MOST] for text in (old, new))
    one, other = ([token.group().translate(PLAIN) for token in tokens] for tokens in (ours, theirs))
    codes = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    hunks = [code[1:] for code in codes if code[0] != "equal"] or [(len(one), len(one), len(other), len(other))]
    weighed = [(_weight(one[a:b], other[c:d]), b - a + d - c, -at) for at, (a, b, c, d) in enumerate(hunks)]
    *_, best = max(weighed)
    low = high = -best
    while low and hunks[low][0] - hunks[low - 1][1] <= CLOSE and _fits(ours, theirs, hunks[low - 1 : high + 1]):
        low -= 1
    while (
        high + 1 < len(hunks)
        and hunks[high + 1][0] - hunks[high][1] <= CLOSE
        and _fits(ours, theirs, hunks[low : high + 2])
    ):
        high += 1
    a, _, c, _ = hunks[low]
    _, b, _, d = hunks[high]
    return Rewording(_span(ours, a, b), _span(theirs, c, d))


def _fits(ours: Sequence[re.Match[str]], theirs: Sequence[re.Match[str]], hunks: Sequence[tuple[int, ...]]) -> bool:
    (a, _, c, _), (_, b, _, d) = hunks[0], hunks[-1]
    return all(high - low <= SHOWN for low, high in (_span(ours, a, b), _span(theirs, c, d)))


def _span(tokens: Sequence[re.Match[str]], low: int, high: int) -> tuple[int, int]:
    """Where these tokens stand, with some around."""
    around = tokens[max(0, low - AROUND) : high + AROUND]
    return (around[0].start(), around[-1].end()) if around else (0, 0)


def _weight(old: Sequence[str], new: Sequence[str]) -> Weight:
    if _numbers(old) != _numbers(new):
        return Weight.NUMBERS
    one, other = ([word.lower() for word in words if word[0].isalnum()] for words in (old, new))
    if one == other:
        return Weight.MARKS
    return Weight.FORCE if {*one} & _FORCE != {*other} & _FORCE else Weight.WORDS


def _numbers(words: Sequence[str]) -> set[str]:
    """By their values; of those with a point, as they are written."""
    text = " ".join(words)
    whole = {f"={number.value}" for number in numbers(text)}
    return whole | {word for word in words if word[0].isdigit() and not word.replace(",", "").isdigit()}
