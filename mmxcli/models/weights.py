"""From what a person calls a model to a folder of its weights, fetched and converted where needed."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmxcli.errors import DamagedError, UsageError
from mmxcli.models.checkpoint import (
    MANIFEST,
    check_files,
    check_manifest,
    hashed,
    identity,
    write_manifest,
)
from mmxcli.models.files import OnProgress, Stored, clear_disk_errors, locked, private_folder
from mmxcli.models.registry import REGISTRY, Entry
from mmxcli.models.shards import check_values, shards
from mmxcli.models.small_files import read_json


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """A Hugging Face folder that is whole. `identity` says which model it is: see checkpoint.identity."""

    path: Path
    name: str
    identity: str


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that is here, and the bytes that it takes on the disk."""

    name: str
    path: Path
    bytes: int


def locate(
    name_or_path: str,
    weights_folder: Path,
    *,
    offline: bool = False,
    on_progress: OnProgress | None = None,
) -> WeightsFolder:
    """The weights of an embedded model, a Hugging Face folder, a GGUF file, or a hub name.

    What is fetched or converted stays in `weights_folder`. A folder is read where it is. Nothing is hashed
    twice: see checkpoint.hashed.
    Raises UsageError for a name that means nothing, ModelError for a model that cannot be used, DamagedError
    for a file that is not what it was.
    """
    cache = private_folder(weights_folder) / "hashes.json"
    path = Path(name_or_path).expanduser()
    with clear_disk_errors(weights_folder):
        if entry := REGISTRY.get(name_or_path):
            return _embedded(entry, weights_folder, offline, on_progress)
        if path.is_file():
            return _unpacked(path.resolve(), weights_folder, hashed([path], cache, on_progress)[path.name], on_progress)
        if name_or_path and path.is_dir():
            path, name = path.resolve(), path.resolve().name
        elif re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name_or_path):
            from mmxcli.models.hub import snapshot

            path = snapshot(name_or_path, weights_folder / "hub", offline=offline, on_progress=on_progress)
            name = name_or_path
        else:
            known = ", ".join(REGISTRY)
            raise UsageError(f"unknown model '{name_or_path}': use {known}, a folder, a GGUF file, or a hub's org/name")
        return WeightsFolder(path, name, identity(hashed(check_files(path), cache, on_progress)))


def installed(weights_folder: Path) -> list[Installed]:
    """The models in the folder, by name. Nothing is verified."""
    found = []
    for manifest in weights_folder.glob(f"[!.]*/{MANIFEST}"):
        folder = manifest.parent
        try:
            name = str(read_json(manifest).get("name", folder.name))
        except DamagedError:  # it takes its space all the same, and locate says what is wrong with it
            name = folder.name
        found.append(Installed(name, folder, _size(folder)))
    for folder in (weights_folder / "hub").glob("models--*--*"):
        found.append(Installed(folder.name.removeprefix("models--").replace("--", "/", 1), folder, _size(folder)))
    return sorted(found, key=lambda model: model.name)


def _embedded(entry: Entry, weights_folder: Path, offline: bool, on_progress: OnProgress | None) -> WeightsFolder:
    fetched = weights_folder / ".fetch"

    def get() -> tuple[Path, Stored]:
        from mmxcli.models.fetch import fetch

        path = fetch(entry, fetched, offline=offline, on_progress=on_progress)
        return path, Stored(entry.bytes, entry.sha256)

    made = _made(weights_folder / entry.name, entry.name, get, entry.tied, on_progress)
    (fetched / entry.file).unlink(missing_ok=True)
    return made


def _unpacked(path: Path, weights_folder: Path, source: Stored, on_progress: OnProgress | None) -> WeightsFolder:
    """A GGUF file, converted once. One whose bytes are those of an embedded model is that model."""
    for entry in REGISTRY.values():
        if entry.sha256 == source.sha256:
            return _made(weights_folder / entry.name, entry.name, lambda: (path, source), entry.tied, on_progress)
    folder = weights_folder / f"gguf-{source.sha256[:16]}"
    return _made(folder, path.stem, lambda: (path, source), False, on_progress)


def _made(
    folder: Path,
    name: str,
    get: Callable[[], tuple[Path, Stored]],
    tied: bool,
    on_progress: OnProgress | None,
) -> WeightsFolder:
    """The folder, converted from the GGUF file that `get` gives unless it is there: aside, then renamed."""
    if not (folder / MANIFEST).is_file():
        with locked(folder.with_name(f".{folder.name}.lock"), lambda: None):
            if not (folder / MANIFEST).is_file():
                if folder.exists():
                    raise DamagedError(f"{folder}: has no {MANIFEST}; remove it and get the model again")
                from mmxcli.models.convert import convert

                path, source = get()
                aside = folder.with_name(f".{folder.name}.converting")
                shutil.rmtree(aside, ignore_errors=True)
                try:
                    files = convert(path, private_folder(aside), tied=tied, on_progress=on_progress)
                    for shard in shards(aside):
                        check_values(shard)
                    write_manifest(aside, name, source, files)
                    check_manifest(aside)
                    aside.rename(folder)
                finally:
                    shutil.rmtree(aside, ignore_errors=True)
    return WeightsFolder(folder, name, identity(check_manifest(folder)))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
