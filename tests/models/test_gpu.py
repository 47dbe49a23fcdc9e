"""What would run on a GPU, where there is none: on torch's meta device, which as a GPU does refuses what mixes it with
the processor's memory. How exactly a GPU computes, its certificate tells where there is one."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import FAMILIES, make_model
from tiny_families import LIBRARY_FAMILIES
from tiny_minimax import make_original
from transformers import CONFIG_MAPPING

from mmxcli.errors import ModelError
from mmxcli.models import attention, gpu, products
from mmxcli.models.load import load_model
from mmxcli.models.products import Products
from mmxcli.models.runner import Model
from mmxcli.state.layer import LayerState
from mmxcli.state.mixed import MixedState
from mmxcli.state.pages import PagedState

META = torch.device("meta")
ALONE = ("bailing_hybrid",)  # no window can be asked for


def made(folder: Path, family: str) -> Path:
    if family == "minimax_m1":
        return make_original(folder)
    if family not in CONFIG_MAPPING:
        pytest.skip(f"the installed transformers does not know {family}")
    return make_model(folder, family)


def kept(state: LayerState) -> list[torch.Tensor]:
    if isinstance(state, MixedState):
        return [tensor for part in state.parts.values() for tensor in kept(part)]
    return [*state.fixed().values(), *(state.open if isinstance(state, PagedState) else ())]


def read(model: Model, window: int | None) -> set[torch.device]:
    """Where everything lies that several chunks of a text, and a question after it, leave."""
    state = model.new_state(window)
    for size in (5, 20, 1):
        model.advance(state, list(range(size)))
    logits = model.advance(state.fork(), [3, 4], "all")
    assert logits is not None and logits.shape[0] == 2
    return {logits.device, *(tensor.device for layer in state.layers for tensor in kept(layer))}


@pytest.mark.parametrize("family", [*FAMILIES, *LIBRARY_FAMILIES, "minimax_m1"])
def test_what_a_model_computes_stays_on_its_device(family: str, tmp_path: Path) -> None:
    model = load_model(made(tmp_path / family, family), torch.bfloat16)
    model.move(META)
    assert model.device == META
    for window in (None,) if family in ALONE else (None, 9):
        assert read(model, window) == {META}


@pytest.mark.parametrize("family", ["qwen2", "bamba", "minimax_m1"])
def test_packed_weights_go_to_the_device_too(family: str, tmp_path: Path) -> None:
    model = load_model(made(tmp_path / family, family), torch.bfloat16)
    model.pack("int8", META)
    model.move(META)
    assert read(model, None) == {META}


@pytest.mark.parametrize("fast", [True, False])
def test_what_is_foreseen_multiplies_as_the_processor_does(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models without contents, by which `mmx plan` foresees, are on the meta device too."""
    monkeypatch.setattr(products, "prefers_bfloat16", lambda: fast)
    chosen = {name: Products(torch.bfloat16, torch.device(name)).dtype for name in ("cpu", "meta", "cuda")}
    here = torch.bfloat16 if fast else torch.float32
    assert chosen == {"cpu": here, "meta": here, "cuda": torch.bfloat16}


@given(data=st.data(), causal=st.booleans(), heads=st.sampled_from([(4, 4), (4, 2), (6, 1)]))
def test_attention_by_products_alone_is_that_of_the_kernel(
    data: st.DataObject, causal: bool, heads: tuple[int, int]
) -> None:
    count = data.draw(st.integers(1, 40))
    width = data.draw(st.integers(1, 24))
    many = count if causal else data.draw(st.integers(1, 40))
    random = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    queries = torch.randn(heads[0], count, width, generator=random)
    keys, values = (torch.randn(heads[1], many, width, generator=random) for _ in "kv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "SCORES", data.draw(st.sampled_from([1, 50, 1 << 20])))  # how it is cut
        output, logsumexp = attention.attend_plainly(queries, keys, values, 0.3, causal)
    kernel = attention.attend_arriving if causal else attention.attend
    expected, expected_logsumexp = kernel(queries, keys, values, 0.3)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(logsumexp, expected_logsumexp, atol=1e-5, rtol=1e-4)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no GPU to use"):
        gpu.device_named("cuda")
    with pytest.raises(ModelError, match="no GPU to use"):
        load_model(make_model(tmp_path), device="cuda")
