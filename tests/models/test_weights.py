import errno
import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import tiny_gguf
from huggingface_hub import errors
from safetensors.numpy import save

from mmxcli.errors import DamagedError, MmxError, ModelError, UsageError
from mmxcli.models import checkpoint, files, weights
from mmxcli.models.registry import REGISTRY, Entry
from mmxcli.models.weights import WeightsFolder, failed_lately, installed, locate, locate_encoder
from mmxcli.state.files import sha256_of


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", "qwen2")


@pytest.fixture
def home(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder of a mmx that knows one model, "tiny", which was fetched and not yet converted."""
    content = tiny.read_bytes()
    entry = Entry("tiny", "t.gguf", len(content), hashlib.sha256(content).hexdigest(), "MIT", (), "")
    monkeypatch.setattr(weights, "REGISTRY", {"tiny": entry})
    (tmp_path / "home/.fetch").mkdir(parents=True)
    shutil.copy(tiny, tmp_path / "home/.fetch/t.gguf")
    return tmp_path / "home"


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    """A person's own Hugging Face folder."""
    copied = Path(shutil.copytree(locate("tiny", home).path, tmp_path / "own"))
    (copied / "manifest.json").unlink()
    return copied


def left(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir() if path.suffix != ".lock" and path.name != "hashes.json")


def test_an_embedded_model_is_converted_once(home: Path) -> None:
    seen: list[str] = []
    first = locate("tiny", home, on_progress=lambda stage, *_: seen.append(stage))
    assert (first.path, first.name) == (home / "tiny", "tiny")
    assert list(dict.fromkeys(seen)) == ["fetch", "convert"]
    assert left(home) == [".fetch", "tiny"]
    assert not list((home / ".fetch").glob("*.gguf"))
    seen.clear()
    assert locate("tiny", home, offline=True, on_progress=lambda stage, *_: seen.append(stage)) == first
    assert seen == []
    (found,) = installed(home)
    assert (found.name, found.path) == ("tiny", home / "tiny")
    assert found.bytes == sum(file.stat().st_size for file in (home / "tiny").iterdir())


def test_the_manifest_says_what_it_was_made_of(home: Path, tiny: Path) -> None:
    manifest = json.loads((locate("tiny", home).path / "manifest.json").read_text())
    assert manifest["source"]["sha256"] == hashlib.sha256(tiny.read_bytes()).hexdigest()
    for name, stored in manifest["files"].items():
        assert stored["sha256"] == hashlib.sha256((home / "tiny" / name).read_bytes()).hexdigest()


def test_offline_without_weights_names_the_command(home: Path) -> None:
    (home / ".fetch/t.gguf").unlink()
    with pytest.raises(ModelError, match="mmx models pull tiny"):
        locate("tiny", home, offline=True)
    assert installed(home) == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def swap(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


@pytest.mark.parametrize("harm", [cut, swap, Path.unlink])
@pytest.mark.parametrize("name", ["model-00001-of-00001.safetensors", "tokenizer.json", "manifest.json"])
def test_damage_is_seen_at_the_start(home: Path, harm: Callable[[Path], None], name: str) -> None:
    locate("tiny", home)
    harm(home / "tiny" / name)
    if (name, harm) == ("model-00001-of-00001.safetensors", swap):
        return  # of a shard only the size is looked at: hashing gigabytes would take longer than loading them
    with pytest.raises(DamagedError, match=name) as caught:
        locate("tiny", home)
    assert caught.value.exit_code == 5


def test_ctrl_c_while_converting_leaves_nothing_half_made(home: Path) -> None:
    def interrupt(stage: str, *_: Any) -> None:
        if stage == "convert":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locate("tiny", home, on_progress=interrupt)
    assert left(home) == [".fetch"]
    assert locate("tiny", home, offline=True).path == home / "tiny"


def test_a_full_disk_leaves_nothing_half_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full)
        with pytest.raises(ModelError, match="the disk is full"):
            locate("tiny", home)
    assert left(home) == [".fetch"]
    assert locate("tiny", home, offline=True).path == home / "tiny"


def test_two_at_once_convert_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(locate, "tiny", home, on_progress=lambda stage, *_: made.append(stage)) for _ in range(3)]
    assert len({task.result() for task in tasks}) == 1
    assert left(home) == [".fetch", "tiny"]
    manifest = json.loads((home / "tiny/manifest.json").read_text())
    assert manifest["files"].keys() | {"manifest.json"} == {file.name for file in (home / "tiny").iterdir()}


