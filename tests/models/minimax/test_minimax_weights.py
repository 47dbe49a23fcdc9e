"""Checkpoints as they should be, and each way in which one may not be."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from tiny_minimax import INDEX, make_original, make_stacked, random_weights, write_shards

from mmxcli.errors import DamagedError, MmxError, ModelError
from mmxcli.models.minimax.config import MiniMaxConfig
from mmxcli.models.minimax.model import load
from mmxcli.models.minimax.weights import read_weights

W1 = "model.layers.3.block_sparse_moe.experts.2.w1.weight"
W3 = "model.layers.3.block_sparse_moe.experts.2.w3.weight"
STACK = "model.layers.3.mlp.experts.gate_up_proj"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_original(tmp_path)


@pytest.mark.parametrize("make", [make_original, make_stacked])
def test_every_tensor_is_found_under_its_original_name(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path)
    found, made = read_weights(folder, MiniMaxConfig.read(folder)), random_weights()
    assert found.keys() == made.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in made.items())


def test_stacked_experts_are_views_of_the_mapped_stack(tmp_path: Path) -> None:
    folder = make_stacked(tmp_path)
    found = read_weights(folder, MiniMaxConfig.read(folder))
    assert found[W1].is_contiguous() and found[W3].is_contiguous()
    assert found[W1].untyped_storage().data_ptr() == found[W3].untyped_storage().data_ptr()


def test_weights_stay_in_their_files(folder: Path) -> None:
    """What is written to a file later is seen through the mapping: nothing was read when it was loaded."""
    found = read_weights(folder, MiniMaxConfig.read(folder))
    place = json.loads((folder / INDEX).read_text())["weight_map"][W1]
    data = (folder / place).read_bytes()
    length = int.from_bytes(data[:8], "little")
    start = 8 + length + json.loads(data[8 : 8 + length])[W1]["data_offsets"][0]
    with (folder / place).open("r+b") as file:
        file.seek(start)
        file.write(torch.tensor([123.0]).numpy().tobytes())
    assert found[W1][0, 0] == 123.0


def test_one_file_needs_no_index(tmp_path: Path) -> None:
    folder = make_original(tmp_path)
    for path in [*folder.glob("*.safetensors"), folder / INDEX]:
        path.unlink()
    save_file(random_weights(), folder / "model.safetensors")
    assert len(read_weights(folder, MiniMaxConfig.read(folder))) == len(random_weights())


def changed(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = random_weights()
    change(weights)
    write_shards(folder, weights)


def refused(folder: Path, error: type[MmxError], *words: str) -> None:
    with pytest.raises(error) as raised:
        load(folder)
    message = str(raised.value)
    assert all(word in message for word in (str(folder), *words)), message
    assert "\n" not in message


def test_a_missing_tensor(folder: Path) -> None:
    changed(folder, lambda weights: weights.pop(W1))
    refused(folder, DamagedError, W1, "in none of the weight files")


def test_a_tensor_that_the_index_promises_in_vain(folder: Path) -> None:
    path = folder / "model-00001-of-00002.safetensors"
    with safe_open(path, framework="pt") as shard:
        tensors = {name: shard.get_tensor(name).clone() for name in shard.keys()}  # noqa: SIM118
    tensors.pop(W1)
    save_file(tensors, path)
    refused(folder, DamagedError, path.name, W1)


def test_a_tensor_of_another_shape(folder: Path) -> None:
    changed(folder, lambda weights: weights.update({W1: torch.zeros(32, 47)}))
    refused(folder, DamagedError, W1, "(32, 47)", "(32, 48)", "model-0000")


def test_a_stack_of_another_shape(tmp_path: Path) -> None:
    folder = make_stacked(tmp_path)
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as shard:
            tensors = {name: shard.get_tensor(name).clone() for name in shard.keys()}  # noqa: SIM118
        if STACK in tensors:
            save_file(tensors | {STACK: torch.zeros(5, 64, 48)}, path)
            refused(folder, DamagedError, STACK, "(5, 64, 48)", "(4, 64, 48)", path.name)


def test_a_tensor_in_a_dtype_that_is_not_run(folder: Path) -> None:
    changed(folder, lambda weights: weights.update({W1: torch.zeros(32, 48, dtype=torch.float8_e4m3fn)}))
    refused(folder, ModelError, W1, "F8_E4M3")


def test_a_tensor_that_is_not_minimaxs(folder: Path) -> None:
    changed(folder, lambda weights: weights.update({"model.layers.0.shared_mlp.w1.weight": torch.zeros(2)}))
    refused(folder, ModelError, "model.layers.0.shared_mlp.w1.weight")


def test_a_missing_shard(folder: Path) -> None:
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, ModelError, "model-00002-of-00002.safetensors", "is missing")


def test_an_index_that_points_elsewhere(folder: Path) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": {W1: "../other.safetensors"}}))
    refused(folder, DamagedError, "other.safetensors", W1)
    (folder / INDEX).write_text(json.dumps({"weight_map": {}}))
    refused(folder, DamagedError, INDEX, "lists no weights")


def test_one_tensor_in_two_files(folder: Path) -> None:
    (folder / INDEX).unlink()
    save_file({W1: torch.zeros(32, 48)}, folder / "stale.safetensors")
    refused(folder, DamagedError, W1, "stale.safetensors")


def test_pickles_are_not_loaded(folder: Path) -> None:
    for path in [*folder.glob("*.safetensors"), folder / INDEX]:
        path.unlink()
    torch.save(random_weights(), folder / "pytorch_model.bin")
    refused(folder, ModelError, "pickle")


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 0.9999))
def test_a_file_cut_short(share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = make_original(tmp_path_factory.getbasetemp() / "cut")
    path = folder / "model-00002-of-00002.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(folder, DamagedError, path.name)
