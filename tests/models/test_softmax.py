"""The forward pass: against transformers where that is right, against a slow reference where it has no like."""

import math
from pathlib import Path

import pytest
import torch
from contents import contents, tensors
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import FAMILIES, make_model

from mmxcli.models.load import load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.state.sizes import SINKS

IDS = [(i * 7919 + 13) % 250 for i in range(200)]


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("family") / request.param, request.param)


@pytest.fixture(scope="module")
def model(folder: Path) -> SoftmaxModel:
    return load_softmax(folder)


def logits(model: SoftmaxModel, ids: list[int], sizes: list[int], window: int | None) -> torch.Tensor:
    """All logits, read in chunks of these sizes."""
    state, outputs, start = model.new_state(window), [], 0
    for size in sizes:
        outputs.append(model.advance(state, ids[start : start + size], "all"))
        start += size
    assert state.position == start == len(ids)
    return torch.cat([output for output in outputs if output is not None])


def test_one_pass_agrees_with_transformers(folder: Path, model: SoftmaxModel) -> None:
    from transformers import AutoModelForCausalLM

    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        expected = reference(torch.tensor([IDS])).logits[0]
    ours = logits(model, IDS, [len(IDS)], window=None)
    assert (ours - expected).abs().max() <= 1e-4 * expected.abs().max()


@settings(max_examples=25, deadline=None)
@given(data=st.data(), window=st.sampled_from([None, 9, 32, 100, 250]))
def test_cuts_change_nothing(folder: Path, data: st.DataObject, window: int | None) -> None:
    """In float64, because float32 alone rounds by 1e-5 of the scale."""
    model = load_softmax(folder, torch.float64)
    cuts = data.draw(st.lists(st.integers(1, len(IDS) - 1), unique=True, max_size=12).map(sorted))
    sizes = [stop - start for start, stop in zip([0, *cuts], [*cuts, len(IDS)], strict=True)]
    whole = logits(model, IDS, [len(IDS)], window)
    assert (logits(model, IDS, sizes, window) - whole).abs().max() <= 1e-5 * whole.abs().max()


