"""From what a person calls a model to a folder of its weights, fetched and converted where needed."""

import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmxcli.errors import DamagedError, ModelError, UsageError
from mmxcli.models.checkpoint import (
    MANIFEST,
    check_files,
    check_manifest,
    hashed,
    identity,
    write_manifest,
)
from mmxcli.models.files import OnProgress, Stored, clear_disk_errors, locked, private_folder, write
from mmxcli.models.registry import REGISTRY, SENTENCE_ENCODER, Entry
from mmxcli.models.shards import WHOLE, check_values, shards
from mmxcli.models.small_files import read_json

_DAY = 86_400.0  # seconds
Make = Callable[[Path, Path], dict[str, Stored]]  # from one file to a folder's files


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
            make = _converter(entry.tied, on_progress)
            return _embedded(entry, weights_folder, weights_folder / entry.name, make, offline, on_progress)
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


def locate_encoder(weights_folder: Path, *, offline: bool = False, on_progress: OnProgress | None = None) -> Path:
    """The folder of the sentence encoder, fetched where needed. It lies a floor below the models, and is none of them.

    Raises ModelError where it is not here and cannot be had, DamagedError for a file that is not what it was.
    """
    folder = encoder_folder(weights_folder)
    with clear_disk_errors(weights_folder):
        private_folder(weights_folder)
        failed = _failed(private_folder(folder.parent))
        try:
            found = _embedded(SENTENCE_ENCODER, weights_folder, folder, _unzipped, offline, on_progress)
        except (ModelError, DamagedError):
            if not offline:
                failed.touch(0o600)
            raise
        failed.unlink(missing_ok=True)
        return found.path


def encoder_folder(weights_folder: Path) -> Path:
    """Where the sentence encoder is, or will be."""
    return weights_folder / "encoders" / SENTENCE_ENCODER.name


def failed_lately(weights_folder: Path) -> bool:
    """Whether it could not be had within the last day: no question should wait for that again."""
    with suppress(OSError):
        return time.time() - _failed(encoder_folder(weights_folder).parent).stat().st_mtime < _DAY
    return False


def _failed(encoders: Path) -> Path:
    return encoders / ".failed"


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


def _embedded(
    entry: Entry, weights_folder: Path, folder: Path, make: Make, offline: bool, on_progress: OnProgress | None
) -> WeightsFolder:
    fetched = weights_folder / ".fetch"

    def get() -> tuple[Path, Stored]:
        from mmxcli.models.fetch import fetch

        path = fetch(entry, fetched, offline=offline, on_progress=on_progress)
        return path, Stored(entry.bytes, entry.sha256)

    made = _made(folder, entry.name, get, make)
    (fetched / entry.file).unlink(missing_ok=True)
    return made


def _unpacked(path: Path, weights_folder: Path, source: Stored, on_progress: OnProgress | None) -> WeightsFolder:
    """A GGUF file, converted once. One whose bytes are those of an embedded model is that model."""
    for entry in REGISTRY.values():
        if entry.sha256 == source.sha256:
            make = _converter(entry.tied, on_progress)
            return _made(weights_folder / entry.name, entry.name, lambda: (path, source), make)
    folder = weights_folder / f"gguf-{source.sha256[:16]}"
    return _made(folder, path.stem, lambda: (path, source), _converter(False, on_progress))


def _converter(tied: bool, on_progress: OnProgress | None) -> Make:
    def make(path: Path, folder: Path) -> dict[str, Stored]:
        from mmxcli.models.convert import convert

        return convert(path, folder, tied=tied, on_progress=on_progress)

    return make


def _unzipped(path: Path, folder: Path) -> dict[str, Stored]:
    """What mmx reads of a ZIP whose hash is known."""
    with zipfile.ZipFile(path) as archive:

        def pieces(name: str) -> Iterator[bytes]:
            with archive.open(name) as member:
                yield from iter(lambda: member.read(1 << 20), b"")

        return {name: write(folder / name, pieces(name)) for name in ("config.json", "tokenizer.json", WHOLE)}


def _made(folder: Path, name: str, get: Callable[[], tuple[Path, Stored]], make: Make) -> WeightsFolder:
    """The folder, made of the file that `get` gives unless it is there: aside, then renamed."""
    if not (folder / MANIFEST).is_file():
        with locked(folder.with_name(f".{folder.name}.lock"), lambda: None):
            if not (folder / MANIFEST).is_file():
                if folder.exists():
                    raise DamagedError(f"{folder}: has no {MANIFEST}; remove it and get the model again")
                path, source = get()
                aside = folder.with_name(f".{folder.name}.converting")
                shutil.rmtree(aside, ignore_errors=True)
                try:
                    files = make(path, private_folder(aside))
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
