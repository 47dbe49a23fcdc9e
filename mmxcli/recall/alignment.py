"""Which units of two texts are the same, which were altered, and which are in one of them only.

What is the same is found by keys, wherever it stands, so that moved text is no change: first what both have once, then
what follows or comes before it (as in patience diff), then what is left. Of the rest nearly alike units are paired,
those with the same place before others, and units that were divided otherwise are put together again. Time grows with
the length of the texts, not with its square.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mmxcli.recall.passages import is_code
from mmxcli.recall.units import Units, key
from mmxcli.recall.words import STOP_WORDS, spaceless, word_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The least that two units must share to be one that was altered; at the same place less is enough, and lines of code
# are all too much alike elsewhere.
ALIKE, ALIKE_HERE, ALIKE_CODE = 0.5, 0.35, 0.75
SHARED = 3  # words that two units at different places must share at least
RARE, COMMON = 8, 64  # rarest words of a unit by which others are looked for; units that may have one of them
NEAR = 8  # units of the same place that one is compared with, before and after
MOST_LEFT = 100_000  # units of one text that are compared with others
_NUMBER = re.compile(r"\d{1,3}[.)]")
_WORD = re.compile(r"\w+")


class Run(NamedTuple):
    """Units that follow each other in one source: half-open numbers."""

    first: int
    until: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """`same` counts units of the new text that the old one has too. Each is in the order of its text; `altered` in that
    of the new one."""

    same: int
    altered: tuple[tuple[Run, Run], ...]
    removed: tuple[Run, ...]
    added: tuple[Run, ...]


def align(old: Units, new: Units, twins: Mapping[str, str]) -> Alignment:
    """`twins` are the sources of the new text that have the places of those of the old."""
    match = _matched(old, new)
    taken = {int(there) for there in match if there >= 0}
    left_old = [at for at in range(len(old)) if match[at] < 0]
    left_new = [at for at in range(len(new)) if at not in taken]
    here = _places(old, new, match, _runs(old, left_old), _runs(new, left_new), twins)
    free_old, free_new = set(left_old), set(left_new)
    for run, other in here.items():
        if _same(old, run, new, other):
            free_old -= set(range(*run))
            free_new -= set(range(*other))
    altered = []
    for at, there in _paired(old, new, sorted(free_old), sorted(free_new), here):
        if at in free_old and there in free_new:
            pair = _grown(old, new, Run(at, at + 1), Run(there, there + 1), free_old, free_new)
            free_old -= set(range(*pair[0]))
            free_new -= set(range(*pair[1]))
            if not _same(old, pair[0], new, pair[1]):
                altered.append(pair)
    return Alignment(
        len(new) - sum(run.until - run.first for _, run in altered) - len(free_new),
        tuple(sorted(altered, key=lambda pair: pair[1])),
        tuple(_runs(old, sorted(free_old))),
        tuple(_runs(new, sorted(free_new))),
    )


def _matched(old: Units, new: Units) -> "NDArray[np.int64]":
    """Of each old unit the new one that is the same, or -1."""
    import numpy as np

    ours, theirs = np.array(old.keys, np.int64), np.array(new.keys, np.int64)
    match, taken = np.full(len(ours), -1), np.zeros(len(theirs), bool)

    def take(at: int, there: int) -> None:
        match[at], taken[there] = there, True

    our_keys, our_firsts, our_counts = np.unique(ours, return_index=True, return_counts=True)
    their_keys, their_firsts, their_counts = np.unique(theirs, return_index=True, return_counts=True)
    _, one, other = np.intersect1d(our_keys, their_keys, assume_unique=True, return_indices=True)
    once = (our_counts[one] == 1) & (their_counts[other] == 1)
    match[our_firsts[one[once]]] = their_firsts[other[once]]
    taken[their_firsts[other[once]]] = True
    left = np.flatnonzero(match < 0)
    for order, step in ((left, 1), (left[::-1], -1)):
        for at in order.tolist():
            before = at - step
            if match[at] < 0 and 0 <= before < len(ours) and match[before] >= 0:
                there = int(match[before]) + step
                if 0 <= there < len(theirs) and not taken[there] and ours[at] == theirs[there]:
                    take(at, there)
    rest: defaultdict[int, deque[int]] = defaultdict(deque)
    for there in np.flatnonzero(~taken).tolist():
        rest[int(theirs[there])].append(there)
    for at in np.flatnonzero(match < 0).tolist():
        if same := rest.get(int(ours[at])):
            take(at, same.popleft())
    return match


def _runs(units: Units, numbers: Sequence[int]) -> list[Run]:
    """Of numbers in order, those that follow each other in a source put together."""
    borders = [at for at, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1 or units.first(other)]
    starts, ends = [0, *borders], [*borders, len(numbers)]
    return [Run(numbers[low], numbers[high - 1] + 1) for low, high in zip(starts, ends, strict=True) if low < high]


def _places(
    old: Units,
    new: Units,
    match: "NDArray[np.int64]",
    ours: Sequence[Run],
    theirs: Sequence[Run],
    twins: Mapping[str, str],
) -> dict[Run, Run]:
    """Of old runs those new ones that have their place: after the same unit, or before it, or at the beginning."""
    begins, ends = {run.first: run for run in theirs}, {run.until: run for run in theirs}
    found: dict[Run, Run] = {}
    for run in ours:
        other = None
        if not old.first(run.first):
            other = begins.get(int(match[run.first - 1]) + 1)
        elif name := twins.get(old.source(run.first)):
            other = begins.get(new.begin(name))
        if other is None and not old.first(run.until):
            other = ends.get(int(match[run.until]))
        if other:
            found[run] = other
    return found


def _same(old: Units, run: Run, new: Units, other: Run) -> bool:
    """Whether they are the same once put together: sentences that are divided otherwise. A number at the beginning of a
    line is taken for that of an item, and may stand in only one of them."""
    code = is_code(old.source(run.first))
    short, long = sorted((key(old.text(*run), code), key(new.text(*other), code)), key=len)
    more = long.removeprefix(short) if long.startswith(short) else long.removesuffix(short)
    return not more or (not code and _NUMBER.fullmatch(more) is not None)


def _paired(
    old: Units, new: Units, left_old: Sequence[int], left_new: Sequence[int], here: dict[Run, Run]
) -> list[tuple[int, int]]:
    """Units that are nearly alike, those most alike first."""
    known: dict[str, str] = {}  # each word once, however many units have it
    said: dict[int, tuple[str, ...]] = {}
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number in left_new[:MOST_LEFT]:
        said[number] = tuple(known.setdefault(word, word) for word in {*_words(new.text(number, number + 1))})
        for word in said[number]:
            holders[word].append(number)
    place = {number: (run, other) for run, other in here.items() for number in range(*run)}
    scored: list[tuple[float, int, int]] = []
    for at in left_old[:MOST_LEFT]:
        its, code = {*_words(old.text(at, at + 1))}, is_code(old.source(at))
        rare = sorted((len(holders[word]), word) for word in its if 0 < len(holders.get(word, ())) <= COMMON)[:RARE]
        far = Counter(there for _, word in rare for there in holders[word]).most_common(NEAR)
        near: range = range(0)
        if at in place:
            run, other = place[at]
            about = other.first + at - run.first
            near = range(max(other.first, about - NEAR), min(other.until, about + NEAR + 1))
        for there in {*near, *(number for number, _ in far)} & said.keys():
            shared = its.intersection(said[there])
            alike = 2 * len(shared) / (len(its) + len(said[there]))
            elsewhere = alike >= (ALIKE_CODE if code else ALIKE) and len(shared) >= SHARED and shared - STOP_WORDS
            if elsewhere or (there in near and alike >= ALIKE_HERE):
                scored.append((alike + (there in near), at, there))
    return [(at, there) for _, at, there in sorted(scored, key=lambda one: (-one[0], one[1:]))]


def _grown(old: Units, new: Units, run: Run, other: Run, free_old: set[int], free_new: set[int]) -> tuple[Run, Run]:
    """With the units beside them that make them more alike: a sentence of one text may be two in the other."""
    alike = -1.0
    while True:
        wider = [(wide, other) for wide in _wider(old, run, free_old)]
        wider += [(run, wide) for wide in _wider(new, other, free_new)]
        if wider and alike < 0:
            alike = _alike(old.text(*run), new.text(*other))
        scored = [(_alike(old.text(*one[0]), new.text(*one[1])), one) for one in wider]
        best = max(scored, default=(alike, (run, other)))
        if best[0] <= alike:
            return run, other
        alike, (run, other) = best


def _wider(units: Units, run: Run, free: set[int]) -> Iterator[Run]:
    if run.first - 1 in free and not units.first(run.first):
        yield Run(run.first - 1, run.until)
    if run.until in free and not units.first(run.until):
        yield Run(run.first, run.until + 1)


def _alike(one: str, other: str) -> float:
    """The share of their words that both have, as often as both have them."""
    ours, theirs = Counter(_words(one)), Counter(_words(other))
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total() or 1)


def _words(text: str) -> list[str]:
    if spaceless(text):
        return [word.lower() for word in word_texts(text)]
    return _WORD.findall(text.lower())
