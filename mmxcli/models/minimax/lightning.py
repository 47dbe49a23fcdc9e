"""Lightning attention (MiniMax-01, arXiv 2501.08313, section 2.2; Lightning Attention-2, arXiv 2401.04658).

Attention without a softmax: o_t = sum over u <= t of e^(-s (t - u)) (q_t . k_u) v_u. The sum can be kept instead of
the tokens, which is all that a head remembers, however long the text:

    S_t = e^(-s) S_(t-1) + k_t^T v_t        o_t = q_t S_t

Every head forgets at a pace s of its own, its slope. A block of B tokens is read at once: each sees the S before
the block, and the tokens of its own block through a triangle of decays. How a text is cut into blocks changes
nothing but rounding. Decays are powers of e^(-s), never quotients of two: e^(s B) would overflow.
"""

from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

BLOCK = 64  # half a head's width: the triangle then costs as much as S does, and a wider one costs more


def slopes(heads: int, layer: int, layers: int) -> Tensor:
    """The slopes s of a layer's heads, (heads,) in float32: e^(-s) is what remains of S after a token.

    Head i of H has 2^(-8 (i + 1) / H), as in ALiBi (arXiv 2108.12409, section 3); from layer to layer they shrink
    to nothing, so that late layers look back furthest. Computed in float64: in bfloat16, hundreds of the real
    model's e^(-s) would be 1.
    """
    depth = layer / (layers - 1) if layers > 1 else 0.0
    return (torch.tensor(_alibi(heads), dtype=torch.float64) * (1 - depth + 1e-5)).float()


def _alibi(heads: int) -> list[float]:
    """Where the number of heads is no power of two: the slopes of the power below, then every other one of the
    power above, as ALiBi's code and the original's have it."""
    power = 1 << (heads.bit_length() - 1)
    found = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    return found if power == heads else found + _alibi(2 * power)[::2][: heads - power]


def lightning(
    queries: Tensor, keys: Tensor, values: Tensor, slopes: Tensor, state: Tensor | None = None, block: int = BLOCK
) -> tuple[Tensor, Tensor]:
    """Reads n tokens after those that `state` sums up: returns what they see, and the state after them.

    queries, keys and values are (heads, n, width) in any dtype and may be strided, slopes (heads,). The state S is
    (heads, width, width), rows for keys and columns for values; None before the first token. Both results are
    float32, the first (n, heads, width); nothing is modified.
    """
    heads, count, width = queries.shape
    if state is None:
        state = torch.zeros(heads, width, width, device=queries.device)
    queries, keys, values = queries.float(), keys.float(), values.float()
    if queries.is_cuda and _kernels() is not None:
        return _by_kernel(queries, keys, values, slopes, state)
    output = queries.new_empty(count, heads, width)
    state = state.clone()
    decays = Decays(slopes, min(block, count))
    for start in range(0, count, block):
        piece = slice(start, min(start + block, count))
        seen = _read_block(queries[:, piece], keys[:, piece], values[:, piece], decays, state)
        output[piece] = seen.transpose(0, 1)
    return output, state


class Decays:
    """What remains after 0 … `block` tokens, in float32 from exponents that are never positive."""

    def __init__(self, slopes: Tensor, block: int) -> None:
        steps = torch.arange(block + 1, device=slopes.device)
        self.after = torch.exp(-slopes.double()[:, None] * steps).float()  # (heads, block + 1)
        distances = steps[1:, None] - steps[1:]
        self.triangle = self.after[:, distances.clamp_min(0)].tril_()  # (heads, block, block): i sees j <= i


def _read_block(queries: Tensor, keys: Tensor, values: Tensor, decays: Decays, state: Tensor) -> Tensor:
    """What the m tokens of one block see, (heads, m, width). Modifies `state` to include them.

    With i and j counting the block's tokens from 1:  o_i = e^(-s i) q_i S + sum over j <= i of e^(-s (i - j))
    (q_i . k_j) v_j,  and then  S <- e^(-s m) S + sum over j of e^(-s (m - j)) k_j^T v_j.
    """
    count = queries.shape[1]
    before = decays.after[:, 1 : count + 1, None]  # from the token before the block to each of its tokens
    until = decays.after[:, :count, None].flip(1)  # from each of its tokens to its last
    scores = torch.bmm(queries, keys.transpose(1, 2)).mul_(decays.triangle[:, :count, :count])
    output = torch.bmm(scores, values).baddbmm_(queries * before, state)
    state.mul_(decays.after[:, count, None, None]).baddbmm_((keys * until).transpose(1, 2), values)
    return output


@cache
def _kernels() -> Any:
    """flash-linear-attention's kernels for a recurrence with one decay a head; None where it is not installed."""
    try:
        return import_module("fla.ops.simple_gla")
    except ImportError:
        return None


def _by_kernel(queries: Tensor, keys: Tensor, values: Tensor, slopes: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """As `lightning`, on a GPU. The kernel multiplies in TF32, so it agrees to about a thousandth."""
    turned = (tensor.transpose(0, 1)[None].contiguous() for tensor in (queries, keys, values))
    output, state = _kernels().chunk_simple_gla(
        *turned, g_gamma=-slopes, scale=1.0, initial_state=state[None].contiguous(), output_final_state=True
    )
    return output[0], state[0]
