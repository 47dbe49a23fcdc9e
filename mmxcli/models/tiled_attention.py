"""Softmax attention of many queries, compiled: in bfloat16 for processors with vdpbf16ps, in float32 for others.

FlashAttention (arXiv 2205.14135, algorithm 1): ROWS queries meet KEYS keys at a time; what stays are the sums of their
values, their denominators and their largest scores. torch's own does so too, but spends half of its time in bfloat16
outside of its products, and reads keys that enter or leave the window one by one apart from the others
(benchmarks/attention.py).
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numba import prange
from numpy.typing import NDArray
from torch import Tensor

from mmxcli.models.compiler import as_many_threads
from mmxcli.models.jitted import parallel, plain
from mmxcli.models.lanes import LANES, is_wide
from mmxcli.models.tiles import (
    add_outer,
    has_floats,
    has_pairs,
    holds,
    kept,
    larger,
    no_tile,
    power_of_two,
    put_tile,
    take_tile,
)

ROWS, KEYS = 48, 512  # so that scores and shares stay in the nearer caches
TILE_ROWS, TILE_VECTORS = 6, 4 if is_wide() else 2
PANEL = TILE_VECTORS * LANES  # keys, or numbers of a value, that are multiplied at a time
WIDTH = 64  # of which the width of a head is a multiple
_LOG2_E, _LOG_2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
# Of polynomials for 2 to the power of a number between -1/2 and 1/2, the highest power first.
_ROUGH = (0.00957010179, 0.0559178603, 0.240247448, 0.693121815, 0.999999261)
_FINE = (0.00132764719, 0.00967554133, 0.0555071327, 0.240221197, 0.693146967, 1.00000007)
Floats = NDArray[np.float32]
Columns = NDArray[Any]  # float32 numbers, or in an int32 two neighbours in bfloat16
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
    """queries (heads, n, width) over keys and values (key-value heads, m, width), all in float32, or in bfloat16 where
    the processor has its instructions, width a multiple of WIDTH: output (heads, n, width) and log-sum-exp (heads, n),
    in float32."""
    found: tuple[Tensor, Tensor] = torch.ops.mmx.attend(queries, keys, values, list(sight), scale, list(sinks or ()))
    return found


def _computed(
    queries: Tensor, keys: Tensor, values: Tensor, sight: list[int], scale: float, sinks: list[Tensor]
) -> tuple[Tensor, Tensor]:
    shared, length, width = keys.shape
    panels = -(-length // PANEL)
    in_pairs = keys.dtype == torch.bfloat16
    columns = torch.int32 if in_pairs else torch.float32
    output, logsumexp = _shaped(queries)
    of_keys, of_values = _bits(keys, columns), _bits(values, torch.int16 if in_pairs else columns)
    packed_keys = np.empty((shared, panels, of_keys.shape[2], PANEL), of_keys.dtype)
    with as_many_threads():
        _pack_keys(of_keys, packed_keys)
        if in_pairs:
            packed_values = np.empty((shared, panels * PANEL // 2, width), np.int32)
            _pack_values(of_values, packed_values)
        else:
            packed_values = of_values
        _attend(
            _bits(queries, columns),
            packed_keys.reshape(shared, -1),
            packed_values.reshape(shared, -1),
            np.empty(0, np.int16 if in_pairs else np.float32),
            tuple(tensor.float().numpy() for tensor in sinks or [keys.new_empty(shared, 0, width)] * 3),
            Sight(*sight),
            scale,
            (output.numpy(), logsumexp.numpy()),
        )
    return output, logsumexp


def _shaped(queries: Tensor, *_: object) -> tuple[Tensor, Tensor]:
    return queries.new_empty(queries.shape, dtype=torch.float32), queries.new_empty(
        queries.shape[:2], dtype=torch.float32
    )


# An operation of torch's, so that it can be recorded without computing it (trace.py) and timed (replay.py).
_OPERATIONS = torch.library.Library("mmx", "FRAGMENT")  # type: ignore[no-untyped-call]
_OPERATIONS.define(  # type: ignore[no-untyped-call]
    "attend(Tensor queries, Tensor keys, Tensor values, int[] sight, float scale, Tensor[] sinks) -> (Tensor, Tensor)"
)
_OPERATIONS.impl("attend", _computed, "CPU")  # type: ignore[no-untyped-call]
_OPERATIONS.impl("attend", _shaped, "Meta")  # type: ignore[no-untyped-call]


def usable(dtype: torch.dtype) -> bool:
    """Whether the processor can do it."""
    return has_pairs() if dtype == torch.bfloat16 else dtype == torch.float32 and has_floats()


def compile_for(dtype: torch.dtype) -> None:
    """Or loads what was compiled."""
    nothing = torch.zeros(1, 1, WIDTH, dtype=dtype, device="cpu")  # whatever is the default just now
    attend(nothing, nothing, nothing, Sight(0, 0, 1, 0), 1.0)


def _bits(tensor: Tensor, kind: torch.dtype) -> NDArray[Any]:
    found: NDArray[Any] = tensor.contiguous().view(kind).numpy()
    return found


@parallel
def _pack_keys(keys: Columns, packed: Columns) -> None:
    """keys (heads, m, columns) into (heads, panels, columns, PANEL): the same column of many keys side by side."""
    heads, length, columns = keys.shape
    panels = packed.shape[1]
    for task in prange(heads * panels):
        head, panel = task // panels, task % panels
        start = panel * PANEL
        count = min(PANEL, length - start)
        for column in range(columns):
            for key in range(count):
                packed[head, panel, column, key] = keys[head, start + key, column]
            for key in range(count, PANEL):
                packed[head, panel, column, key] = 0


@parallel
def _pack_values(values: Halves, packed: Columns) -> None:
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
def _exp2(x: Any, coefficients: Any) -> Any:
    """2 to the power of x, to 2e-7 of itself by _FINE, to 3e-6 by _ROUGH."""
    x = larger(x, np.float32(-126))
    power = np.rint(x)
    rest = x - power
    found = np.float32(0)
    for coefficient in coefficients:
        found = found * rest + np.float32(coefficient)
    return found * power_of_two(np.int32(power))


@plain
def _largest(scores: Floats) -> Any:
    found = np.float32(-1e30)
    for i in range(scores.shape[0]):
        found = larger(found, scores[i])
    return found


@plain
def _share(scores: Floats, factor: Any, largest: Any, shares: Any) -> Any:
    """2 ** (factor * score - largest) of each score into `shares`; returns their sum."""
    total = np.float32(0)
    for i in range(scores.shape[0]):
        power = scores[i] * factor - largest
        share = _exp2(power, _ROUGH) if holds(shares) == 2 else _exp2(power, _FINE)
        total += share
        shares[i] = kept(share, shares)
    return total


@plain
def _shrink(mixed: Floats, change: Any) -> None:
    for i in range(mixed.shape[0]):
        mixed[i] *= change


@plain
def _multiply(
    tile: Any, some: Columns, place: int, stride: int, others: Columns, other: int, next_: int, columns: int
) -> Any:
    """`tile` with the products of so many columns of `some` and rows of `others`, `next_` after each other, added."""
    for column in range(columns):
        tile = add_outer(tile, some, place + column, stride, others, other + column * next_)
    return tile


@plain
def _score(rows: Columns, tiles: int, keys: Columns, start: int, end: int, columns: int, scores: Floats) -> None:
    """The products of the rows and the keys from start, where a panel begins, to end into scores (ROWS, KEYS)."""
    for key in range(start, end, PANEL):
        for tile in range(tiles):
            row = tile * TILE_ROWS
            sums = no_tile(TILE_ROWS, TILE_VECTORS, LANES)
            sums = _multiply(sums, rows, row * columns, columns, keys, key * columns, PANEL, columns)
            put_tile(sums, scores, row * KEYS + key - start, KEYS)


@plain
def _mix(shares: Columns, tiles: int, values: Columns, start: int, end: int, width: int, mixed: Floats) -> None:
    """Adds the values from start to end, each its share (ROWS, KEYS) times, to mixed (ROWS, width)."""
    across = KEYS // holds(values)
    for first in range(0, width, PANEL):
        for tile in range(tiles):
            row = tile * TILE_ROWS
            sums = take_tile(no_tile(TILE_ROWS, TILE_VECTORS, LANES), mixed, row * width + first, width)
            place, used = start // holds(values) * width + first, -(-(end - start) // holds(values))
            sums = _multiply(sums, shares, row * across, across, values, place, width, used)
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
        share = _exp2(scores[key] - largest, _FINE)
        total += share
        for i in range(mixed.shape[0]):
            mixed[i] += share * values[key, i]
    return largest, total


@parallel
def _attend(
    queries: Columns,
    keys: Columns,
    values: Columns,
    kind: Any,
    sinks: Any,
    sight: Sight,
    scale: float,
    found: tuple[Floats, Floats],
) -> None:
    """queries (heads, n, columns); keys and values as they are packed, those of a head in a row; `kind`, which is
    empty, has the dtype of a share; of the sinks capped queries, keys and values; output and log-sum-exp are found."""
    output, logsumexp = found
    heads, count, columns = queries.shape
    width, shared, blocks = output.shape[2], heads // keys.shape[0], (count + ROWS - 1) // ROWS
    factor = np.float32(scale) * _LOG2_E
    for task in prange(heads * blocks):
        head, begin = task // blocks, task % blocks * ROWS
        size = min(ROWS, count - begin)
        tiles = (size + TILE_ROWS - 1) // TILE_ROWS
        own_keys, own_values = keys[head // shared], values[head // shared]
        rows = np.zeros(ROWS * columns, queries.dtype)
        rows[: size * columns] = queries[head, begin : begin + size].reshape(-1)
        scores, shares = np.empty(ROWS * KEYS, np.float32), np.zeros(ROWS * KEYS, kind.dtype)
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
            _score(rows, tiles, own_keys, start, end, columns, scores)
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
                    change = _exp2(largest[row] - top, _FINE)
                    totals[row] *= change
                    _shrink(mixed[row * width : (row + 1) * width], change)
                    largest[row] = top
                totals[row] += _share(seen, factor, top, shares[at + low : at + high])
            _mix(shares.view(values.dtype), tiles, own_values, start, end, width, mixed)
        for row in range(size):
            logsumexp[head, begin + row] = (largest[row] + np.log2(totals[row])) * _LOG_2
            for i in range(width):
                output[head, begin + row, i] = mixed[row * width + i] / totals[row]
