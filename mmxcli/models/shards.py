"""The safetensors files of a checkpoint: what their headers say, held against the bytes that are there, and the
tensors mapped from them. Nothing here trusts a file, and nothing is unpickled."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.small_files import is_plain, once, read_json, shown

if TYPE_CHECKING:
    from torch import Tensor

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"  # the one file of a model that is not cut into shards
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
# Far more than any shard has. The format allows 100 MB, which would take a gigabyte to parse.
HEADER_BYTES = 16 << 20
NAME_LENGTH = 500
SHARD = re.compile(r"[^/\\\0]{1,240}\.safetensors")
FLOATS = ("F32", "BF16", "F16")  # what mmx multiplies
BYTES = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("BF16", "F16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
}
EXPONENTS = {"F64": 0x7FF << 52, "F32": 0x7F800000, "BF16": 0x7F80, "F16": 0x7C00}  # all set: infinite, or no number
BLOCK = 1 << 20  # numbers looked at in one piece
# Angles that old checkpoints carry, and that are computed from config.json.
DERIVED = re.compile(r"(^|\.)rotary_emb\.(inv_freq|cos_cached|sin_cached)$")
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how torch.save and pickle begin


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of a tensor in it; `start` and `bytes` tell where in the file it lies."""

    path: Path
    shape: tuple[int, ...]
    dtype: str
    start: int
    bytes: int


def read_headers(folder: Path) -> dict[str, Header]:
    """Every tensor in the folder's files, by the name it is stored under. Reads no contents.

    Raises ModelError where a file is missing or is a pickle, DamagedError for an index or a header that is not true.
    """
    headers: dict[str, Header] = {}
    for path, names in shards(folder).items():
        for name, header in read_header(path).items():
            if name in headers:
                raise DamagedError(f"{path}: {name} is in {headers[name].path.name} too; get the model again")
            headers[name] = header
        for name in names:
            if name not in headers or headers[name].path != path:
                raise DamagedError(f"{path}: lacks {shown(name)}, which {INDEX} says is in it; get the model again")
    return headers


def shards(folder: Path) -> dict[Path, list[str]]:
    """The files of weights, each with the tensors that the index says are in it. Raises as `read_headers` does."""
    index = folder / INDEX
    try:
        places = read_json(index).get("weight_map")
    except FileNotFoundError:
        return {path: [] for path in _without_index(folder)}
    if not isinstance(places, dict) or not places:
        raise DamagedError(f"{index}: lists no weights; get the model again")
    promised: dict[Path, list[str]] = {}
    for name, file in places.items():
        if not isinstance(file, str) or not file.isprintable() or not SHARD.fullmatch(file):
            where = f"{shown(name)} is in {shown(file)}, which is no safetensors file beside it"
            raise DamagedError(f"{index}: says that {where}; get the model again")
        promised.setdefault(folder / file, []).append(name)
    for path in promised:
        if not is_plain(path):
            raise ModelError(f"{folder}: {path.name}, which {INDEX} lists, is missing; get the model again")
    return promised


def _without_index(folder: Path) -> list[Path]:
    whole = folder / WHOLE
    found = [whole] if is_plain(whole) else sorted(filter(is_plain, folder.glob("*.safetensors")))
    pickles = sorted(path.name for kind in ("*.bin", "*.pt", "*.pth") for path in folder.glob(kind))
    if not found and pickles:
        raise ModelError(f"{folder}: {pickles[0]} is a pickle, which mmx never loads; use a safetensors version")
    if not found:
        raise ModelError(f"{folder}: has no weights (*.safetensors); get the model again")
    return found


def read_header(path: Path) -> dict[str, Header]:
    """The tensors of one file, whose bytes follow each other from the header to the end of the file, as the format
    wants it. Raises DamagedError where they do not, ModelError for a pickle under this name."""
    try:
        with path.open("rb") as file:
            size, first = path.stat().st_size, file.read(8)
            length = int.from_bytes(first, "little")
            if first.startswith(PICKLES):
                raise ModelError(f"{path}: is a pickle, which mmx never loads; use a safetensors version")
            if length > min(size - 8, HEADER_BYTES):
                raise _not_whole(path, f"a header of {length} bytes, in a file of {size}")
            text = file.read(length)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None
    try:
        described = json.loads(text, object_pairs_hook=once)
        if not isinstance(described, dict):
            raise ValueError("not an object")
        tensors = {name: said for name, said in described.items() if name != "__metadata__"}
        headers = {name: _header(path, name, said, 8 + length) for name, said in tensors.items()}
    except (ValueError, RecursionError) as error:
        raise _not_whole(path, f"its header: {error}"[:NAME_LENGTH]) from None
    end = 8 + length
    for name, header in sorted(headers.items(), key=lambda item: (item[1].start, item[1].bytes)):
        if header.start != end:
            raise _not_whole(path, f"{name} begins at byte {header.start}, and what is before it ends at {end}")
        end += header.bytes
    if end != size:
        raise _not_whole(path, f"{size} bytes where its header makes {end}")
    return headers


