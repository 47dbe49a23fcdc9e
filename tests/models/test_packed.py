"""Weights in 8 and 4 bits: what is multiplied is what was packed, and the certificate runs on it."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_model

from mmxcli.models import products
from mmxcli.models.anatomy import QUANTS
from mmxcli.models.certificate import certify
from mmxcli.models.fields import Fields
from mmxcli.models.library.model import LibraryModel
from mmxcli.models.load import anatomy_of, load_model, prefers_float32
from mmxcli.models.packed import PackedWeight, Packing

PACKINGS: tuple[Packing, ...] = ("int8", "nf4")
ERROR = {"int8": 0.01, "nf4": 0.11}  # of a normal matrix, as a share of its deviation: what so many bits allow


@pytest.mark.parametrize("quant", PACKINGS)
@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 70), columns=st.integers(1, 200), count=st.integers(1, 5), dtype=st.sampled_from(["f", "b"]))
def test_a_product_is_that_of_the_unpacked_matrix(
    quant: Packing, rows: int, columns: int, count: int, dtype: str
) -> None:
    torch.manual_seed(rows * 1000 + columns)
    kind = torch.float32 if dtype == "f" else torch.bfloat16
    weight, inputs, bias = torch.randn(rows, columns), torch.randn(count, columns).to(kind), torch.randn(rows).to(kind)
    packed = PackedWeight(weight.to(kind), quant)
    plain = packed.unpacked(torch.float32)
    assert (plain - weight).pow(2).mean().sqrt() <= 4 * ERROR[quant]
    expected = torch.nn.functional.linear(inputs.float(), plain, bias.float())
    found = packed.linear(inputs, bias)
    assert found.dtype == kind and found.shape == (count, rows)
    close = 1e-4 if dtype == "f" else 0.03
    assert (found.float() - expected).abs().max() <= close * (1 + expected.abs().max())


@pytest.mark.parametrize("quant", PACKINGS)
def test_how_much_is_lost_and_saved(quant: Packing) -> None:
    weight = torch.randn(512, 768, dtype=torch.bfloat16)
    packed = PackedWeight(weight, quant)
    lost = (packed.unpacked(torch.float32) - weight.float()).pow(2).mean().sqrt()
    assert lost <= ERROR[quant]
    assert packed.nbytes <= {"int8": 0.51, "nf4": 0.29}[quant] * weight.nbytes


@pytest.mark.parametrize("quant", PACKINGS)
def test_a_row_of_zeros_stays_one(quant: Packing) -> None:
    packed = PackedWeight(torch.zeros(3, 64), quant)
    assert torch.equal(packed.unpacked(torch.float32), torch.zeros(3, 64))


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
    assert [sizes[0] - size for size in sizes] == [0, inside, 2 * inside - inside * 9 // 16]


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
