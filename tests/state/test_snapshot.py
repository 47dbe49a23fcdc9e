"""A state comes back bit for bit, or not at all."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.errors import DamagedError
from mmxcli.models.load import load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.state.model_state import ModelState, TokenChain
from mmxcli.state.snapshot import load_snapshot, save_snapshot

IDS = [(i * 7919 + 13) % 250 for i in range(200)]


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> SoftmaxModel:
    return load_softmax(tiny_folder)


def saved(model: SoftmaxModel, path: Path, window: int | None = 32, read: int = 100) -> ModelState:
    state = model.new_state(window)
    model.advance(state, IDS[:read])
    save_snapshot(state, path, "me")
    return state


@pytest.mark.parametrize("window", [None, 9, 32, 500])
@pytest.mark.parametrize("read", [1, 3, 40, 150])
def test_continues_bit_for_bit(model: SoftmaxModel, tmp_path: Path, window: int | None, read: int) -> None:
    state = saved(model, tmp_path / "state", window, read)
    restored = load_snapshot(tmp_path / "state", "me")
    assert restored.position == read
    expected, found = (model.advance(s, IDS[read:], "all") for s in (state, restored))
    assert expected is not None and found is not None
    assert torch.equal(expected, found)
    assert restored.chain.hexdigest() == state.chain.hexdigest()


def test_files_are_private(model: SoftmaxModel, tmp_path: Path) -> None:
    saved(model, tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1), bit=st.integers(0, 7))
def test_every_changed_byte_is_noticed_or_harmless(
    model: SoftmaxModel, tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    path = tmp_path_factory.mktemp("flip") / "state"
    state = saved(model, path)
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 1 << bit
    path.write_bytes(data)
    try:
        restored = load_snapshot(path, "me")
    except DamagedError:
        return
    for layer, other in zip(state.layers, restored.layers, strict=True):
        for name, tensor in layer.tensors().items():
            assert torch.equal(tensor, other.tensors()[name])
    assert (restored.position, restored.chain.hexdigest()) == (state.position, state.chain.hexdigest())


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_file_cut_short_is_damaged(
    model: SoftmaxModel, tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "state"
    saved(model, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedError, match="damaged"):
        load_snapshot(path, "me")


def test_another_models_state_is_refused(model: SoftmaxModel, tmp_path: Path) -> None:
    saved(model, tmp_path / "state")
    with pytest.raises(DamagedError, match="another model"):
        load_snapshot(tmp_path / "state", "somebody else")


def test_a_full_disk_leaves_the_last_snapshot(
    model: SoftmaxModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    state = saved(model, path)
    before = path.read_bytes()

    def full(tensors: object, file: Path, metadata: object) -> None:
        Path(file).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmxcli.state.snapshot.save_file", full)
    with pytest.raises(OSError, match="No space"):
        save_snapshot(state, path, "me")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


@settings(max_examples=50, deadline=None)
@given(ids=st.lists(st.integers(0, 2**32 - 1), max_size=1500), cuts=st.lists(st.integers(0, 1500), max_size=5))
def test_the_chain_does_not_depend_on_cuts(ids: list[int], cuts: list[int]) -> None:
    whole, parts, start = TokenChain(), TokenChain(), 0
    whole.extend(ids)
    for stop in [*sorted(cuts), len(ids)]:
        parts.extend(ids[start:stop])
        start = max(start, stop)
    assert parts.hexdigest() == whole.hexdigest()
    if ids:
        other = TokenChain()
        other.extend([*ids[:-1], ids[-1] ^ 1])
        assert other.hexdigest() != whole.hexdigest()