def test_a_folder_that_is_in_the_way_is_not_touched(home: Path) -> None:
    (home / "tiny").mkdir()
    (home / "tiny/thesis.txt").write_text("precious")
    with pytest.raises(DamagedError, match=r"has no manifest\.json"):
        locate("tiny", home)
    assert (home / "tiny/thesis.txt").read_text() == "precious"


def test_a_gguf_file_is_converted_once(home: Path, tmp_path: Path) -> None:
    path = tiny_gguf.write(tmp_path / "other.gguf", "llama")
    first = locate(str(path), home)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (first.path, first.name) == (home / f"gguf-{digest[:16]}", "other")
    assert path.is_file()
    assert [model.name for model in installed(home)] == ["other"]
    path.rename(tmp_path / "renamed.gguf")
    seen: list[str] = []
    again = locate(str(tmp_path / "renamed.gguf"), home, on_progress=lambda stage, *_: seen.append(stage))
    assert (again.path, again.identity) == (first.path, first.identity)
    assert "convert" not in seen


def test_a_gguf_file_with_the_bytes_of_an_embedded_model_is_that_model(home: Path, tiny: Path) -> None:
    assert locate(str(tiny), home).name == "tiny"
    assert locate("tiny", home, offline=True).path == home / "tiny"
    assert tiny.is_file()


def test_a_file_that_is_no_gguf_is_one_clear_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a model, though somewhat longer than a header")
    with pytest.raises(DamagedError, match=r"notes\.txt: not a GGUF file"):
        locate(str(tmp_path / "notes.txt"), home)
    assert left(home) == [".fetch"]


def test_a_folder_is_the_model_that_it_holds_wherever_it_lies(home: Path, folder: Path) -> None:
    embedded = locate("tiny", home)
    own = locate(str(folder), home)
    assert own == WeightsFolder(folder, "own", embedded.identity)
    moved = folder.rename(folder.with_name("moved"))
    (moved / "generation_config.json").unlink()
    assert locate(str(moved), home).identity == embedded.identity


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "shard"])
def test_another_content_is_another_model(home: Path, folder: Path, name: str) -> None:
    before = locate(str(folder), home).identity
    path = folder / ("model-00001-of-00001.safetensors" if name == "shard" else name)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!" if name == "shard" else content + b" ")
    assert locate(str(folder), home).identity != before


