"""Weights in 8 and 4 bits: what is multiplied is what was packed, and the certificate runs on it."""

from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_model

from mmxcli.models import products
from mmxcli.models.anatomy import QUANTS
from mmxcli.models.certificate import certify
from mmxcli.models.compiler import load_compiler
from mmxcli.models.fields import Fields
from mmxcli.models.library.model import LibraryModel
from mmxcli.models.load import anatomy_of, load_model, prefers_float32
from mmxcli.models.packed import PackedWeight, Packing, _compiled, packed
from mmxcli.models.tiles import has_floats

PACKINGS: tuple[Packing, ...] = ("int8", "nf4")
KINDS = (*PACKINGS, "panels")
# Of a normal matrix, as a share of its deviation: what so many bits allow.
ERROR = {"int8": 0.01, "nf4": 0.11, "panels": 0.007}


def made(weight: torch.Tensor, kind: str) -> PackedWeight:
    if kind != "panels":
        return PackedWeight(weight, kind)  # type: ignore[arg-type]
    load_compiler()
    from mmxcli.models.panels import PanelWeight

    return PanelWeight(weight)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 70), columns=st.integers(1, 200), count=st.integers(1, 5), dtype=st.sampled_from(["f", "b"]))
def test_a_product_is_that_of_the_unpacked_matrix(kind: str, rows: int, columns: int, count: int, dtype: str) -> None:
    torch.manual_seed(rows * 1000 + columns)
    width = torch.float32 if dtype == "f" else torch.bfloat16
    weight, inputs, bias = torch.randn(rows, columns), torch.randn(count, columns), torch.randn(rows).to(width)
    inputs = inputs.to(width)
    matrix = made(weight.to(width), kind)
    plain = matrix.unpacked(torch.float32)
    assert (plain - weight).pow(2).mean().sqrt() <= 4 * ERROR[kind]
    expected = torch.nn.functional.linear(inputs.float(), plain, bias.float())
    found = matrix.linear(inputs, bias)
    assert found.dtype == width and found.shape == (count, rows)
    close = 0.03 if dtype == "b" else 2e-3 if kind == "panels" else 1e-4  # panels: rows are rounded to 16 bits
    assert (found.float() - expected).abs().max() <= close * (1 + expected.abs().max())


@pytest.mark.parametrize("kind", KINDS)
def test_how_much_is_lost_and_saved(kind: str) -> None:
    weight = torch.randn(512, 768, dtype=torch.bfloat16)
    matrix = made(weight, kind)
    lost = (matrix.unpacked(torch.float32) - weight.float()).pow(2).mean().sqrt()
    assert lost <= ERROR[kind]
    assert matrix.nbytes <= {"int8": 0.51, "nf4": 0.29, "panels": 0.54}[kind] * weight.nbytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_zeros_stays_one(kind: str) -> None:
    assert torch.equal(made(torch.zeros(3, 64), kind).unpacked(torch.float32), torch.zeros(3, 64))


def test_a_row_is_multiplied_as_if_it_were_alone() -> None:
    """Bit for bit, so that a text reads the same however it is cut."""
    matrix, inputs = made(torch.randn(100, 200), "panels"), torch.randn(33, 200)
    whole = matrix.linear(inputs)
    assert all(torch.equal(matrix.linear(inputs[row : row + 1])[0], whole[row]) for row in range(33))


def test_compiled_products_are_for_processors_that_multiply_bfloat16_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.randn(64, 64)
    for fast, dtype, quant in product((True, False), (torch.bfloat16, torch.float32), PACKINGS):
        monkeypatch.setattr(products, "prefers_bfloat16", lambda fast=fast: fast)
        _compiled.cache_clear()
        compiled = type(packed(weight.to(dtype), quant)).__name__ == "PanelWeight"
        assert not compiled if fast or dtype == torch.float32 or quant == "nf4" else compiled or not has_floats()
    _compiled.cache_clear()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("quant", PACKINGS)
@pytest.mark.parametrize("family", ["llama", "qwen2", "granitemoehybrid", "mamba", "jamba", "xlstm"])
def test_the_certificate_of_a_packed_model(family: str, quant: Packing, dtype: torch.dtype, tmp_path: Path) -> None:
    folder = make_model(tmp_path, family)
    model, anatomy = load_model(folder, dtype, quant), anatomy_of(folder)
    certificate = certify(model, anatomy, family, quant)
    assert certificate.good, certificate
    assert certificate.quant == quant


@pytest.mark.parametrize("quant", PACKINGS)
@pytest.mark.parametrize("family", ["llama", "granitemoehybrid"])
def test_a_packed_model_says_nearly_the_same(family: str, quant: Packing, tmp_path: Path) -> None:
    folder = make_model(tmp_path, family)
    ids = [(i * 7919 + 13) % 250 for i in range(60)]
    plain, packed = load_model(folder).one_pass(ids), load_model(folder, quant=quant).one_pass(ids)
    assert not torch.equal(plain, packed)
    assert torch.nn.functional.cosine_similarity(plain, packed).median() > {"int8": 0.99, "nf4": 0.6}[quant]


def test_packing_one_network_leaves_others_alone(tmp_path: Path) -> None:
    folder = make_model(tmp_path, "granitemoehybrid")
    packed, plain = load_model(folder, quant="nf4"), load_model(folder)
    assert isinstance(packed, LibraryModel) and isinstance(plain, LibraryModel)
    names = {name for name, _ in plain.network.named_parameters()}
    assert {name for name, _ in packed.network.named_parameters()} < names
    assert torch.equal(plain.one_pass([1, 2, 3]), load_model(folder).one_pass([1, 2, 3]))


def test_bytes_are_as_the_anatomy_says(tmp_path: Path) -> None:
    anatomy = anatomy_of(make_model(tmp_path, "llama", hidden_size=256, intermediate_size=512))
    sizes = [anatomy.weight_bytes(quant) for quant in QUANTS]
    inside = anatomy.parameters - anatomy.embedding_parameters
    assert [sizes[0] - size for size in sizes] == [0, 2 * inside - inside * 17 // 16, 2 * inside - inside * 9 // 16]


@pytest.mark.parametrize("family", ["llama", "bamba", "mamba"])
def test_kept_in_float32_it_is_the_same_model_computed_so(family: str, tmp_path: Path) -> None:
    folder = make_model(tmp_path, family, torch.bfloat16)
    model = load_model(folder, quant="float32")
    assert model.dtype == torch.float32
    assert torch.equal(model.one_pass([5, 6, 7, 8]), load_model(folder).widened().one_pass([5, 6, 7, 8]))
    assert certify(model, anatomy_of(folder), family, "float32", short=True).good


@pytest.mark.parametrize("fast", [True, False])
def test_float32_is_for_networks_of_the_library_in_bfloat16(
    fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a processor that multiplies bfloat16 slowly; our own models widen one matrix at a time."""
    monkeypatch.setattr(products, "prefers_bfloat16", lambda: fast)
    kinds = {"bamba": (torch.bfloat16, torch.float32), "llama": (torch.bfloat16,)}
    folders = {
        (family, dtype): make_model(tmp_path / f"{family}-{dtype}", family, dtype)
        for family, dtypes in kinds.items()
        for dtype in dtypes
    }
    chosen = {made for made, folder in folders.items() if prefers_float32(Fields(folder))}
    assert chosen == (set() if fast else {("bamba", torch.bfloat16)})
