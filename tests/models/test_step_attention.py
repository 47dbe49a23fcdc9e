"""Attention of the compiled step is that of the formula, whatever else is computed beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmxcli.models.compiler import load_compiler

load_compiler()  # before what it compiles is imported

from mmxcli.models.step_attention import FEW, KEYS, MOST, Floats, Texts, attend  # noqa: E402


def by_formula(heads: Floats, capped: Floats, texts: Texts, layer: int) -> NDArray[np.float64]:
    """softmax(q k / sqrt(width)) v in float64, token by token and head by head."""
    count, queries, width = capped.shape
    group = queries // texts.pairs.shape[3]
    found = np.empty((count, queries, width))
    for token in range(count):
        text, first, last = texts.numbers[token], texts.firsts[token], texts.lengths[token]
        for head in range(queries):
            keys, values = texts.pairs[text, layer, :, head // group, first:last].astype(float)
            scores = keys @ heads[token, head].astype(float)
            if texts.slides[token]:
                first_keys, first_values = texts.sinks[text, layer, :, head // group].astype(float)
                scores = np.concatenate([first_keys @ capped[token, head].astype(float), scores])
                values = np.concatenate([first_values, values])
            shares = np.exp((scores - scores.max()) / np.sqrt(width))
            found[token, head] = shares @ values / shares.sum()
    return found.reshape(count, -1)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Floats, Floats, Texts]:
    shared, group, width = (
        draw(st.integers(1, 3)),
        draw(st.sampled_from([1, 2, 3, 7, 9])),
        draw(st.sampled_from([2, 6, 64])),
    )
    new = draw(st.lists(st.integers(1, 2 * MOST), min_size=1, max_size=3))
    before = [draw(st.integers(0, 2 * KEYS)) for _ in new]
    window = draw(st.sampled_from([1, 5, KEYS, 10_000]))
    some = np.random.default_rng(draw(st.integers(0, 9)))
    numbers = np.repeat(np.arange(len(new)), new)
    lengths = np.concatenate([start + np.arange(1, count + 1) for start, count in zip(before, new, strict=True)])
    size = (len(new), 2, 2, shared, int(lengths.max()) + 3, width)
    pairs = (some.standard_normal(size) * draw(st.sampled_from([1, 30]))).astype(np.float32)
    texts = Texts(
        pairs, pairs[:, :, :, :, :2].copy(), numbers, np.maximum(0, lengths - window), lengths, lengths > window
    )
    heads = some.standard_normal((len(numbers), group * shared + 2 * shared, width)).astype(np.float32)
    return heads, heads[:, : group * shared][::-1].copy(), texts


@given(cases())
def test_it_is_the_formula(case: tuple[Floats, Floats, Texts]) -> None:
    heads, capped, texts = case
    found = np.empty((len(heads), capped.shape[1] * capped.shape[2]), np.float32)
    attend(heads, capped, texts, 1, found)
    assert np.abs(found - by_formula(heads, capped, texts, 1)).max() <= 2e-5 * np.abs(texts.pairs).max()


@given(cases(), st.integers(0, 10_000))
def test_a_token_gets_the_same_alone_bit_for_bit(case: tuple[Floats, Floats, Texts], chosen: int) -> None:
    heads, capped, texts = case
    found = np.empty((len(heads), capped.shape[1] * capped.shape[2]), np.float32)
    attend(heads, capped, texts, 1, found)
    one = slice(chosen % len(heads), chosen % len(heads) + 1)
    alone = Texts(*texts[:2], *(of[one] for of in texts[2:]))
    by_itself = np.empty_like(found[one])
    attend(heads[one], capped[one], alone, 1, by_itself)
    assert np.array_equal(found[one], by_itself)


@pytest.mark.parametrize("group", [1, FEW, FEW + 1, MOST + 1])
def test_any_number_of_heads_may_share_keys(group: int) -> None:
    some = np.random.default_rng(0)
    pairs = some.standard_normal((1, 1, 2, 1, 9, 8)).astype(np.float32)
    at = np.arange(2)
    texts = Texts(pairs, pairs[:, :, :, :, :1].copy(), 0 * at, 0 * at, at + 5, at > 1)
    heads = some.standard_normal((2, group + 2, 8)).astype(np.float32)
    found = np.empty((2, group * 8), np.float32)
    attend(heads, heads[:, :group].copy(), texts, 0, found)
    assert np.abs(found - by_formula(heads, heads[:, :group], texts, 0)).max() < 1e-5