def described(headers: Mapping[str, Header]) -> bytes:
    """How a safetensors file with these tensors, in this order, begins: the length of its header, and the header."""
    said: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, header in headers.items():
        start, end = end, end + header.bytes
        said[name] = {"dtype": header.dtype, "shape": header.shape, "data_offsets": [start, end]}
    text = json.dumps(said).encode()
    text += b" " * (-len(text) % 8)  # the format asks for tensors at multiples of 8
    return len(text).to_bytes(8, "little") + text


def _header(path: Path, name: str, said: Any, offset: int) -> Header:
    """Raises ValueError for what describes no tensor."""
    if not name.isprintable() or len(name) > NAME_LENGTH:
        raise ValueError(f"a tensor is called {shown(name)}")
    match said:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, stop]}:
            numbers = [start, stop, *shape]
        case _:
            raise ValueError(f"{name} is {shown(said)}")
    if any(type(number) is not int or not 0 <= number < 1 << 63 for number in numbers) or start > stop:
        raise ValueError(f"{name} has the shape {shown(shape)} at {shown(start)} to {shown(stop)}")
    if dtype in BYTES and prod(shape) * BYTES[dtype] != stop - start:
        raise ValueError(f"{name} has the shape {shape} in {dtype}, and takes {stop - start} bytes")
    return Header(path, tuple(shape), dtype, offset + start, stop - start)


def _not_whole(path: Path, why: str) -> DamagedError:
    return DamagedError(f"{path}: is not a whole safetensors file ({why}); get the model again")


def fitting(headers: Mapping[str, Header], name: str, shape: tuple[int, ...]) -> Header | None:
    """The tensor of this name; None where there is none. Raises DamagedError where it has another shape than
    config.json makes it, ModelError where it is in a dtype that mmx does not multiply."""
    header = headers.get(name)
    if header is None:
        return None
    if header.shape != shape:
        raise misshapen(header.path, name, header.shape, shape)
    check_dtype(name, header)
    return header


def check_dtype(name: str, header: Header) -> None:
    """Raises ModelError for a tensor in a dtype that mmx does not multiply."""
    if header.dtype not in FLOATS:
        raise ModelError(f"{header.path}: {name} is in {shown(header.dtype)}; mmx runs weights in {', '.join(FLOATS)}")


def misshapen(place: Path, name: str, there: tuple[int, ...], wanted: tuple[int, ...]) -> DamagedError:
    """The error for a tensor of another shape than the config makes it."""
    return DamagedError(f"{place}: {name} is {there}, but config.json makes it {wanted}; get the model again")


def lacking(folder: Path, name: str) -> DamagedError:
    """The error for a tensor that is not there."""
    return DamagedError(f"{folder}: {name} is in none of the weight files; get the model again")


def check_used(
    headers: Mapping[str, Header], used: Collection[str], family: str, derived: re.Pattern[str] = DERIVED
) -> None:
    """Raises ModelError for a tensor that is not `used`, unless it can be `derived`: it would mean another model than
    the one that is computed. A head that is not used is taken for a second copy of the embedding (`check_copies`)."""
    for name, header in headers.items():
        copied = name == HEAD and EMBEDDING in headers
        if name not in used and not derived.search(name) and not copied:
            raise strange(header.path, name, family)


def check_copies(headers: Mapping[str, Header], used: Collection[str]) -> None:
    """Raises DamagedError for a head that is not `used`, and is no copy of the embedding that stands for it."""
    if HEAD in headers and HEAD not in used and not _alike(*mapped(headers, (HEAD, EMBEDDING)).values()):
        place = headers[HEAD].path
        raise DamagedError(f"{place}: {HEAD} differs from {EMBEDDING}, though config.json says they are one")


def strange(place: Path, name: str, family: str) -> ModelError:
    """The error for a tensor that the model has no use for."""
    return ModelError(f"{place}: {name} is no tensor of a {family} model: mmx cannot run this one")


def _alike(one: "Tensor", other: "Tensor") -> bool:
    import torch

    return one.dtype == other.dtype and torch.equal(one, other)


def mapped(headers: Mapping[str, Header], names: Iterable[str]) -> "dict[str, Tensor]":
    """These tensors, mapped from their files: no byte is read before it is used. Raises DamagedError."""
    from safetensors import SafetensorError, safe_open

    wanted = set(names)
    tensors: dict[str, Tensor] = {}
    for path in sorted({headers[name].path for name in wanted}):
        try:
            with safe_open(path, framework="pt") as shard:
                tensors |= {name: shard.get_tensor(name) for name in shard.keys() if name in wanted}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise _not_whole(path, str(error)) from None
    return tensors


def check_values(path: Path) -> None:
    """Looks at every number in a file of weights. Raises DamagedError naming a tensor in which one is infinite or is
    none: it may be one that hardly any text makes use of, so that no trial would meet it."""
    import numpy as np

    for name, header in read_header(path).items():
        if header.dtype not in EXPONENTS or not header.bytes:
            continue
        width, exponent = BYTES[header.dtype], EXPONENTS[header.dtype]
        count = header.bytes // width
        bits = np.memmap(path, f"<u{width}", "r", header.start, (count,))
        for start in range(0, count, BLOCK):
            if ((bits[start : start + BLOCK] & exponent) == exponent).any():
                raise DamagedError(f"{path}: {name} holds NaN or infinite values; get the model again")
