"""A state comes back bit for bit, or not at all."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from contents import tensors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from mmxcli.errors import DamagedError
from mmxcli.models.load import load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.state.chain import TokenChain
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.saving import _digest, check_files, load_snapshot, save_snapshot
from mmxcli.state.snapshot import Snapshot, Stretch

IDS = [(i * 7919 + 13) % 250 for i in range(200)]


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> SoftmaxModel:
    return load_softmax(tiny_folder)


def saved(model: SoftmaxModel, folder: Path, window: int | None = 32, read: int = 100) -> tuple[ModelState, Snapshot]:
    """A state, and the second of two snapshots on its way: with pages, it has two stretches."""
    state = model.new_state(window)
    first = None
    if read > 1:
        model.advance(state, IDS[: read // 2])
        first = save_snapshot(state, folder, "me")
    model.advance(state, IDS[state.position : read])
    return state, save_snapshot(state, folder, "me", first.stretches if first else ())


def same(state: ModelState, other: ModelState) -> bool:
    equal = all(torch.equal(a, b) for a, b in zip(tensors(state), tensors(other), strict=True))
    return equal and (state.position, state.chain.hexdigest()) == (other.position, other.chain.hexdigest())


@pytest.mark.parametrize("window", [None, 9, 32, 500])
@pytest.mark.parametrize("read", [1, 3, 40, 150])
def test_continues_bit_for_bit(model: SoftmaxModel, tmp_path: Path, window: int | None, read: int) -> None:
    state, snapshot = saved(model, tmp_path, window, read)
    restored = load_snapshot(snapshot, tmp_path, "me")
    assert restored.position == snapshot.position == read
    expected, found = (model.advance(s, IDS[read:], "all") for s in (state, restored))
    assert expected is not None and found is not None
    assert torch.equal(expected, found)
    assert restored.chain.hexdigest() == state.chain.hexdigest()


@pytest.mark.parametrize("store", ["memory", "disk", "int8"])
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 199), max_size=6, unique=True))
def test_what_grows_is_written_once(
    model: SoftmaxModel, tmp_path_factory: pytest.TempPathFactory, store: str, cuts: list[int]
) -> None:
    """Whatever the places: every snapshot comes back, and together they take little more than the last alone."""
    folder, alone = tmp_path_factory.mktemp("many"), tmp_path_factory.mktemp("alone")
    state, stretches, kept = model.new_state(None, store), (), []
    for cut in [*sorted(cuts), 200]:
        model.advance(state, IDS[state.position : cut])
        snapshot = save_snapshot(state, folder, "me", stretches)
        stretches = snapshot.stretches
        kept.append((state.fork(), snapshot))
    for then, snapshot in kept:
        assert same(load_snapshot(snapshot, folder, "me"), then)
    save_snapshot(state, alone, "me")
    many, one = (sum(file.stat().st_size for file in place.iterdir()) for place in (folder, alone))
    assert many <= one + 6_000 * len(kept)  # the headers


def test_a_stretch_that_is_gone_is_written_anew(model: SoftmaxModel, tmp_path: Path) -> None:
    state, first = saved(model, tmp_path, None)
    (tmp_path / first.stretches[0].file).unlink()
    with pytest.raises(DamagedError, match="missing"):
        load_snapshot(first, tmp_path, "me")
    model.advance(state, IDS[:10])
    second = save_snapshot(state, tmp_path, "me", first.stretches)
    assert same(load_snapshot(second, tmp_path, "me"), state)


def test_files_are_private_and_no_others(model: SoftmaxModel, tmp_path: Path) -> None:
    _, snapshot = saved(model, tmp_path, None)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert {file.name for file in tmp_path.iterdir()} > set(snapshot.files)
    assert not list(tmp_path.glob(".*"))


@settings(max_examples=150, deadline=None)
@given(window=st.sampled_from([None, 32]), file=st.integers(0, 2), place=st.floats(0, 1), bit=st.integers(0, 7))
def test_every_changed_byte_is_noticed_or_harmless(
    model: SoftmaxModel,
    tmp_path_factory: pytest.TempPathFactory,
    window: int | None,
    file: int,
    place: float,
    bit: int,
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    state, snapshot = saved(model, folder, window)
    path = folder / snapshot.files[file % len(snapshot.files)]
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 1 << bit
    path.write_bytes(data)
    damage = list(check_files([snapshot], folder))
    try:
        restored = load_snapshot(snapshot, folder, "me")
    except DamagedError:
        assert damage
    else:
        assert same(restored, state) and not damage


@settings(max_examples=30, deadline=None)
@given(file=st.integers(0, 2), share=st.floats(0, 0.999))
def test_a_file_cut_short_is_damaged(
    model: SoftmaxModel, tmp_path_factory: pytest.TempPathFactory, file: int, share: float
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    _, snapshot = saved(model, folder, None)
    path = folder / snapshot.files[file]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedError, match="damaged"):
        load_snapshot(snapshot, folder, "me")


def test_another_models_state_is_refused(model: SoftmaxModel, tmp_path: Path) -> None:
    _, snapshot = saved(model, tmp_path)
    with pytest.raises(DamagedError, match="another model"):
        load_snapshot(snapshot, tmp_path, "somebody else")


def test_a_name_is_a_checksum_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="sha256"):
        Snapshot(1, "", "../../etc/passwd")
    with pytest.raises(ValueError, match="sha256"):
        Stretch(1, "/" * 64)


@pytest.mark.parametrize("told", ["as it is", "by the library"])
def test_a_full_disk_leaves_the_last_snapshot(
    model: SoftmaxModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    state, snapshot = saved(model, tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    error = OSError(28, "No space left on device") if told == "as it is" else SafetensorError("No … (os error 28)")

    def full(tensors: object, file: Path, metadata: object) -> None:
        Path(file).write_bytes(b"half of it")
        raise error

    monkeypatch.setattr("mmxcli.state.saving.save_file", full)
    model.advance(state, IDS[:3])
    with pytest.raises(OSError, match="No space") as raised:
        save_snapshot(state, tmp_path, "me")
    assert raised.value.errno == 28
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert load_snapshot(snapshot, tmp_path, "me").position == snapshot.position


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


@pytest.mark.parametrize("kept", ["memory", "disk", "int8"])
@pytest.mark.parametrize("store", ["memory", "disk", "int8"])
def test_pages_are_kept_as_the_machine_at_hand_has_room(
    model: SoftmaxModel, tmp_path: Path, kept: str, store: str
) -> None:
    """But what was rounded stays so, and nothing is rounded that was not."""
    state = model.new_state(None, kept)
    model.advance(state, IDS[:100])
    restored = load_snapshot(save_snapshot(state, tmp_path, "me"), tmp_path, "me", store)
    rounded = kept == "int8"
    expected = "int8" if rounded else "memory" if store == "int8" else store
    assert {cast(PagedState, layer).store for layer in restored.layers} == {expected}
    assert same(restored, state)


MUTATIONS: tuple[Any, ...] = (None, -1, 2**70, 0.5, "", "x", "nan", [], {}, [[]], [-1], [2**70], {"a": {}})


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_header_that_mmx_never_wrote_is_damage_and_nothing_worse(
    model: SoftmaxModel, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Made by a stranger who knows how checksums are computed."""
    folder = tmp_path_factory.mktemp("strange")
    _, snapshot = saved(model, folder, data.draw(st.sampled_from([None, 32])))
    with safe_open(folder / snapshot.file, framework="pt") as file:
        header = json.loads(file.metadata()["mmx"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    places = [(header, key) for key in header] + [(layer, key) for layer in header["layers"][:1] for key in layer]
    places += [(layer["facts"], key) for layer in header["layers"][:1] for key in layer["facts"]]
    where, key = data.draw(st.sampled_from(places))
    where[key] = data.draw(st.sampled_from(MUTATIONS))
    for name in data.draw(st.lists(st.sampled_from(sorted(tensors)), max_size=1)) if tensors else []:
        tensors[name] = data.draw(st.sampled_from([torch.zeros(()), torch.zeros(1, dtype=torch.int64), torch.zeros(0)]))
    changed = replace(snapshot, sha256=_digest(header, tensors))
    save_file(tensors, folder / changed.file, metadata={"mmx": json.dumps(header)})
    with suppress(DamagedError):
        state = load_snapshot(changed, folder, "me")
        assert state.position == snapshot.position
