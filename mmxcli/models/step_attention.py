"""Softmax attention of a few tokens, or of a piece of a prompt, in float32: that of models/kernels.py.

All queries that share keys and values, those of several heads and of several tokens, stand side by side, each in a lane
of the processor's vectors. So keys and values are read as they are kept, row by row, each number of them meets many
queries, and whatever is done to a query is the same, bit for bit, however many others are beside it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mmxcli.models import lanes
from mmxcli.models.exponential import exp
from mmxcli.models.jitted import in_order, parallel
from mmxcli.models.tiles import add_outer, larger, no_tile, put_tile, take_tile

FEW = 8  # queries that one narrow vector holds
MANY = 2 * lanes.LANES  # that are multiplied at a time, where there are more
MOST = 64  # side by side, so that their scores stay in the nearer caches
KEYS = 128  # that are mixed at a time, so that their shares stay in the nearest
NOTHING = np.float32(-1e30)  # as a score
Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Texts(NamedTuple):
    """Keys, turned, and values of all texts, `pairs` (texts, layers, 2, key-value heads, room, head width), and of
    their first tokens, `sinks` (texts, layers, 2, key-value heads, sinks, head width). For each of n new tokens,
    `numbers` (n,) is its text; `firsts` and `lengths` (n,) say from where to where it sees, itself the last, and
    `slides` whether that is not all, so that it sees the sinks too. Tokens of one text come in their order."""

    pairs: Floats
    sinks: Floats
    numbers: Numbers
    firsts: Numbers
    lengths: Numbers
    slides: Flags


def _tiled(height: int, vectors: int, size: int) -> Callable[..., None]:
    @in_order
    def multiply(
        some: Floats, across: int, along: int, count: int, number: int, others: Floats, width: int, into: Floats
    ) -> None:
        row = 0
        while row + height <= count:
            tile = take_tile(no_tile(height, vectors, size), into, row * width, width)
            for i in range(number):
                tile = add_outer(tile, some, row * across + i * along, across, others, i * width)
            put_tile(tile, into, row * width, width)
            row += height
        while row < count:
            one = take_tile(no_tile(1, vectors, size), into, row * width, width)
            for i in range(number):
                one = add_outer(one, some, row * across + i * along, across, others, i * width)
            put_tile(one, into, row * width, width)
            row += 1

    return multiply


# As many sums as hide how long one takes, and fit the registers beside what is multiplied.
_few, _many = _tiled(8, 1, FEW), _tiled(8 if lanes.is_wide() else 4, 2, lanes.LANES)


@in_order
def _add_product(
    some: Floats, across: int, along: int, count: int, number: int, others: Floats, width: int, into: Floats
) -> None:
    """Adds to row m of into (count, width) the sum over i < number of some[m * across + i * along] times row i of
    others (number, width), in the order of i. All arrays are flat."""
    if width == FEW:
        _few(some, across, along, count, number, others, width, into)
    else:
        for at in range(0, width, MANY):
            _many(some, across, along, count, number, others[at:], width, into[at:])


@in_order
def _hide(scores: Floats, of_sinks: Numbers, lows: Numbers, highs: Numbers, value: Any) -> None:
    """Puts a value where a lane of scores (sinks and keys, lanes) does not see a sink or a key."""
    few = of_sinks.max()
    for lane in range(scores.shape[1]):
        scores[of_sinks[lane] : few + lows[lane], lane] = value
        scores[few + highs[lane] :, lane] = value


@in_order
def _exponentials(scores: Floats, scale: Any) -> None:
    """exp(scale * (score - the largest of its lane)) for each score."""
    largest = np.full(scores.shape[1], NOTHING)
    for row in range(scores.shape[0]):
        for lane in range(scores.shape[1]):
            largest[lane] = larger(largest[lane], scores[row, lane])
    for row in range(scores.shape[0]):
        for lane in range(scores.shape[1]):
            scores[row, lane] -= largest[lane]
    flat = scores.reshape(-1)  # of which the compiler can do many at once, however few the lanes are
    for i in range(flat.shape[0]):
        flat[i] = exp(flat[i] * scale)


@in_order
def _totals(shares: Floats) -> Floats:
    found = np.zeros(shares.shape[1], np.float32)
    for row in range(shares.shape[0]):
        for lane in range(shares.shape[1]):
            found[lane] += shares[row, lane]
    return found


@in_order
def _blocks(numbers: Numbers, most: int) -> Numbers:
    """Where blocks of at most so many tokens of one text begin, and where the last ends."""
    found = np.empty(numbers.shape[0] + 1, np.int64)
    count = 0
    for token in range(numbers.shape[0]):
        if token == 0 or numbers[token] != numbers[token - 1] or token - found[count - 1] == most:
            found[count] = token
            count += 1
    found[count] = numbers.shape[0]
    return found[: count + 1]


@in_order
def _side_by_side(heads: Floats, start: int, end: int, first: int, group: int, width: int) -> Floats:
    """Of `group` heads from the first on, of the tokens from start to end: (head width, width), zeros where no query
    stands."""
    size = heads.shape[2]
    found = np.zeros(size * width, np.float32)
    for token in range(start, end):
        for head in range(group):
            lane = (token - start) * group + head
            for i in range(size):
                found[i * width + lane] = heads[token, first + head, i]
    return found


@parallel
def attend(heads: Floats, capped: Floats, texts: Texts, layer: int, found: Floats) -> None:
    """Attention of new tokens: heads (n, all heads, width), turned, and capped (n, query heads, width), turned by the
    capped distance to the sinks, into found (n, query heads * width)."""
    group, size = capped.shape[1] // texts.pairs.shape[3], heads.shape[2]
    starts = _blocks(texts.numbers, max(1, MOST // group))
    blocks = starts.shape[0] - 1
    scale = np.float32(1) / np.sqrt(np.float32(size))
    for task in prange(blocks * texts.pairs.shape[3]):
        pair, start, end = task // blocks, starts[task % blocks], starts[task % blocks + 1]
        rows = (end - start) * group
        width = FEW if rows <= FEW else (rows + MANY - 1) // MANY * MANY
        kept, sinks = texts.pairs[texts.numbers[start], layer], texts.sinks[texts.numbers[start], layer]
        low, high = texts.firsts[start:end].min(), texts.lengths[start:end].max()
        lows, highs, of_sinks = np.zeros(width, np.int64), np.zeros(width, np.int64), np.zeros(width, np.int64)
        for lane in range(rows):
            token = start + lane // group
            lows[lane], highs[lane] = texts.firsts[token] - low, texts.lengths[token] - low
            of_sinks[lane] = sinks.shape[2] if texts.slides[token] else 0
        few = of_sinks.max()
        scores, mixed = np.zeros((few + high - low) * width, np.float32), np.zeros(size * width, np.float32)
        queries = _side_by_side(heads, start, end, pair * group, group, width)
        keys, of_keys = kept[0, pair, low:high].reshape(-1), scores[few * width :]
        _add_product(keys, size, 1, high - low, size, queries, width, of_keys)
        if few:
            queries = _side_by_side(capped, start, end, pair * group, group, width)
            _add_product(sinks[0, pair].reshape(-1), size, 1, few, size, queries, width, scores)
        rows_of_keys = scores.reshape(-1, width)
        _hide(rows_of_keys, of_sinks, lows, highs, NOTHING)
        _exponentials(rows_of_keys, scale)
        _hide(rows_of_keys, of_sinks, lows, highs, np.float32(0))
        totals = _totals(rows_of_keys)
        for first in range(0, high - low, KEYS):
            last = min(first + KEYS, high - low)
            values, shares = kept[1, pair, low + first : low + last].reshape(-1), of_keys[first * width :]
            _add_product(values, 1, size, size, last - first, shares, width, mixed)
        if few:
            _add_product(sinks[1, pair].reshape(-1), 1, size, size, few, scores, width, mixed)
        for lane in range(rows):
            place = (pair * group + lane % group) * size
            for i in range(size):
                found[start + lane // group, place + i] = mixed[i * width + lane] / totals[lane]
