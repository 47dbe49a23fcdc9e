"""Softmax attention over pieces of the past, exact: each piece gives its output and its log-sum-exp.

Two pieces join by their shares of the common denominator (online softmax, arXiv 1805.02867; FlashAttention,
arXiv 2205.14135, section 3.1), so no mask over the whole past is ever built.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

Piece = tuple[Tensor, Tensor]  # output (heads, n, width), log-sum-exp (heads, n) in float32


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Piece:
    """queries (heads, n, width) over keys and values (key-value heads, m, width), scaled by 1/sqrt(width).

    Every query sees every key, so query heads that share a key head can be rows of one head: the kernel is
    several times faster with many rows a head than with one.
    """
    heads, count, width = queries.shape
    output, logsumexp = _flash(queries.reshape(keys.shape[0], -1, width), keys, values, causal=False)
    return output.reshape(heads, count, width), logsumexp.reshape(heads, count)


def attend_arriving(queries: Tensor, keys: Tensor, values: Tensor) -> Piece:
    """As `attend` for n queries and their own n keys: query i sees keys 0..i."""
    return _flash(queries, keys, values, causal=True)


def attend_leaving(queries: Tensor, keys: Tensor, values: Tensor) -> Piece:
    """As `attend` for n queries and n keys that leave the window one by one: query i sees keys i..n-1.

    Turned around, that is a causal mask.
    """
    output, logsumexp = _flash(queries.flip(1), keys.flip(1), values.flip(1), causal=True)
    return output.flip(1), logsumexp.flip(1)


def attend_few(queries: Tensor, keys: Tensor, values: Tensor) -> Piece:
    """As `attend`, for a handful of keys."""
    heads, count, width = queries.shape
    grouped = queries.reshape(keys.shape[0], -1, width)  # query heads that share a key head become rows
    scores = (grouped.float() @ keys.float().transpose(1, 2)) * width**-0.5
    logsumexp = scores.logsumexp(dim=-1)
    output = (scores - logsumexp[..., None]).exp() @ values.float()
    return output.reshape(heads, count, width), logsumexp.reshape(heads, count)


def _flash(queries: Tensor, keys: Tensor, values: Tensor, causal: bool) -> Piece:
    output, logsumexp = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        queries[None], keys[None], values[None], 0.0, causal
    )
    return output[0], logsumexp[0]


def join(pieces: Sequence[Piece]) -> Tensor:
    """The attention over all pieces together: (heads, n, width) in the dtype of the first."""
    if len(pieces) == 1:
        return pieces[0][0]
    shares = torch.stack([logsumexp for _, logsumexp in pieces]).softmax(dim=0)
    total = pieces[0][0].float() * shares[0, ..., None]
    for (output, _), share in zip(pieces[1:], shares[1:], strict=True):
        total = torch.addcmul(total, output.float(), share[..., None])
    return total.to(pieces[0][0].dtype)
