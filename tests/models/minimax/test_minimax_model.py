"""The forward pass: against the equations one token at a time, against transformers where that is right."""

from pathlib import Path

import pytest
import torch
from contents import contents, tensors
from equations import exact_logits
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_minimax import IDS, TRANSFORMERS, make_original, make_stacked

from mmxcli.models.minimax.model import MiniMaxModel, load
from mmxcli.state.fixed import RecurrentState
from mmxcli.state.saving import load_snapshot, save_snapshot

WINDOWS = [None, 9, 32, 100, 250]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_original(tmp_path_factory.mktemp("minimax") / "original")


@pytest.fixture(scope="module")
def model(folder: Path) -> MiniMaxModel:
    return load(folder)


@pytest.fixture(scope="module")
def exact() -> torch.Tensor:
    return exact_logits(IDS)


def logits(model: MiniMaxModel, ids: list[int], sizes: list[int], window: int | None = None) -> torch.Tensor:
    """All logits, read in chunks of these sizes."""
    state, outputs, start = model.new_state(window), [], 0
    for size in sizes:
        outputs.append(model.advance(state, ids[start : start + size], "all"))
        start += size
    assert state.position == start == len(ids)
    return torch.cat([output for output in outputs if output is not None])


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, as a part of the largest value expected."""
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("make", [make_original, make_stacked])
def test_agrees_with_the_equations(make: type, exact: torch.Tensor, tmp_path: Path) -> None:
    model = load(make(tmp_path))
    assert distance(logits(model, IDS, [len(IDS)]), exact) <= 1e-5
    assert distance(logits(model, IDS, [70, 1, 79, 50]), exact) <= 1e-5


def test_a_window_agrees_with_the_equations(model: MiniMaxModel) -> None:
    expected = exact_logits(IDS, window=20)
    assert distance(logits(model, IDS, [70, 1, 79, 50], window=20), expected) <= 1e-5


@pytest.mark.parametrize("saved", [True, False])
def test_agrees_with_transformers_where_it_is_right(saved: bool, tmp_path: Path) -> None:
    """In one pass, with whole heads that turn. transformers saves the original's names; in memory it has others."""
    import json

    from safetensors.torch import save_file
    from transformers import MiniMaxConfig, MiniMaxForCausalLM

    sizes = {"vocab_size": 300, "hidden_size": 48, "intermediate_size": 32, "num_hidden_layers": 5, "head_dim": 16}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_local_experts": 4, "block_size": 32}
    factors = {name: value for name, value in TRANSFORMERS.items() if name.endswith("_factor")}
    theirs = MiniMaxForCausalLM(MiniMaxConfig(**sizes, **heads, **factors)).eval()
    assert theirs.config.layer_types[0] == "full_attention"
    with torch.random.fork_rng():
        torch.manual_seed(20)
        for weight in theirs.parameters():
            weight.data = torch.randn(weight.shape) * 0.2 + (weight.dim() == 1)
    if saved:
        theirs.save_pretrained(tmp_path)
    else:
        save_file(theirs.state_dict(), tmp_path / "model.safetensors")
        (tmp_path / "config.json").write_text(json.dumps(theirs.config.to_dict()))
    with torch.inference_mode():
        expected = theirs(torch.tensor([IDS])).logits[0]
    assert distance(logits(load(tmp_path), IDS, [len(IDS)]), expected) <= 1e-4


@settings(max_examples=30, deadline=None)
@given(data=st.data(), window=st.sampled_from(WINDOWS))
def test_cuts_change_nothing(model: MiniMaxModel, data: st.DataObject, window: int | None) -> None:
    """Cuts anywhere, and often one or two tokens long, or about as long as a block of lightning attention."""
    sizes: list[int] = []
    while (left := len(IDS) - sum(sizes)) > 0:
        size = data.draw(st.sampled_from([1, 2, 63, 64, 65]) | st.integers(1, len(IDS)))
        sizes.append(min(size, left) if len(sizes) < 12 else left)
    whole = logits(model, IDS, [len(IDS)], window)
    assert distance(logits(model, IDS, sizes, window), whole) <= 1e-5


@pytest.mark.parametrize("window", [None, 32])
@pytest.mark.parametrize("read", [1, 3, 40, 150])
def test_a_stored_state_continues_bit_for_bit(
    model: MiniMaxModel, tmp_path: Path, window: int | None, read: int
) -> None:
    state = model.new_state(window)
    model.advance(state, IDS[:read])
    restored = load_snapshot(save_snapshot(state, tmp_path, "me"), tmp_path, "me")
    expected, found = (model.advance(s, IDS[read:], "all") for s in (state, restored))
    assert expected is not None and found is not None
    assert torch.equal(expected, found)
    assert restored.chain.hexdigest() == state.chain.hexdigest()


