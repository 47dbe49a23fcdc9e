"""A few tokens through a llama-like network, compiled for the processor at hand: what writing waits for.

A step of a few rows is bound by reading the weights from memory, and in torch also by some thousand small operations.
Here it is one call: weights in 8 bits with a scale for every 64 of a row, activations in 16 bits with a scale for each
row, sums in 32 bits, all else in float32. Numba compiles it once, and keeps the result.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mmxcli.models.exponential import exp
from mmxcli.models.jitted import in_order, parallel, plain
from mmxcli.models.lanes import LANES, PANEL, add_products, add_scaled, no_sums, vectors
from mmxcli.models.step_attention import Floats, Numbers, Texts, attend

GROUP = 64  # weights of a row that share a scale; rows are filled with zeros up to a multiple of it
FEW = 8  # rows
LARGEST = 32_767
Codes = NDArray[np.int8]
Wide = NDArray[np.int16]


class Weights(NamedTuple):
    """`codes` and `scales` are those of all matrices, one after the other, each in panels of PANEL outputs, filled up
    with zeros: codes (panels, inputs / 2, PANEL, 2), scales (panels, inputs / GROUP, PANEL). `places` (layers + 1, 4)
    say where the codes of q, k and v, of the output, of gate and up, and of down begin, and in the last row those of
    the head. `norms` (2 layers + 1, hidden); `biases` (layers, q, k and v), zeros where there are none; `head_norms`
    (layers, 2, head width), or (layers, 0, head width). `mlp` is the width of the gate."""

    codes: Codes
    scales: Floats
    places: Numbers
    norms: Floats
    biases: Floats
    head_norms: Floats
    epsilon: float
    mlp: int


class _Inputs(NamedTuple):
    """Rows that are multiplied next: in 16 bits, with their scales."""

    normed: Floats
    rows: Wide
    scales: Floats


class _Room(NamedTuple):
    """What the layers write over each other."""

    inputs: _Inputs
    wide_rows: Wide
    merged_rows: Wide
    heads: Floats
    merged: Floats
    capped: Floats
    both: Floats
    gated: Floats
    added: Floats


@plain
def _rounded(row: Floats, codes: Wide) -> Any:
    """Rounds a row to 16 bits; returns its scale."""
    largest = np.float32(1e-30)
    for i in range(row.shape[0]):
        largest = max(largest, abs(row[i]))
    factor = np.float32(LARGEST) / largest
    for i in range(row.shape[0]):
        codes[i] = np.int16(np.rint(row[i] * factor))
    return largest / np.float32(LARGEST)


@plain
def _normed(row: Floats, weight: Floats, epsilon: float, found: Floats) -> None:
    """RMS norm (arXiv 1910.07467, equation 4)."""
    squares = np.float32(0)
    for i in range(row.shape[0]):
        squares += row[i] * row[i]
    factor = np.float32(1) / np.sqrt(squares / np.float32(row.shape[0]) + np.float32(epsilon))
    for i in range(row.shape[0]):
        found[i] = row[i] * factor * weight[i]


def _rows_at_once(number: int) -> Callable[..., None]:
    at_once = vectors(number)
    outputs = at_once * LANES

    @in_order
    def multiply(codes: Codes, start: int, scales: Floats, rows: Wide, row: int, width: int, totals: Floats) -> None:
        """A panel, whose codes begin at `start`, times so many rows, the first of which begins at `row`, into totals
        (rows, PANEL)."""
        totals[: number * PANEL] = 0
        for at in range(0, width, GROUP):
            for first in range(0, PANEL, outputs):
                sums = no_sums(number, at_once)
                for i in range(at, at + GROUP, 2):
                    sums = add_products(sums, codes, start + i * PANEL + 2 * first, rows, row + i, width)
                add_scaled(sums, scales, (start + at * PANEL) // GROUP + first, totals, first)

    return multiply


_one, _two, _four, _six = (_rows_at_once(number) for number in (1, 2, 4, 6))


@parallel
def _multiply_panels(codes: Codes, scales: Floats, begin: int, rows: Wide, row_scales: Floats, found: Floats) -> None:
    """rows (n, in) times the matrix (out, in) whose codes begin there into found (n, out)."""
    count, width = rows.shape
    outputs, flat = found.shape[1], rows.reshape(-1)
    for panel in prange((outputs + PANEL - 1) // PANEL):
        totals, start, row = np.empty(6 * PANEL, np.float32), begin + panel * PANEL * width, 0
        used = min(PANEL, outputs - panel * PANEL)
        while row < count:  # the codes of the panel stay in the cache for the next rows
            left = count - row
            taken = 6 if left >= 6 else 4 if left >= 4 else 2 if left >= 2 else 1
            if taken == 6:
                _six(codes, start, scales, flat, row * width, width, totals)
            elif taken == 4:
                _four(codes, start, scales, flat, row * width, width, totals)
            elif taken == 2:
                _two(codes, start, scales, flat, row * width, width, totals)
            else:
                _one(codes, start, scales, flat, row * width, width, totals)
            for i in range(taken):
                for output in range(used):
                    found[row + i, panel * PANEL + output] = totals[i * PANEL + output] * row_scales[row + i]
            row += taken


@plain
def _multiply(weights: Weights, matrix: int, rows: Wide, row_scales: Floats, found: Floats) -> None:
    """rows (n, in) times a matrix (out, in) into found (n, out)."""
    begin = weights.places[matrix // 4, matrix % 4]
    _multiply_panels(weights.codes, weights.scales, begin, rows, row_scales, found)


@plain
def _turn(head: Floats, cos: Floats, sin: Floats) -> None:
    """Turns a head by its position in place: models/rotary.py."""
    half = cos.shape[0]
    for i in range(half):
        first, second = head[i], head[half + i]
        head[i] = first * cos[i] - second * sin[i]
        head[half + i] = second * cos[i] + first * sin[i]


@parallel
def _gated(both: Floats, found: Floats) -> None:
    """silu(gate) * up of rows that hold the gate and then up."""
    count, width = found.shape
    blocks = (width + 255) // 256
    for task in prange(count * blocks):
        row, start = task // blocks, task % blocks * 256
        for i in range(start, min(width, start + 256)):
            gate = both[row, i]
            found[row, i] = gate / (np.float32(1) + exp(-gate)) * both[row, width + i]


@plain
def _place_heads(
    weights: Weights, texts: Texts, layer: int, room: _Room, heads: Floats, table: Floats, sink_table: Floats
) -> None:
    """Turns the projected heads (n, all heads, width) and puts keys and values where the texts keep them."""
    queries, shared = room.capped.shape[1], texts.pairs.shape[3]
    for row in range(heads.shape[0]):
        text = texts.numbers[row]
        place = texts.lengths[row] - 1
        for i in range(room.heads.shape[1]):
            room.heads[row, i] += weights.biases[layer, i]
        for head in range(queries + shared):
            if weights.head_norms.shape[1]:
                weight = weights.head_norms[layer, 0 if head < queries else 1]
                _normed(heads[row, head], weight, weights.epsilon, heads[row, head])
            if head < queries and texts.slides[row]:
                room.capped[row, head] = heads[row, head]
                _turn(room.capped[row, head], sink_table[0], sink_table[1])
            _turn(heads[row, head], table[row, 0], table[row, 1])
        for head in range(shared):
            texts.pairs[text, layer, 0, head, place] = heads[row, queries + head]
            texts.pairs[text, layer, 1, head, place] = heads[row, queries + shared + head]


@plain
def _filled_rows(count: int, size: int) -> Wide:
    """Zeros for rows of this size, filled up to whole groups. No load crosses a line of the cache, which costs an
    eighth of a product's time."""
    width = -(-size // GROUP) * GROUP
    flat = np.zeros(count * width + GROUP, np.int16)
    start = -flat.ctypes.data % GROUP // 2
    return flat[start : start + count * width].reshape(count, width)


@plain
def _inputs(count: int, size: int) -> _Inputs:
    return _Inputs(np.empty((count, size), np.float32), _filled_rows(count, size), np.empty(count, np.float32))


@parallel
def _round_many(values: Floats, inputs: Wide, scales: Floats) -> None:
    for row in prange(values.shape[0]):
        scales[row] = _rounded(values[row], inputs[row])


@plain
def _round(values: Floats, inputs: Wide, scales: Floats) -> None:
    """Rounds rows to 16 bits, with their scales. To share few among threads takes longer than to do it."""
    if values.shape[0] > FEW:
        _round_many(values, inputs, scales)
    else:
        for row in range(values.shape[0]):
            scales[row] = _rounded(values[row], inputs[row])


@plain
def _read_normed(weights: Weights, norm: int, matrix: int, hidden: Floats, inputs: _Inputs, found: Floats) -> None:
    """A matrix times the hidden rows, normalised."""
    for row in range(hidden.shape[0]):
        _normed(hidden[row], weights.norms[norm], weights.epsilon, inputs.normed[row])
    _round(inputs.normed, inputs.rows, inputs.scales)
    _multiply(weights, matrix, inputs.rows, inputs.scales, found)


@plain
def _add_product(weights: Weights, matrix: int, inputs: Floats, rows: Wide, hidden: Floats, room: _Room) -> None:
    """Adds a matrix times the inputs to the hidden rows."""
    _round(inputs, rows, room.inputs.scales)
    _multiply(weights, matrix, rows, room.inputs.scales, room.added)
    hidden += room.added


@plain
def read(weights: Weights, texts: Texts, hidden: Floats, table: Floats, sink_table: Floats, for_output: bool) -> None:
    """n tokens of some texts through all layers.

    hidden (n, hidden), the embedded tokens, becomes the output of the last layer, or where that is not wanted what went
    into it: then no more of it is computed than its keys and values. The pairs of `texts` are modified.
    table (n, 2, head width / 2) is cos and sin of their positions, sink_table (2, head width / 2) those of the capped
    distance to the sinks.
    """
    count, size = hidden.shape
    shared, width = texts.pairs.shape[3], texts.pairs.shape[5]
    all_heads, mlp = weights.biases.shape[1] // width, weights.mlp
    queries = all_heads - 2 * shared
    room = _Room(
        _inputs(count, size),
        _filled_rows(count, mlp),
        _filled_rows(count, queries * width),
        np.empty((count, all_heads * width), np.float32),
        np.empty((count, queries * width), np.float32),
        np.empty((count, queries, width), np.float32),
        np.empty((count, 2 * mlp), np.float32),
        np.empty((count, mlp), np.float32),
        np.empty((count, size), np.float32),
    )
    heads = room.heads.reshape(count, all_heads, width)
    layers = texts.pairs.shape[1]
    for layer in range(layers):
        _read_normed(weights, 2 * layer, 4 * layer, hidden, room.inputs, room.heads)
        _place_heads(weights, texts, layer, room, heads, table, sink_table)
        if layer == layers - 1 and not for_output:
            return
        attend(heads, room.capped, texts, layer, room.merged)
        _add_product(weights, 4 * layer + 1, room.merged, room.merged_rows, hidden, room)
        _read_normed(weights, 2 * layer + 1, 4 * layer + 2, hidden, room.inputs, room.both)
        _gated(room.both, room.gated)
        _add_product(weights, 4 * layer + 3, room.gated, room.wide_rows, hidden, room)


@plain
def score(weights: Weights, hidden: Floats, logits: Floats) -> None:
    """From the output of the last layer (n, hidden) to logits (n, vocabulary)."""
    layers = weights.places.shape[0] - 1
    _read_normed(weights, 2 * layers, 4 * layers, hidden, _inputs(*hidden.shape), logits)


@plain
def product(codes: Codes, scales: Floats, inputs: Floats, found: Floats) -> None:
    """inputs (n, in) times a matrix by itself, as it is in `Weights`, into found (n, out)."""
    rows, row_scales = _filled_rows(*inputs.shape), np.empty(inputs.shape[0], np.float32)
    _round(inputs, rows, row_scales)
    _multiply_panels(codes, scales, 0, rows, row_scales, found)
