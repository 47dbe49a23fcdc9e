"""Softmax attention of many queries in bfloat16, compiled for processors with vdpbf16ps.

FlashAttention (arXiv 2205.14135, algorithm 1): ROWS queries meet KEYS keys at a time; what stays are the sums of their
values, their denominators and their largest scores. torch's own does so too, but spends half of its time outside of
its products: on two Zen 4 cores this one is 2.3 times as fast (benchmarks/attention.py).
"""

from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from numba import prange
from numpy.typing import NDArray
from torch import Tensor

from mmxcli.models.jitted import parallel, plain
from mmxcli.models.tiles import LANES, add_pairs, larger, no_tile, power_of_two, put_tile, rounded, take_tile

ROWS, KEYS = 48, 512  # so that scores and shares stay in the nearer caches
TILE_ROWS, TILE_VECTORS = 6, 4
PANEL = TILE_VECTORS * LANES  # keys, or numbers of a value, that are multiplied at a time
_LOG2_E, _LOG_2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
Floats = NDArray[np.float32]
Pairs = NDArray[np.int32]  # two neighbours in bfloat16 each
Halves = NDArray[np.int16]  # bfloat16


class Sight(NamedTuple):
    """Query i sees the keys from first + i * first_step on, before last + i * last_step: one of them at least."""

    first: int
    first_step: int
    last: int
    last_step: int


class Sinks(NamedTuple):
    """Keys and values (key-value heads, few, width) that all queries see too, as `capped` (heads, n, width)."""

    capped: Tensor
    keys: Tensor
    values: Tensor


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, sight: Sight, scale: float, sinks: Sinks | None = None
) -> tuple[Tensor, Tensor]:
    """queries (heads, n, width) over keys and values (key-value heads, m, width), all in bfloat16, width a multiple of
    PANEL: output (heads, n, width) and log-sum-exp (heads, n), in float32."""
    found: tuple[Tensor, Tensor] = torch.ops.mmx.attend(queries, keys, values, list(sight), scale, list(sinks or ()))
    return found