@pytest.mark.parametrize(("store", "part"), [("memory", 1e-6), ("disk", 1e-6), ("int8", 1e-2)])
def test_keys_may_be_kept_in_other_ways(model: MiniMaxModel, exact: torch.Tensor, store: str, part: float) -> None:
    """On average: a rounded key may send a token to another expert."""
    state = model.new_state(store=store)
    found = [model.advance(state, IDS[start : start + 50], "all") for start in range(0, 200, 50)]
    difference = torch.cat([rows for rows in found if rows is not None]) - exact
    assert difference.abs().mean() <= part * exact.abs().mean()


def test_a_fork_leaves_the_state_alone(model: MiniMaxModel) -> None:
    state = model.new_state(window=32)
    model.advance(state, IDS[:100])
    before = [{name: t.clone() for name, t in contents(layer).items()} for layer in state.layers]
    fork = state.fork()
    model.advance(fork, IDS[100:])
    assert (state.position, fork.position) == (100, 200)
    for layer, kept in zip(state.layers, before, strict=True):
        for name, tensor in contents(layer).items():
            assert torch.equal(tensor, kept[name])


def test_what_is_not_written_from_leaves_the_same_state(model: MiniMaxModel) -> None:
    """Bit for bit, though the last block stops before its experts then."""
    read, written = model.new_state(32), model.new_state(32)
    for start in range(0, 200, 50):
        assert model.advance(read, IDS[start : start + 50]) is None
        assert model.advance(written, IDS[start : start + 50], "all") is not None
    assert all(map(torch.equal, tensors(read), tensors(written)))


def test_the_last_logits_are_the_last_of_all(model: MiniMaxModel) -> None:
    last, every = model.advance(model.new_state(), IDS, "last"), model.advance(model.new_state(), IDS, "all")
    assert model.advance(model.new_state(), IDS) is None and last is not None and every is not None
    assert distance(last, every[-1:]) <= 1e-6


def test_memory_is_what_the_config_says(model: MiniMaxModel) -> None:
    """A window bounds it; lightning layers alone need no window."""
    state, sizes = model.new_state(window=32), []
    for _ in range(40):
        model.advance(state, IDS)
        sizes.append(state.bytes)
    assert max(sizes[10:]) == sizes[10]
    sums = [layer for layer in state.layers if isinstance(layer, RecurrentState)]
    assert sum(layer.bytes for layer in sums) == model.config.anatomy().state_bytes_fixed


def test_lightning_layers_alone_need_no_window(tmp_path: Path) -> None:
    model = load(make_original(tmp_path, attn_type_list=[0] * 8))
    state = model.new_state()
    for _ in range(3):
        model.advance(state, IDS)
        assert state.bytes == model.config.anatomy().state_bytes_fixed
    assert model.config.anatomy().memory == "recurrent"
    assert distance(logits(model, IDS, [70, 1, 79, 50]), logits(model, IDS, [200], window=9)) <= 1e-5


def test_bfloat16_loses_nothing_by_being_cut(folder: Path, model: MiniMaxModel) -> None:
    exact = logits(model, IDS, [len(IDS)])
    low = load(folder, torch.bfloat16)
    assert low.dtype == torch.bfloat16
    whole = (logits(low, IDS, [len(IDS)]) - exact).abs().mean()
    cut = (logits(low, IDS, [70, 1, 79, 50]) - exact).abs().mean()
    assert cut <= 1.5 * whole


def test_bfloat16_keeps_sums_slopes_and_routers_in_float32(folder: Path, tmp_path: Path) -> None:
    for low in (load(folder, torch.bfloat16), load(make_original(tmp_path, torch.bfloat16))):
        state = low.new_state()
        found = low.advance(state, IDS, "last")
        assert found is not None and found.dtype == torch.float32
        assert low.weights["model.layers.0.self_attn.qkv_proj.weight"].dtype == torch.bfloat16
        assert low.weights["model.layers.0.block_sparse_moe.gate.weight"].dtype == torch.float32
        assert all(slopes.dtype == torch.float32 for slopes in low.slopes)
        for layer in state.layers:
            if isinstance(layer, RecurrentState):
                assert layer.contents["sum"].dtype == torch.float32


def test_widened_bfloat16_is_the_same_model_in_float32(tmp_path: Path) -> None:
    low = load(make_original(tmp_path, torch.bfloat16))
    wide = low.widened()
    assert (low.dtype, wide.dtype) == (torch.bfloat16, torch.float32)
    assert distance(wide.one_pass(IDS), logits(load(tmp_path, torch.float32), IDS, [200])) <= 1e-6


def test_float16_weights_are_run_in_bfloat16(tmp_path: Path) -> None:
    assert load(make_original(tmp_path, torch.float16)).dtype == torch.bfloat16