def test_window_agrees_with_a_slow_reference(folder: Path, model: SoftmaxModel) -> None:
    """Token by token in float64, every key kept unturned and turned anew for each query: sinks and window
    straight from the paper (StreamingLLM, section 3.2), with the cache's own places as positions."""
    expected = reference_logits(model, IDS, window=20)
    ours = logits(model, IDS, [70, 1, 79, 50], window=20)
    assert (ours - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_a_window_forgets_and_no_window_does_not(model: SoftmaxModel) -> None:
    """After more than layers x window further tokens nothing of a token that is not a sink can be left."""
    other = [*IDS]
    other[10] = (other[10] + 1) % 250
    last = [logits(model, ids, [len(ids)], window=20)[-1] for ids in (IDS, other)]
    assert torch.allclose(last[0], last[1], atol=1e-6)
    last = [logits(model, ids, [len(ids)], window=None)[-1] for ids in (IDS, other)]
    assert not torch.allclose(last[0], last[1], atol=1e-4)


def test_memory_stays_constant_beyond_the_window(model: SoftmaxModel) -> None:
    state, sizes = model.new_state(window=32), []
    for _ in range(60):
        model.advance(state, IDS)
        sizes.append(state.bytes)
    assert max(sizes[10:]) == sizes[10]


def test_a_fork_leaves_the_state_alone(model: SoftmaxModel) -> None:
    state = model.new_state(window=32)
    model.advance(state, IDS[:100])
    before = [{name: t.clone() for name, t in contents(layer).items()} for layer in state.layers]
    fork = state.fork()
    model.advance(fork, IDS[100:])
    assert (state.position, fork.position) == (100, 200)
    for layer, kept in zip(state.layers, before, strict=True):
        for name, tensor in contents(layer).items():
            assert torch.equal(tensor, kept[name])


@pytest.mark.parametrize("window", [None, 20])
def test_what_is_not_written_from_leaves_the_same_state(model: SoftmaxModel, window: int | None) -> None:
    """Bit for bit, though the last block computes no more than keys and values then."""
    read, written = model.new_state(window), model.new_state(window)
    for start in range(0, 200, 50):
        assert model.advance(read, IDS[start : start + 50]) is None
        assert model.advance(written, IDS[start : start + 50], "all") is not None
    assert all(map(torch.equal, tensors(read), tensors(written)))
    assert torch.equal(*(model.advance(state, IDS, "last") for state in (read, written)))  # type: ignore[arg-type]


def test_bfloat16_is_no_further_off_than_transformers(folder: Path, model: SoftmaxModel) -> None:
    from transformers import AutoModelForCausalLM

    exact = logits(model, IDS, [len(IDS)], None)
    low = load_softmax(folder, torch.bfloat16)
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    with torch.inference_mode():
        theirs = reference(torch.tensor([IDS])).logits[0].float()
    ours = logits(low, IDS, [70, 1, 79, 50], None)
    assert (ours - exact).abs().mean() <= 1.5 * (theirs - exact).abs().mean()


def reference_logits(model: SoftmaxModel, ids: list[int], window: int) -> torch.Tensor:
    """All logits, (tokens, vocabulary) in float64, of a llama-like model with attention sinks."""
    shape, sinks = model.shape, SINKS
    weights = {name: tensor.double() for name, tensor in model.weights.items()}
    frequencies = shape.rotary_theta ** -(torch.arange(0, shape.head_width, 2, dtype=torch.float64) / shape.head_width)

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return x / (x.pow(2).mean(-1, keepdim=True) + shape.norm_epsilon).sqrt() * weights[name]

    def turn(x: torch.Tensor, place: int) -> torch.Tensor:
        half = shape.head_width // 2
        cos, sin = (place * frequencies).cos(), (place * frequencies).sin()
        return torch.cat((x[..., :half] * cos - x[..., half:] * sin, x[..., half:] * cos + x[..., :half] * sin), -1)

    def project(x: torch.Tensor, name: str, normed: str) -> torch.Tensor:
        out = weights[name + ".weight"] @ x
        if name + ".bias" in weights:
            out = out + weights[name + ".bias"]
        out = out.view(-1, shape.head_width)
        return norm(out, normed) if normed in weights else out

    kept: list[list[tuple[int, torch.Tensor, torch.Tensor]]] = [[] for _ in range(shape.layers)]
    rows = []
    for number, token in enumerate(ids):
        hidden = weights["model.embed_tokens.weight"][token]
        for layer, cache in enumerate(kept):
            name = f"model.layers.{layer}."
            x = norm(hidden, name + "input_layernorm.weight")
            query = project(x, name + "self_attn.q_proj", name + "self_attn.q_norm.weight")
            key = project(x, name + "self_attn.k_proj", name + "self_attn.k_norm.weight")
            value = project(x, name + "self_attn.v_proj", "")
            cache.append((number, key, value))
            cache[:] = [item for item in cache if item[0] < sinks or item[0] > number - window]
            outputs = []
            for head in range(shape.heads):
                group = head * shape.key_heads // shape.heads
                turned = turn(query[head], len(cache) - 1)
                scores = torch.stack([turned @ turn(k[group], place) for place, (_, k, _) in enumerate(cache)])
                shares = (scores / math.sqrt(shape.head_width)).softmax(0)
                outputs.append(sum(s * v[group] for s, (_, _, v) in zip(shares, cache, strict=True)))
            hidden = hidden + weights[name + "self_attn.o_proj.weight"] @ torch.cat(outputs)
            x = norm(hidden, name + "post_attention_layernorm.weight")
            gate = weights[name + "mlp.gate_proj.weight"] @ x
            up = weights[name + "mlp.up_proj.weight"] @ x
            hidden = hidden + weights[name + "mlp.down_proj.weight"] @ (gate * gate.sigmoid() * up)
        head_name = "model.embed_tokens.weight" if shape.tied_head else "lm_head.weight"
        rows.append(weights[head_name] @ norm(hidden, "model.norm.weight"))
    return torch.stack(rows)
