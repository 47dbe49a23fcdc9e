"""A Hugging Face folder: whether it is whole, and which model it is."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.files import OnProgress, Stored, sha256_of, write

MANIFEST = "manifest.json"
_INDEX = "model.safetensors.index.json"
_NEEDED = ("config.json", "tokenizer.json")
_OPTIONAL = ("tokenizer_config.json", "chat_template.jinja")
_JSON_BYTES = 64 << 20  # far more than any tokenizer or index has


def identity(files: Mapping[str, Stored]) -> str:
    """Which model these files are, as a hex digest.

    It covers the name, the size and the content's sha256 of config.json, tokenizer.json,
    tokenizer_config.json and chat_template.jinja where there are any, and every safetensors shard. Where the
    folder lies and how the files were made plays no part.
    """
    named = (*_NEEDED, *_OPTIONAL)
    covered = sorted(
        (name, stored.bytes, stored.sha256)
        for name, stored in files.items()
        if name in named or name.endswith(".safetensors")
    )
    return hashlib.sha256(json.dumps(covered).encode()).hexdigest()


def check_files(folder: Path) -> list[Path]:
    """The files that `identity` covers, each there and not cut short; nothing is hashed.

    Raises ModelError naming the file that is missing, DamagedError naming the one that is cut short.
    """
    for name in _NEEDED:
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: has no {name}, so it is not a model folder that mmx can use")
        read_json(folder / name)
    shards = _shards(folder)
    for shard in shards:
        _check_shard(shard)
    return [folder / name for name in (*_NEEDED, *_OPTIONAL) if (folder / name).is_file()] + shards


def check_manifest(folder: Path) -> dict[str, Stored]:
    """The files that manifest.json lists, by name: sizes are compared for all, contents for the small ones.

    Raises DamagedError naming the file that is missing or differs.
    """
    manifest = read_json(folder / MANIFEST)
    try:
        files = {str(name): Stored(**stored) for name, stored in manifest["files"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{folder / MANIFEST}: is damaged; remove {folder} and get the model again") from error
    for name, stored in files.items():
        path = folder / name
        whole = path.is_file() and path.stat().st_size == stored.bytes
        if not whole or (not name.endswith(".safetensors") and sha256_of(path) != stored.sha256):
            raise DamagedError(f"{path}: is missing or damaged; remove {folder} and get the model again")
    return files


def write_manifest(folder: Path, name: str, source: Stored, files: Mapping[str, Stored]) -> None:
    """Record what the folder holds and the GGUF file that it was made of. Raises OSError."""
    manifest = {
        "name": name,
        "source": asdict(source),
        "files": {file: asdict(stored) for file, stored in files.items()},
    }
    write(folder / MANIFEST, [json.dumps(manifest, indent=2).encode()])


def hashed(paths: Iterable[Path], cache: Path, on_progress: OnProgress | None = None) -> dict[str, Stored]:
    """Size and sha256 of each file, by its name. What was hashed before, and has kept its inode, its size and
    the time of its last change, is looked up in `cache`, a JSON file that is kept up to date here."""
    marks = {path: _mark(path) for path in paths}
    known = read_json(cache) if cache.is_file() else {}
    new = {path: mark for path, mark in marks.items() if mark not in known}
    done, total = 0, sum(path.stat().st_size for path in new)
    for path, mark in new.items():
        known[mark] = sha256_of(path)
        done += path.stat().st_size
        if on_progress:
            on_progress("check", done, total, "bytes")
    if new:
        write(cache, [json.dumps(known, indent=2).encode()])
    return {path.name: Stored(path.stat().st_size, str(known[mark])) for path, mark in marks.items()}


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises DamagedError when it holds none."""
    try:
        if path.stat().st_size > _JSON_BYTES:
            raise ValueError(f"larger than {_JSON_BYTES} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: is not valid JSON ({error}); get the model again") from error
    return content


def _shards(folder: Path) -> list[Path]:
    if (folder / _INDEX).is_file():
        index = read_json(folder / _INDEX).get("weight_map")
        if not isinstance(index, dict) or not index:
            raise DamagedError(f"{folder / _INDEX}: lists no weights; get the model again")
        names = sorted({str(name) for name in index.values()})
        for name in names:
            if Path(name).name != name or not (folder / name).is_file():
                raise ModelError(f"{folder}: {name}, which {_INDEX} lists, is missing; get the model again")
        return [folder / name for name in names]
    if shards := sorted(folder.glob("*.safetensors")):
        return shards
    pickles = sorted(path.name for kind in ("*.bin", "*.pt", "*.pth") for path in folder.glob(kind))
    if pickles:
        raise ModelError(f"{folder}: {pickles[0]} is a pickle, which mmx never loads; use a safetensors version")
    raise ModelError(f"{folder}: has no weights (*.safetensors); get the model again")


def _check_shard(path: Path) -> None:
    """Compare the length of a safetensors file with what its header announces."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        text = file.read(length) if 0 < length <= min(_JSON_BYTES, size) else b""
    try:
        header = json.loads(text)
        end = max((tensor["data_offsets"][1] for key, tensor in header.items() if key != "__metadata__"), default=0)
        whole = size == 8 + length + end
    except (ValueError, RecursionError, AttributeError, KeyError, IndexError, TypeError):
        whole = False
    if not whole:
        raise DamagedError(f"{path}: is not a whole safetensors file; get the model again")


def _mark(path: Path) -> str:
    facts = path.stat()
    return f"{path.resolve()}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"
