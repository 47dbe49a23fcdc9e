"""The weights of a llama-like model in 8 bits, arranged for models/kernels.py, and the file in which they are kept."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.checkpoint import hashed
from mmxcli.models.files import clear_disk_errors, locked, private_folder, write
from mmxcli.models.kernels import GROUP, Weights
from mmxcli.models.lanes import PANEL
from mmxcli.models.shape import Shape
from mmxcli.models.shards import Header, described, read_header
from mmxcli.models.step_attention import Numbers

if TYPE_CHECKING:
    from torch import Tensor

    from mmxcli.models.softmax import SoftmaxModel

BLOCK = 64 * PANEL  # rows that are rounded at a time
POPULATE_READ = 22  # what Linux calls MADV_POPULATE_READ: maps all pages at once, and not one by one as they are read
_MATRICES = (("self_attn.q", "self_attn.k", "self_attn.v"), ("self_attn.o",), ("mlp.gate", "mlp.up"), ("mlp.down",))
_KINDS = {"I8": np.int8, "F32": np.float32}


def kept(shape: Shape, path: Path, model: "Callable[[], SoftmaxModel]") -> Weights:
    """From the file `path`, mapped; made first, from the model with this shape, when it is not there or not whole.
    Raises ModelError when it cannot be written."""
    headers = _headers(shape, path)
    if not _whole(path, headers):
        private_folder(path.parent)
        with clear_disk_errors(path.parent), locked(path.with_suffix(".lock"), lambda: None):
            if not _whole(path, headers):  # nobody has made it meanwhile
                for left in _left(path):
                    left.unlink(missing_ok=True)
                write(path.with_suffix(".sha256"), [write(path, _contents(model(), headers)).sha256.encode()])
    there = read_header(path)
    # Private and written to by nobody: the kernels know one kind of array.
    arrays: dict[str, Any] = {name: _mapped(one) for name, one in there.items()}
    starts = [0, *accumulate(rows * columns for rows, columns in _sizes(shape))]
    places: Numbers = np.zeros((shape.layers + 1, 4), np.int64)
    places.reshape(-1)[: len(starts) - 1] = starts[:-1]
    return Weights(**arrays, places=places, epsilon=shape.norm_epsilon, mlp=shape.mlp)


def _left(path: Path) -> Iterator[Path]:
    """What processes that were killed have left of it, and the same weights in earlier formats: only an earlier mmx
    asks for those, and one that maps them goes on with them. Their locks stay (models/files.py)."""
    yield from path.parent.glob(f".{path.name}.*.part")
    name, _, number = path.stem.rpartition("-")
    for earlier in range(int(number) if number.isdecimal() else 0):
        yield from (path.with_name(f"{name}-{earlier}{suffix}") for suffix in (path.suffix, ".sha256"))


def _mapped(one: Header) -> NDArray[Any]:
    if not one.bytes:  # which cannot be mapped
        return np.empty(one.shape, _KINDS[one.dtype])
    found = np.memmap(one.path, _KINDS[one.dtype], "c", one.start, one.shape)
    with suppress(OSError, AttributeError):  # of a system that cannot
        found._mmap.madvise(POPULATE_READ)  # type: ignore[attr-defined]
    return np.asarray(found)


def _sizes(shape: Shape) -> Iterator[tuple[int, int]]:
    """Of the matrices in their order: rows filled up to whole panels, and columns to whole groups."""
    queries, pairs = shape.heads * shape.head_width, shape.key_heads * shape.head_width
    layer = (
        (queries + 2 * pairs, shape.hidden),
        (shape.hidden, queries),
        (2 * shape.mlp, shape.hidden),
        (shape.hidden, shape.mlp),
    )
    for rows, columns in (*layer * shape.layers, (shape.vocabulary, shape.hidden)):
        yield rows + -rows % PANEL, columns + -columns % GROUP


def _headers(shape: Shape, path: Path) -> dict[str, Header]:
    """What the file holds: the arrays of Weights by their names."""
    count = sum(rows * columns for rows, columns in _sizes(shape))
    contents: dict[str, tuple[str, tuple[int, ...]]] = {
        "codes": ("I8", (count,)),
        "scales": ("F32", (count // GROUP,)),
        "norms": ("F32", (2 * shape.layers + 1, shape.hidden)),
        "biases": ("F32", (shape.layers, (shape.heads + 2 * shape.key_heads) * shape.head_width)),
        "head_norms": ("F32", (shape.layers, len(_head_norms(shape)), shape.head_width)),
    }
    headers, start = {}, 0
    for name, (dtype, size) in contents.items():
        taken = prod(size) * np.dtype(_KINDS[dtype]).itemsize
        headers[name] = Header(path, size, dtype, start, taken)
        start += taken
    return headers


def _whole(path: Path, expected: dict[str, Header]) -> bool:
    """Whether the file is there, as it was written: looked at once, and again when it has changed since."""
    try:
        there = read_header(path)
        sha256 = path.with_suffix(".sha256").read_text(encoding="ascii")
        if hashed([path], path.parent / "hashes.json")[path.name].sha256 != sha256:
            return False
    except (ModelError, DamagedError, OSError, UnicodeDecodeError):
        return False
    return {name: (one.shape, one.dtype) for name, one in there.items()} == {
        name: (one.shape, one.dtype) for name, one in expected.items()
    }


def _contents(model: "SoftmaxModel", headers: dict[str, Header]) -> "Iterator[bytes | memoryview]":
    """A safetensors file, piece by piece; what comes after the codes is in memory until then."""
    import torch

    from mmxcli.models.panels import arranged

    yield described(headers)
    scales = []
    for weight in _matrices(model):
        for block in torch.split(weight, BLOCK):
            codes, of_block = arranged(block)
            yield codes.numpy().reshape(-1).data
            scales.append(of_block.reshape(-1))
    layers, weights = [f"model.layers.{number}." for number in range(model.shape.layers)], model.weights
    pair = ("input_layernorm.weight", "post_attention_layernorm.weight")
    norms = [weights[layer + name] for layer in layers for name in pair]
    heads = [weights[f"{layer}self_attn.{kind}_norm.weight"] for layer in layers for kind in _head_norms(model.shape)]
    biases = [_biases(model, layer) for layer in layers]
    for tensor in (*scales, *norms, weights["model.norm.weight"], *biases, *heads):
        yield tensor.float().contiguous().numpy().reshape(-1).view(np.uint8).data


def _head_norms(shape: Shape) -> str:
    return "qk" if shape.family == "qwen3" else ""


def _matrices(model: "SoftmaxModel") -> "Iterator[Tensor]":
    """In the order in which they are arranged, those of the same input together."""
    import torch

    for number in range(model.shape.layers):
        for names in _MATRICES:
            yield torch.cat([model.weights[f"model.layers.{number}.{name}_proj.weight"] for name in names])
    yield model.head


def _biases(model: "SoftmaxModel", layer: str) -> "Tensor":
    """Of q, k and v of a layer, zeros where there are none."""
    import torch

    shape = model.shape
    sizes = {"q": shape.heads, "k": shape.key_heads, "v": shape.key_heads}
    names = {kind: f"{layer}self_attn.{kind}_proj.bias" for kind in sizes}
    parts = [
        model.weights[names[kind]].float() if names[kind] in model.weights else torch.zeros(heads * shape.head_width)
        for kind, heads in sizes.items()
    ]
    return torch.cat(parts)
