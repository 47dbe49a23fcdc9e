"""Compiled attention against the definition, in float64: any numbers of queries and keys, whatever each query sees."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmxcli.models import attention
from mmxcli.models.products import prefers_bfloat16
from mmxcli.state.window import WindowState

ROUNDED = prefers_bfloat16()
DTYPE = torch.bfloat16 if ROUNDED else torch.float32
tiled = attention.compiled(DTYPE)
needed = pytest.mark.skipif(tiled is None, reason="this processor has no AVX2, or multiplies in tiles of its own")
# Of the largest value, of a log-sum-exp and of a part of it. Shares are rounded to bfloat16, by 1/512 of themselves at
# most, and there 2 to the power of x is right to 3e-6.
WITHIN, OF_SUM, OF_PART = (1 / 400, 1e-4, 1e-5) if ROUNDED else (2e-5, 1e-5, 2e-6)


def random(*sizes: int, seed: int) -> Tensor:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed)).to(DTYPE)


def defined(queries: Tensor, keys: Tensor, values: Tensor, seen: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Softmax attention where `seen` (n, m) says which query sees which key."""
    repeated = [tensor.double().repeat_interleave(queries.shape[0] // keys.shape[0], 0) for tensor in (keys, values)]
    scores = (queries.double() @ repeated[0].transpose(1, 2) * scale).masked_fill(~seen, -torch.inf)
    return scores.softmax(-1) @ repeated[1], scores.logsumexp(-1)


@needed
@given(data=st.data(), shared=st.integers(1, 3), group=st.integers(1, 4), wide=st.booleans(), sinks=st.booleans())
@settings(max_examples=60, deadline=None)
def test_it_is_what_attention_is(data: st.DataObject, shared: int, group: int, wide: bool, sinks: bool) -> None:
    count, length, width = data.draw(st.integers(1, 130)), data.draw(st.integers(1, 1200)), 128 if wide else 64
    first = data.draw(st.integers(0, length - 1))
    last = data.draw(st.integers(first + 1, length))
    first_step = data.draw(st.integers(0, 1 if first + count <= last else 0))
    last_step = data.draw(st.integers(first_step if last - first < count else 0, 1)) if last + count <= length else 0
    first_step = min(first_step, last_step) if last - first < count else first_step
    sight = tiled.Sight(first, first_step, last, last_step)
    seed, loud = data.draw(st.integers(0, 99)), data.draw(st.sampled_from([0.0, 1.0, 30.0]))
    queries = random(shared * group, count, width, seed=seed) * loud
    keys, values = random(shared, length, width, seed=seed + 1), random(shared, length, width, seed=seed + 2)
    token, key = torch.arange(count)[:, None], torch.arange(length)[None]
    seen = (key >= first + token * first_step) & (key < last + token * last_step)
    expected, logsumexp = defined(queries, keys, values, seen, width**-0.5)
    of_sinks = None
    if sinks:
        capped = random(shared * group, count, width, seed=seed + 3) * loud
        few = random(shared, 4, width, seed=seed + 4), random(shared, 4, width, seed=seed + 5)
        of_sinks = tiled.Sinks(capped, *few)
        other = defined(capped, *few, torch.ones(count, 4, dtype=torch.bool), width**-0.5)
        expected = attention.join([(expected, logsumexp), other])
        logsumexp = torch.logaddexp(logsumexp, other[1])
    output, found = tiled.attend(queries, keys, values, sight, width**-0.5, of_sinks)
    assert (output.double() - expected).abs().max() <= values.abs().max() * WITHIN
    assert (found.double() - logsumexp).abs().max() <= OF_SUM + OF_PART * logsumexp.abs().max()


@needed
def test_a_window_is_read_as_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the window is full, while it fills, and when it slides, by sinks and without: as torch's own attention."""
    arguments = [[random(heads, 2600, 64, seed=seed) for seed, heads in enumerate((6, 2, 2, 6))] for _ in range(2)]
    for sinks in (0, 4):
        outputs = []
        for compiled, (queries, keys, values, capped) in zip((True, False), arguments, strict=True):
            if not compiled:
                monkeypatch.setattr(attention, "_tiled", lambda queries, keys: None)
            state, start, read = WindowState(1100, sinks), 0, []
            while start < 2600:
                stop = min(2600, start + 512, start + attention.room(state))
                piece = (tensor[:, start:stop] for tensor in (queries, keys, values, capped))
                read.append(attention.read(state, *piece))
                start = stop
            outputs.append(torch.cat(read, dim=1).float())
            monkeypatch.undo()
        assert (outputs[0] - outputs[1]).abs().max() <= (0.02 if ROUNDED else 1e-5)