def test_nothing_is_hashed_twice(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    seen: list[tuple[Any, ...]] = []

    def counted(path: Path) -> str:
        hashed.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(checkpoint, "sha256_of", counted)
    first = locate(str(folder), home, on_progress=lambda *event: seen.append(event))
    assert "model-00001-of-00001.safetensors" in hashed
    assert (seen[-1][0], seen[-1][1]) == ("check", seen[-1][2])
    hashed.clear()
    assert locate(str(folder), home) == first
    assert hashed == []


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def only_pickle(folder: Path) -> None:
    for name in ("model-00001-of-00001.safetensors", "model.safetensors.index.json"):
        (folder / name).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")


def only_config(folder: Path) -> None:
    only_pickle(folder)
    (folder / "pytorch_model.bin").unlink()


def index_outside(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../own/tokenizer.json"}}')


def index_of_nothing(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": []}')


def config_cut(folder: Path) -> None:
    cut(folder / "config.json")


def config_list(folder: Path) -> None:
    (folder / "config.json").write_text("[1]")


def config_deep(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 200_000)


def shard_cut(folder: Path) -> None:
    cut(folder / "model-00001-of-00001.safetensors")


def shard_swapped(folder: Path) -> None:
    swap(folder / "model-00001-of-00001.safetensors")


def shard_empty(folder: Path) -> None:
    (folder / "model-00001-of-00001.safetensors").write_bytes(b"")


SHARD = "model-00001-of-00001.safetensors"
BROKEN: list[tuple[Callable[[Path], None], type[MmxError], str]] = [
    (without("config.json"), ModelError, "has no config.json"),
    (without("tokenizer.json"), ModelError, "has no tokenizer.json"),
    (without(SHARD), ModelError, f"{SHARD}, which model.safetensors.index.json lists, is missing"),
    (only_pickle, ModelError, "pytorch_model.bin is a pickle"),
    (only_config, ModelError, "has no weights"),
    (index_outside, DamagedError, "tokenizer.json', which is no safetensors file beside it"),
    (index_of_nothing, DamagedError, "index.json: lists no weights"),
    (config_cut, DamagedError, "config.json: is not valid JSON"),
    (config_list, DamagedError, "config.json: is not valid JSON"),
    (config_deep, DamagedError, "config.json: is not valid JSON"),
    (shard_cut, DamagedError, f"{SHARD}: is not a whole"),
    (shard_swapped, DamagedError, f"{SHARD}: is not a whole"),
    (shard_empty, DamagedError, f"{SHARD}: is not a whole"),
]


@pytest.mark.parametrize(("harm", "kind", "said"), BROKEN, ids=[said for _, _, said in BROKEN])
def test_a_broken_folder_is_one_clear_line(
    home: Path, folder: Path, harm: Callable[[Path], None], kind: type[MmxError], said: str
) -> None:
    harm(folder)
    with pytest.raises(kind, match=said) as caught:
        locate(str(folder), home)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gpt-9", "./nowhere", "/nowhere/at/all", "a/b/c", "", "../tiny", "nowhere.gguf"])
def test_an_unknown_name_lists_the_known_ones(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(weights, "REGISTRY", REGISTRY)
    with pytest.raises(UsageError, match=", ".join(map(re.escape, REGISTRY))):
        locate(name, home)


class Hub:
    """Stands for huggingface_hub.snapshot_download: nothing is here until it was downloaded."""

    def __init__(self, folder: Path, error: Exception | None = None) -> None:
        self.folder, self.error, self.downloads = folder, error, 0

    def __call__(self, name: str = "", /, **options: Any) -> Any:
        if options.get("local_files_only"):
            if self.downloads and options["cache_dir"]:
                return str(self.folder)
            raise errors.LocalEntryNotFoundError("not here")
        if self.error:
            raise self.error
        assert options["allow_patterns"] == ["*.safetensors", "*.json", "*.jinja"]
        if options.get("dry_run"):
            return []
        self.downloads += 1
        return str(self.folder)


def test_a_hub_name_is_downloaded_once(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(folder)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    with pytest.raises(ModelError, match="mmx models pull someone/model"):
        locate("someone/model", home, offline=True)
    found = locate("someone/model", home)
    assert found == WeightsFolder(folder, "someone/model", locate("tiny", home).identity)
    assert locate("someone/model", home, offline=True) == found
    assert hub.downloads == 1


HUB_ERRORS = [
    (errors.LocalEntryNotFoundError("no route\nto the hub"), r"cannot be downloaded from the hub \(no route\)"),
    (ConnectionError("reset"), r"cannot be downloaded from the hub \(reset\)"),
]


@pytest.mark.parametrize(("error", "said"), HUB_ERRORS, ids=["unreachable", "broken"])
def test_a_hub_that_does_not_give_it(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", Hub(folder, error))
    with pytest.raises(ModelError, match=said) as caught:
        locate("someone/model", home)
    assert "\n" not in str(caught.value)


WEIGHTS = save({"a": np.ones(3, np.float32)})


@pytest.fixture
def zipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder into which a ZIP with a sentence encoder was fetched."""
    path = tmp_path / "weights/.fetch/encoder.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("config.json", "tokenizer.json", "1_Pooling/config.json", "../elsewhere.json"):
            archive.writestr(name, name.encode())
        archive.writestr("model.safetensors", WEIGHTS)
    content = path.read_bytes()
    entry = Entry("encoder", "encoder.zip", len(content), hashlib.sha256(content).hexdigest(), "MIT", (), "")
    monkeypatch.setattr(weights, "SENTENCE_ENCODER", entry)
    return tmp_path / "weights"


def test_the_encoder_is_unpacked_once_and_is_no_model_to_read_with(zipped: Path) -> None:
    folder = locate_encoder(zipped)
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "tokenizer.json", "model.safetensors", "manifest.json"}
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    assert not list(zipped.rglob("elsewhere*")) and not list(zipped.rglob("*.zip"))
    assert locate_encoder(zipped, offline=True) == folder
    assert not installed(zipped)
    with pytest.raises(UsageError):
        locate("encoder", zipped)
    (folder / "config.json").write_text("{}")
    with pytest.raises(DamagedError, match=r"config\.json: is missing or damaged"):
        locate_encoder(zipped)


def test_an_encoder_that_cannot_be_had_is_not_asked_for_again_the_same_day(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mmx models pull all-minilm-l6-v2"):
        locate_encoder(tmp_path, offline=True)
    assert not failed_lately(tmp_path)
    with pytest.raises(ModelError, match="cannot be fetched"):
        locate_encoder(tmp_path)
    assert failed_lately(tmp_path)
    marker = tmp_path / "encoders/.failed"
    os.utime(marker, (0, 0))
    assert not failed_lately(tmp_path)
