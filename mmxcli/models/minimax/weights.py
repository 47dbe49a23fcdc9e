"""The tensors of a MiniMax checkpoint, mapped from its safetensors files and checked before any is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.checkpoint import read_json
from mmxcli.models.minimax.config import MiniMaxConfig
from mmxcli.models.minimax.names import DERIVED, Shape, Spelling, expected, spellings

INDEX = "model.safetensors.index.json"
DTYPES = ("F32", "BF16", "F16")


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of a tensor in it."""

    path: Path
    shape: Shape
    dtype: str


def read_weights(folder: Path, config: MiniMaxConfig) -> dict[str, Tensor]:
    """All tensors that the model needs, by their original names, in the dtypes they are stored in.

    They stay mapped from their files: the system reads an expert's pages when a token first needs it, and may
    drop them again. Raises DamagedError naming file and tensor where a file is missing or cut short and where a
    tensor is missing or has another shape than config.json says, ModelError for tensors that the model has no
    use for: they would mean another model.
    """
    headers = read_headers(folder)
    found = {name: _find(name, shape, headers, config, folder) for name, shape in expected(config)}
    used = {spelling.name for spelling in found.values()}
    unknown = (name for name in headers if name not in used and not DERIVED.search(name) and name != "lm_head.weight")
    for name in unknown:
        raise ModelError(
            f"{headers[name].path}: {name!r} is no tensor of MiniMax-Text-01 or M1: mmx cannot run this model"
        )
    stored: dict[str, Tensor] = {}
    for path in sorted({headers[name].path for name in used}):
        with _opened(path) as shard:
            stored |= {name: shard.get_tensor(name) for name in shard.keys() if name in used}  # noqa: SIM118
    return {name: stored[spelling.name][spelling.part] for name, spelling in found.items()}


def read_headers(folder: Path) -> dict[str, Header]:
    """Every tensor in the folder's files, by the name it is stored under. Reads no contents."""
    promised = _promised(folder)
    headers: dict[str, Header] = {}
    for path, names in promised.items():
        with _opened(path) as shard:
            for name in shard.keys():  # noqa: SIM118 - a safetensors handle is not a mapping
                if name in headers:
                    raise DamagedError(f"{path}: {name!r} is in {headers[name].path.name} too; get the model again")
                tensor = shard.get_slice(name)
                headers[name] = Header(path, tuple(tensor.get_shape()), str(tensor.get_dtype()))
        for name in names:
            if name not in headers:
                raise DamagedError(f"{path}: lacks {name!r}, which {INDEX} says is in it; get the model again")
    return headers


def _promised(folder: Path) -> dict[Path, list[str]]:
    """The weight files, each with the tensors that the index says are in it."""
    index = folder / INDEX
    if not index.is_file():
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            raise ModelError(f"{folder}: has no weights (*.safetensors), and mmx loads no pickles; get the model again")
        return {path: [] for path in files}
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise DamagedError(f"{index}: lists no weights; get the model again")
    promised: dict[Path, list[str]] = {}
    for name, file in places.items():
        path = folder / f"{file}"
        if path.parent != folder or not path.is_file():
            raise DamagedError(
                f"{folder}: {file!r} is missing, and {INDEX} says that {name!r} is in it; get the model again"
            )
        promised.setdefault(path, []).append(name)
    return promised


def _find(name: str, shape: Shape, headers: dict[str, Header], config: MiniMaxConfig, folder: Path) -> Spelling:
    """The spelling under which a tensor is there, in the right shape and a dtype that can be multiplied."""
    for spelling in spellings(name, shape, config.experts):
        header = headers.get(spelling.name)
        if header is None:
            continue
        if header.shape != spelling.shape:
            raise DamagedError(
                f"{header.path}: {spelling.name} is {header.shape}, but config.json makes it {spelling.shape}; "
                "get the model again"
            )
        if header.dtype not in DTYPES:
            raise ModelError(f"{header.path}: {spelling.name} is in {header.dtype}, which mmx does not run")
        return spelling
    raise DamagedError(f"{folder}: {name} is in none of the weight files; get the model again")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A safetensors file. Raises DamagedError when it is cut short or none."""
    try:
        with safe_open(path, framework="pt") as shard:
            yield shard
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedError(f"{path}: is not a whole safetensors file ({error}); get the model again") from None
