"""The weights of a SoftmaxModel in 8 bits, arranged for models/kernels.py, and the file in which they are kept."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.checkpoint import hashed
from mmxcli.models.files import clear_disk_errors, locked, private_folder, write
from mmxcli.models.kernels import GROUP, Codes, Floats, Numbers, Weights
from mmxcli.models.shards import Header, described, read_header
from mmxcli.models.softmax import SoftmaxModel

BLOCK = 4096  # rows that are rounded at a time
_MATRICES = (("self_attn.q", "self_attn.k", "self_attn.v"), ("self_attn.o",), ("mlp.gate", "mlp.up"), ("mlp.down",))


def arranged(model: SoftmaxModel, codes: Codes, scales: Floats) -> Weights:
    """`codes` and `scales`: as in the file that `kept` makes."""
    shape, weights = model.shape, model.weights
    ends = np.cumsum([sum(map(_padded, matrix)) for matrix in _matrices(model)])
    places: Numbers = np.zeros((shape.layers + 1, 4), np.int64)
    places.reshape(-1)[1 : len(ends)] = ends[:-1]
    names = [
        f"model.layers.{number}.{name}.weight"
        for number in range(shape.layers)
        for name in ("input_layernorm", "post_attention_layernorm")
    ]
    norms = torch.stack([weights[name] for name in (*names, "model.norm.weight")]).float().numpy()
    biases = torch.stack([_biases(model, number) for number in range(shape.layers)]).numpy()
    kinds = "qk" if shape.family == "qwen3" else ""
    head_norms: Floats = np.empty((shape.layers, len(kinds), shape.head_width), np.float32)
    for number in range(shape.layers):
        for i, kind in enumerate(kinds):
            head_norms[number, i] = weights[f"model.layers.{number}.self_attn.{kind}_norm.weight"].float()
    return Weights(codes, scales, places, norms, biases, head_norms, shape.norm_epsilon, shape.mlp)


def kept(model: SoftmaxModel, path: Path) -> Weights:
    """From the file `path`, mapped; made first when it is not there or not whole. Raises ModelError when it cannot be
    written."""
    headers = _headers(model, path)
    if not _whole(path, headers):
        private_folder(path.parent)
        with clear_disk_errors(path.parent), locked(path.with_suffix(".lock"), lambda: None):
            if not _whole(path, headers):  # nobody has made it meanwhile
                for left in path.parent.glob(f".{path.name}.*.part"):  # of a process that was killed
                    left.unlink(missing_ok=True)
                write(path.with_suffix(".sha256"), [write(path, _contents(model, headers)).sha256.encode()])
    there = read_header(path)
    # Private and written to by nobody: the kernels know one kind of array.
    codes = np.memmap(path, np.int8, "c", there["codes"].start, there["codes"].shape)
    scales = np.memmap(path, np.float32, "c", there["scales"].start, there["scales"].shape)
    return arranged(model, np.asarray(codes), np.asarray(scales))


def _headers(model: SoftmaxModel, path: Path) -> dict[str, Header]:
    count = sum(_padded(weight) for matrix in _matrices(model) for weight in matrix)
    return {
        "codes": Header(path, (count,), "I8", 0, count),
        "scales": Header(path, (count // GROUP,), "F32", count, 4 * (count // GROUP)),
    }


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


def _contents(model: SoftmaxModel, headers: dict[str, Header]) -> Iterator[bytes | memoryview]:
    """A safetensors file, piece by piece; the scales, which come last, are in memory until then."""
    yield described(headers)
    scales = []
    for matrix in _matrices(model):
        for weight in matrix:
            for block in torch.split(weight, BLOCK):
                wide = torch.nn.functional.pad(block.float(), (0, -block.shape[1] % GROUP)).view(-1, GROUP)
                largest = wide.abs().amax(dim=1, keepdim=True).clamp_min_(1e-30)
                yield (wide * (127 / largest)).round_().to(torch.int8).numpy().reshape(-1).data
                scales.append((largest / 127).view(-1).numpy())
    yield from (some.data for some in scales)


def _matrices(model: SoftmaxModel) -> Iterator[list[Tensor]]:
    """In the order in which they are arranged, those of the same input together."""
    for number in range(model.shape.layers):
        for names in _MATRICES:
            yield [model.weights[f"model.layers.{number}.{name}_proj.weight"] for name in names]
    yield [model.head]


def _padded(weight: Tensor) -> int:
    """Codes of a matrix whose rows are filled up to whole groups."""
    return len(weight) * (-(-weight.shape[1] // GROUP) * GROUP)


def _biases(model: SoftmaxModel, number: int) -> Tensor:
    """Of q, k and v of a layer, zeros where there are none."""
    shape = model.shape
    sizes = {"q": shape.heads, "k": shape.key_heads, "v": shape.key_heads}
    names = {kind: f"model.layers.{number}.self_attn.{kind}_proj.bias" for kind in sizes}
    parts = [
        model.weights[names[kind]].float() if names[kind] in model.weights else torch.zeros(heads * shape.head_width)
        for kind, heads in sizes.items()
    ]
    return torch.cat(parts)
