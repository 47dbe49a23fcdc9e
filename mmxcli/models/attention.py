"""Softmax attention over pieces of the past, exact: each piece gives its output and its log-sum-exp.

Two pieces join by their shares of the common denominator (online softmax, arXiv 1805.02867; FlashAttention,
arXiv 2205.14135, section 3.1), so no mask over the whole past is ever built.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from mmxcli.models.compiler import compiles, load_compiler
from mmxcli.models.gpu import has_flash
from mmxcli.models.products import prefers_bfloat16
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState

MANY, MANY_KEYS = 48, 256  # queries and keys for which it pays to put them in the order that compiled attention needs
SCORES = 1 << 22  # in float32, of which products alone need one for each query and key
AttentionState = WindowState | PagedState
Piece = tuple[Tensor, Tensor]  # output (heads, n, width), log-sum-exp (heads, n) in float32


def read(
    state: AttentionState,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    capped: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """Attention of n new tokens over what `state` holds and themselves: (heads, n, width of the values).

    queries (heads, n, width), keys and values (key-value heads, n, width), turned by their positions; values may
    be narrower. `capped` are the queries as the sinks see them, turned so that their distance is what it was when
    the window filled; None: as `queries`, for models whose attention knows no positions. `scale` is 1/sqrt(width)
    unless given. Computed in the dtype of the queries, kept in that of the keys. Modifies `state`: appends.

    n is at most `room(state)`, so that all new tokens see in one way.
    """
    width = values.shape[-1]
    if width < keys.shape[-1]:
        values = torch.nn.functional.pad(values, (0, keys.shape[-1] - width))
    scale = queries.shape[-1] ** -0.5 if scale is None else scale
    if isinstance(state, PagedState):
        pieces = _read_pages(state, queries, keys, values, scale)
    else:
        pieces = _read_window(state, queries, keys, values, queries if capped is None else capped, scale)
    return join(pieces)[..., :width].to(queries.dtype)


def room(state: AttentionState) -> int:
    """How many tokens may be read in one piece: up to where the window fills, and fewer than the window after
    that."""
    if isinstance(state, PagedState):
        return 1 << 62
    return max(1, state.window - 1) if state.sliding else state.window + state.sinks - state.read


def _read_pages(state: PagedState, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Iterator[Piece]:
    if queries.shape[1] > 1:
        yield attend_arriving(queries, *state.seen(keys, values), scale)
        yield from (attend(queries, *piece, scale) for piece in state.pieces())
        state.append(keys, values)
    else:  # one token sees itself too: a page more, and a piece less
        state.append(keys, values)
        yield from (attend(queries, *piece, scale) for piece in state.pieces())


def _read_window(
    state: WindowState, queries: Tensor, keys: Tensor, values: Tensor, capped: Tensor, scale: float
) -> Iterator[Piece]:
    count, sliding = queries.shape[1], state.sliding
    past = state.window - 1 if sliding else state.read
    state.append(keys, values)
    kept_keys, kept_values = state.last(past + count)
    kept_keys, kept_values = kept_keys.to(queries.dtype), kept_values.to(queries.dtype)
    if count == 1:
        yield attend(queries, kept_keys, kept_values, scale)
    elif tiled := _tiled(queries, kept_keys):
        sight = tiled.Sight(0, 1 if sliding else 0, past + 1, 1)
        sinks = tiled.Sinks(capped, *state.first) if sliding and state.first is not None else None
        yield tiled.attend(queries, kept_keys, kept_values, sight, scale, sinks)
        return
    else:
        yield attend_arriving(queries, kept_keys[:, past:], kept_values[:, past:], scale)
        seen = 0
        if sliding:  # query i sees the past from its i-th token on: the first `count` leave one by one
            yield attend_leaving(queries, kept_keys[:, :count], kept_values[:, :count], scale)
            seen = count
        if seen < past:
            yield attend(queries, kept_keys[:, seen:past], kept_values[:, seen:past], scale)
    if sliding and state.first is not None:
        yield attend_plainly(capped, state.first[0], state.first[1], scale)


def attend(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Piece:
    """queries (heads, n, width) over keys and values (key-value heads, m, width).

    Every query sees every key, so query heads that share a key head can be rows of one head: the kernel is
    several times faster with many rows a head than with one.
    """
    heads, count, width = queries.shape
    if tiled := _tiled(queries, keys):
        piece: Piece = tiled.attend(queries, keys, values, tiled.Sight(0, 0, keys.shape[1], 0), scale)
        return piece
    output, logsumexp = _flash(queries.reshape(keys.shape[0], -1, width), keys, values, scale, causal=False)
    return output.reshape(heads, count, width), logsumexp.reshape(heads, count)


def attend_arriving(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Piece:
    """As `attend` for n queries and their own n keys: query i sees keys 0..i."""
    return _flash(queries, keys, values, scale, causal=True)


def attend_leaving(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Piece:
    """As `attend` for n queries and n keys that leave the window one by one: query i sees keys i..n-1.

    Turned around, that is a causal mask.
    """
    output, logsumexp = _flash(queries.flip(1), keys.flip(1), values.flip(1), scale, causal=True)
    return output.flip(1), logsumexp.flip(1)


def attend_plainly(queries: Tensor, keys: Tensor, values: Tensor, scale: float, causal: bool = False) -> Piece:
    """As `attend`, or `attend_arriving` where it is `causal`, in float32 by products alone: for a handful of keys, and
    for any device and width. At most SCORES of them are in memory at a time, for each key head."""
    heads, count, width = queries.shape
    grouped = queries.reshape(keys.shape[0], -1, width).float()  # query heads that share a key head become rows
    keys, values = keys.float(), values.float()
    own = torch.arange(keys.shape[1], device=queries.device)
    pieces: list[Piece] = []
    for rows in torch.split(grouped, max(1, SCORES // keys.shape[1]), dim=1):
        scores = (rows @ keys.transpose(1, 2)) * scale
        if causal:
            first = sum(piece[1].shape[1] for piece in pieces)
            query = torch.arange(first, first + rows.shape[1], device=queries.device) % count
            scores.masked_fill_(own > query[:, None], -torch.inf)
        logsumexp = scores.logsumexp(dim=-1)
        pieces.append(((scores - logsumexp[..., None]).exp() @ values, logsumexp))
    output, logsumexp = pieces[0] if len(pieces) == 1 else (torch.cat(part, 1) for part in zip(*pieces, strict=True))
    return output.reshape(heads, count, -1), logsumexp.reshape(heads, count)


def _tiled(queries: Tensor, keys: Tensor) -> ModuleType | None:
    """`tiled_attention`, where it is the fastest and there is so much to do that it pays."""
    count, width = queries.shape[1:]
    here = not (queries.is_cuda or keys.is_cuda)
    pays = here and count >= MANY and keys.shape[1] >= MANY_KEYS and width % 64 == 0
    return compiled(queries.dtype) if pays and queries.dtype == keys.dtype else None


@cache
def compiled(dtype: torch.dtype) -> ModuleType | None:
    """`tiled_attention`, where texts are read in this dtype and the processor has its instructions for it."""
    if dtype != (torch.bfloat16 if prefers_bfloat16() else torch.float32):
        return None
    folder = load_compiler()
    from mmxcli.models import tiled_attention

    usable = tiled_attention.usable(dtype) and compiles(lambda: tiled_attention.compile_for(dtype), folder)
    return tiled_attention if usable else None


def _flash(queries: Tensor, keys: Tensor, values: Tensor, scale: float, causal: bool) -> Piece:
    """By torch's kernels. Pages may be kept in another dtype, or on another device."""
    keys, values = keys.to(queries), values.to(queries)
    if not queries.is_cuda:
        output, logsumexp = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            queries[None], keys[None], values[None], 0.0, causal, scale=scale
        )
    elif has_flash(queries.device, queries.dtype, queries.shape[-1]):
        output, logsumexp, *_ = torch.ops.aten._scaled_dot_product_flash_attention(
            queries[None], keys[None], values[None], 0.0, causal, scale=scale
        )
    else:
        return attend_plainly(queries, keys, values, scale, causal)
    return output[0], logsumexp[0]


def join(pieces: Iterable[Piece]) -> Tensor:
    """The attention over all pieces, at least one, together: (heads, n, width), in float32 where there are several.

    Pieces are joined as they come: o = (o1 e^l1 + o2 e^l2) / (e^l1 + e^l2), l the log-sum-exp.
    """
    pieces = iter(pieces)
    output, logsumexp = next(pieces)
    for other, another in pieces:
        both = torch.logaddexp(logsumexp, another)
        output = output.float() * (logsumexp - both).exp_()[..., None]
        output = torch.addcmul(output, other.float(), (another - both).exp_()[..., None])
        logsumexp = both
    return output