def _computed(
    queries: Tensor, keys: Tensor, values: Tensor, sight: list[int], scale: float, sinks: list[Tensor]
) -> tuple[Tensor, Tensor]:
    shared, length, width = keys.shape
    panels = -(-length // PANEL)
    packed_keys = np.empty((shared, panels, width // 2, PANEL), np.int32)
    packed_values = np.empty((shared, panels * PANEL // 2, width), np.int32)
    output, logsumexp = _shaped(queries)
    threads = torch.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    _pack_keys(_bits(keys, torch.int32), packed_keys)
    _pack_values(_bits(values, torch.int16), packed_values)
    _attend(
        _bits(queries, torch.int32),
        packed_keys.reshape(shared, -1),
        packed_values.reshape(shared, -1),
        tuple(tensor.float().numpy() for tensor in sinks or [keys.new_empty(shared, 0, width)] * 3),
        Sight(*sight),
        scale,
        output.numpy(),
        logsumexp.numpy(),
    )
    if torch.get_num_threads() != threads:  # Numba's first use of its threads changes how many torch has
        torch.set_num_threads(threads)
    return output, logsumexp


def _shaped(queries: Tensor, *_: object) -> tuple[Tensor, Tensor]:
    return queries.new_empty(queries.shape, dtype=torch.float32), queries.new_empty(
        queries.shape[:2], dtype=torch.float32
    )


# An operation of torch's, so that it can be recorded without computing it (trace.py) and timed (replay.py).
_OPERATIONS = torch.library.Library("mmx", "DEF")  # type: ignore[no-untyped-call]
_OPERATIONS.define(  # type: ignore[no-untyped-call]
    "attend(Tensor queries, Tensor keys, Tensor values, int[] sight, float scale, Tensor[] sinks) -> (Tensor, Tensor)"
)
_OPERATIONS.impl("attend", _computed, "CPU")  # type: ignore[no-untyped-call]
_OPERATIONS.impl("attend", _shaped, "Meta")  # type: ignore[no-untyped-call]


def compile_all() -> None:
    """Or loads what was compiled."""
    nothing = torch.zeros(1, 1, PANEL, dtype=torch.bfloat16, device="cpu")  # whatever is the default just now
    attend(nothing, nothing, nothing, Sight(0, 0, 1, 0), 1.0)


def _bits(tensor: Tensor, kind: torch.dtype) -> NDArray[Any]:
    found: NDArray[Any] = tensor.contiguous().view(kind).numpy()
    return found


@parallel
def _pack_keys(keys: Pairs, packed: Pairs) -> None:
    """keys (heads, m, width / 2) into (heads, panels, width / 2, PANEL): the same pair of many keys side by side."""
    heads, length, pairs = keys.shape
    panels = packed.shape[1]
    for task in prange(heads * panels):
        head, panel = task // panels, task % panels
        start = panel * PANEL
        count = min(PANEL, length - start)
        for pair in range(pairs):
            for key in range(count):
                packed[head, panel, pair, key] = keys[head, start + key, pair]
            for key in range(count, PANEL):
                packed[head, panel, pair, key] = 0


@parallel
def _pack_values(values: Halves, packed: Pairs) -> None:
    """values (heads, m, width) into (heads, m / 2, width): neighbours in the text as pairs. packed has room for whole
    panels."""
    heads, length, width = values.shape
    pairs = packed.shape[1]
    for task in prange(heads * pairs):
        head, pair = task // pairs, task % pairs
        first, second = 2 * pair, 2 * pair + 1
        for i in range(width):
            packed[head, pair, i] = np.int32(values[head, first, i]) & 0xFFFF if first < length else 0
        for i in range(width if second < length else 0):
            packed[head, pair, i] |= np.int32(values[head, second, i]) << 16


@plain
def _exp2(x: Any) -> Any:
    """2 to the power of x, to 1e-5 of itself."""
    x = larger(x, np.float32(-126))
    power = np.floor(x)
    rest = x - power
    found = np.float32(0.013554747)
    for coefficient in (0.05203331, 0.24137929, 0.69303995, 1.0000026):
        found = found * rest + np.float32(coefficient)
    return found * power_of_two(np.int32(power))


@plain
def _largest(scores: Floats) -> Any:
    found = np.float32(-1e30)
    for i in range(scores.shape[0]):
        found = larger(found, scores[i])
    return found


@plain
def _share(scores: Floats, factor: Any, largest: Any, shares: Halves) -> Any:
    """2 ** (factor * score - largest) of each score into `shares`; returns their sum."""
    total = np.float32(0)
    for i in range(scores.shape[0]):
        share = _exp2(scores[i] * factor - largest)
        total += share
        shares[i] = rounded(share)
    return total


@plain
def _shrink(mixed: Floats, change: Any) -> None:
    for i in range(mixed.shape[0]):
        mixed[i] *= change


@plain
def _multiply(
    tile: Any, some: Pairs, place: int, stride: int, others: Pairs, other: int, next_: int, pairs: int
) -> Any:
    """`tile` with the products of so many columns of `some` and rows of `others`, `next_` after each other, added."""
    for pair in range(pairs):
        tile = add_pairs(tile, some, place + pair, stride, others, other + pair * next_)
    return tile


@plain
def _score(rows: Pairs, tiles: int, keys: Pairs, start: int, end: int, pairs: int, scores: Floats) -> None:
    """The products of the rows and the keys from start, where a panel begins, to end into scores (ROWS, KEYS)."""
    for key in range(start, end, PANEL):
        for tile in range(tiles):
            row = tile * TILE_ROWS
            sums = no_tile(TILE_ROWS, TILE_VECTORS, LANES)
            sums = _multiply(sums, rows, row * pairs, pairs, keys, key * pairs, PANEL, pairs)
            put_tile(sums, scores, row * KEYS + key - start, KEYS)


@plain
def _mix(shares: Pairs, tiles: int, values: Pairs, start: int, end: int, width: int, mixed: Floats) -> None:
    """Adds the values from start to end, each its share (ROWS, KEYS) times, to mixed (ROWS, width)."""
    for first in range(0, width, PANEL):
        for tile in range(tiles):
            row = tile * TILE_ROWS
            sums = take_tile(no_tile(TILE_ROWS, TILE_VECTORS, LANES), mixed, row * width + first, width)
            place, used = start // 2 * width + first, (end - start + 1) // 2
            sums = _multiply(sums, shares, row * KEYS // 2, KEYS // 2, values, place, width, used)
            put_tile(sums, mixed, row * width + first, width)


@plain
def _begin(query: Floats, keys: Floats, values: Floats, factor: Any, mixed: Floats) -> tuple[Any, Any]:
    """What a query has from the sinks: the sum of their values, the largest score and the sum of their shares."""
    scores = np.empty(keys.shape[0], np.float32)
    for key in range(keys.shape[0]):
        score = np.float32(0)
        for i in range(query.shape[0]):
            score += query[i] * keys[key, i]
        scores[key] = score * factor
    largest, total = _largest(scores), np.float32(0)
    for key in range(keys.shape[0]):
        share = _exp2(scores[key] - largest)
        total += share
        for i in range(mixed.shape[0]):
            mixed[i] += share * values[key, i]
    return largest, total


@parallel
def _attend(
    queries: Pairs,
    keys: Pairs,
    values: Pairs,
    sinks: Any,
    sight: Sight,
    scale: float,
    output: Floats,
    logsumexp: Floats,
) -> None:
    """queries (heads, n, width / 2); keys and values as they are packed, those of a head in a row; of the sinks capped
    queries, keys and values."""
    heads, count, pairs = queries.shape
    width, shared, blocks = 2 * pairs, heads // keys.shape[0], (count + ROWS - 1) // ROWS
    factor = np.float32(scale) * _LOG2_E
    for task in prange(heads * blocks):
        head, begin = task // blocks, task % blocks * ROWS
        size = min(ROWS, count - begin)
        tiles = (size + TILE_ROWS - 1) // TILE_ROWS
        own_keys, own_values = keys[head // shared], values[head // shared]
        rows = np.zeros(ROWS * pairs, np.int32)
        rows[: size * pairs] = queries[head, begin : begin + size].reshape(-1)
        scores, shares = np.empty(ROWS * KEYS, np.float32), np.zeros(ROWS * KEYS, np.int16)
        mixed, totals = np.zeros(ROWS * width, np.float32), np.zeros(ROWS, np.float32)
        largest = np.full(ROWS, np.float32(-1e30))
        if sinks[1].shape[1]:
            for row in range(size):
                largest[row], totals[row] = _begin(
                    sinks[0][head, begin + row],
                    sinks[1][head // shared],
                    sinks[2][head // shared],
                    factor,
                    mixed[row * width : (row + 1) * width],
                )
        first = sight.first + begin * sight.first_step
        stop = sight.last + (begin + size - 1) * sight.last_step
        for start in range(first // PANEL * PANEL, stop, KEYS):
            end = min(start + KEYS, stop)
            _score(rows, tiles, own_keys, start, end, pairs, scores)
            for row in range(size):
                at = row * KEYS
                low = max(sight.first + (begin + row) * sight.first_step - start, 0)
                high = min(sight.last + (begin + row) * sight.last_step - start, KEYS)
                if low > 0 or high < KEYS:
                    shares[at : at + KEYS] = 0
                if low >= high:
                    continue
                seen = scores[at + low : at + high]
                top = larger(_largest(seen) * factor, largest[row])
                if top > largest[row]:
                    change = _exp2(largest[row] - top)
                    totals[row] *= change
                    _shrink(mixed[row * width : (row + 1) * width], change)
                    largest[row] = top
                totals[row] += _share(seen, factor, top, shares[at + low : at + high])
            _mix(shares.view(np.int32), tiles, own_values, start, end, width, mixed)
        for row in range(size):
            logsumexp[head, begin + row] = (largest[row] + np.log2(totals[row])) * _LOG_2
            for i in range(width):
                output[head, begin + row, i] = mixed[row * width + i] / totals[row]
