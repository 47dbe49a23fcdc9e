"""A Hugging Face folder: whether it is whole, and which model it is."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.files import OnProgress, Stored, write
from mmxcli.models.shards import check_values, read_headers, shards
from mmxcli.models.small_files import is_plain, read_json
from mmxcli.state.files import sha256_of

MANIFEST = "manifest.json"
_NEEDED = ("config.json", "tokenizer.json")
_OPTIONAL = ("tokenizer_config.json", "chat_template.jinja")


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
    """The files that `identity` covers, each there, not cut short, and true to what the others say; nothing is hashed.

    Raises ModelError naming the file that is missing, DamagedError naming the one that is damaged.
    """
    small = {}
    for name in _NEEDED:
        try:
            small[name] = read_json(folder / name)
        except FileNotFoundError:
            raise ModelError(f"{folder}: has no {name}, so it is not a model folder that mmx can use") from None
    read_headers(folder)
    rows, largest = vocabulary_size(small["config.json"]), _largest_id(small["tokenizer.json"])
    if rows is not None and largest >= rows:
        raise DamagedError(
            f"{folder / 'tokenizer.json'}: has the token {largest}, but config.json makes {rows} of them; "
            "get the model again"
        )
    return [folder / name for name in (*_NEEDED, *_OPTIONAL) if is_plain(folder / name)] + sorted(shards(folder))


def vocabulary_size(config: Mapping[str, Any]) -> int | None:
    """How many tokens a config.json says the model knows; None where it says nothing that makes sense."""
    text = config.get("text_config")
    found = (text if isinstance(text, dict) else config).get("vocab_size")
    return found if type(found) is int else None


def _largest_id(tokenizer: Mapping[str, Any]) -> int:
    """The largest id that a text can be given, control tokens aside; -1 where it cannot be told."""
    model = tokenizer.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        return max((number for number in vocabulary.values() if isinstance(number, int)), default=-1)
    return len(vocabulary) - 1 if isinstance(vocabulary, list) else -1


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
    """Size and sha256 of each file, by its name, and every number of the weights looked at. What was hashed before,
    and has kept its inode, its size and the time of its last change, is looked up in `cache`, a JSON file that is
    kept up to date here. Raises DamagedError naming a tensor with NaN or infinite values."""
    marks = {path: _mark(path) for path in paths}
    known = read_json(cache) if cache.is_file() else {}
    new = {path: mark for path, mark in marks.items() if mark not in known}
    done, total = 0, sum(path.stat().st_size for path in new)
    for path, mark in new.items():
        if path.suffix == ".safetensors":
            check_values(path)
        known[mark] = sha256_of(path)
        done += path.stat().st_size
        if on_progress:
            on_progress("check", done, total, "bytes")
    if new:
        write(cache, [json.dumps(known, indent=2).encode()])
    return {path.name: Stored(path.stat().st_size, str(known[mark])) for path, mark in marks.items()}


def _mark(path: Path) -> str:
    facts = path.stat()
    return f"{path.resolve()}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"
