"""Lightning attention and its slopes, against the recurrence in float64; on a GPU too where there is one."""

import math
from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.models.minimax.lightning import BLOCK, Decays, lightning, slopes

Three = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # queries, keys and values, each (heads, n, width)
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="has no GPU")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=GPU)])
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tolerance(device: str) -> float:
    """As a part of the largest value: kernels multiply in TF32."""
    return 3e-3 if device == "cuda" and find_spec("fla") else 1e-5


def recurrence(three: Three, slopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Token by token in float64: S = e^(-s) S + k^T v, o = q S."""
    queries, keys, values = (tensor.double() for tensor in three)
    state = torch.zeros(queries.shape[0], queries.shape[2], queries.shape[2], dtype=torch.float64)
    decay = torch.exp(-slopes.double())[:, None, None]
    outputs = torch.empty(queries.shape[1], queries.shape[0], queries.shape[2], dtype=torch.float64)
    for t in range(queries.shape[1]):
        state = decay * state + keys[:, t, :, None] * values[:, t, None, :]
        outputs[t] = (queries[:, t, None, :] @ state)[:, 0]
    return outputs, state


def random(heads: int, count: int, width: int) -> Three:
    """Interleaved a head, as the projection gives them."""
    generator = torch.Generator().manual_seed(count)
    mixed = torch.nn.functional.silu(torch.randn(count, heads, 3, width, generator=generator))
    queries, keys, values = mixed.permute(2, 1, 0, 3)
    return queries, keys, values


def piece(three: Three, start: int, stop: int, device: str = "cpu") -> Three:
    queries, keys, values = (tensor[:, start:stop].to(device) for tensor in three)
    return queries, keys, values


def close(found: torch.Tensor, expected: torch.Tensor, part: float) -> bool:
    return bool((found.cpu() - expected).abs().max() <= part * expected.abs().max())


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 2, 15, 16, 17, 63, 64, 65]), min_size=1, max_size=5),
    block=st.sampled_from([1, 7, 16, BLOCK, 256]),
)
def test_any_cuts_and_any_block_give_the_recurrence(sizes: list[int], block: int) -> None:
    three, paces = random(4, sum(sizes), 16), slopes(4, 1, 8)
    expected, final = recurrence(three, paces)
    state, outputs, start = None, [], 0
    for size in sizes:
        output, state = lightning(*piece(three, start, start + size), paces, state, block)
        outputs.append(output)
        start += size
    assert state is not None
    assert close(torch.cat(outputs), expected, 1e-5) and close(state, final, 1e-5)


@pytest.mark.parametrize("chunk", [999, 20_000])
def test_a_long_text_gives_the_recurrence(device: str, chunk: int) -> None:
    """20,000 tokens, at the real model's fastest, a middling and its slowest pace."""
    paces = torch.stack([slopes(64, 0, 80)[0], slopes(64, 40, 80)[30], slopes(64, 78, 80)[63]])
    three = random(3, 20_000, 8)
    expected, final = recurrence(three, paces)
    state, outputs = None, []
    for start in range(0, 20_000, chunk):
        output, state = lightning(*piece(three, start, start + chunk, device), paces.to(device), state)
        outputs.append(output)
    assert state is not None and state.dtype == torch.float32
    assert close(torch.cat(outputs), expected, tolerance(device)) and close(state, final, tolerance(device))


def test_a_real_head_gives_the_recurrence(device: str) -> None:
    three, paces = random(4, 300, 128), slopes(4, 0, 8)
    expected, final = recurrence(three, paces)
    output, state = lightning(*piece(three, 0, 300, device), paces.to(device))
    assert close(output, expected, tolerance(device)) and close(state, final, tolerance(device))


def test_the_given_state_stays_as_it_is(device: str) -> None:
    three, paces = piece(random(4, 100, 16), 0, 100, device), slopes(4, 1, 8).to(device)
    _, state = lightning(*three, paces)
    before = state.clone()
    lightning(*three, paces, state)
    assert torch.equal(state, before)


def test_bfloat16_inputs_are_summed_in_float32() -> None:
    queries, keys, values = random(4, 500, 16)
    three, paces = (queries.bfloat16(), keys.bfloat16(), values.bfloat16()), slopes(4, 7, 8)
    expected, final = recurrence(three, paces)
    output, state = lightning(*three, paces)
    assert output.dtype == state.dtype == torch.float32
    assert close(output, expected, 1e-5) and close(state, final, 1e-5)


def test_slopes_are_the_papers() -> None:
    for layer in range(80):
        expected = [2 ** (-8 * (head + 1) / 64) * (1 - layer / 79 + 1e-5) for head in range(64)]
        assert slopes(64, layer, 80).tolist() == pytest.approx(expected, rel=1e-7)


def test_slopes_of_other_numbers_of_heads_are_alibis() -> None:
    """The published table for 12 heads: the eight of 8, then every other one of 16."""
    expected = [2**-i for i in range(1, 9)] + [2 ** -(i + 0.5) for i in range(4)]
    assert slopes(12, 0, 80).tolist() == pytest.approx([s * (1 + 1e-5) for s in expected], rel=1e-6)
    assert slopes(4, 0, 1).tolist() == pytest.approx([2 ** (-2 * i) * (1 + 1e-5) for i in range(1, 5)], rel=1e-6)


def test_every_head_of_the_real_model_forgets() -> None:
    """In bfloat16, 406 of its 4,480 decays would be exactly 1, and their sums would never forget."""
    lost = 0
    for layer in [layer for layer in range(80) if layer % 8 != 7]:
        paces = slopes(64, layer, 80)
        decays = Decays(paces, BLOCK)
        assert paces.dtype == decays.after.dtype == torch.float32
        assert (decays.after[:, 1:] < 1).all() and (decays.after.diff(dim=1) <= 0).all()
        assert (decays.triangle >= 0).all() and (decays.triangle <= 1).all()
        lost += int((torch.exp(-paces.bfloat16()) == 1).sum())
    assert lost == 406


def test_no_exponent_overflows() -> None:
    """The fastest head and a block so wide that a quotient of decays would be infinite."""
    three = random(1, 600, 8)
    output, state = lightning(*three, torch.tensor([math.e]), None, 600)
    expected, final = recurrence(three, torch.tensor([math.e]))
    assert close(output, expected, 1e-5) and close(state, final, 1e-5)
