"""From a GGUF file to a Hugging Face folder in bfloat16, row by row, in constant memory."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmxcli.errors import ModelError
from mmxcli.models import gguf, vocabulary
from mmxcli.models.files import OnProgress, Stored, clear_disk_errors, write
from mmxcli.models.layout import Weight, config_of, weights_of
from mmxcli.models.shards import Header, described

SHARD_BYTES = 512 << 20
_SLICE = 4 << 20  # weights that one thread unpacks at a time: 16 MB in float32


def convert(
    path: Path, folder: Path, *, tied: bool = False, on_progress: OnProgress | None = None
) -> dict[str, Stored]:
    """Write the model of the GGUF file `path` into `folder`, which exists; return what was written by name.

    `tied`: the publisher's model has one matrix for input and output embedding, so where the file carries it
    twice, in two quantisations, only the finer one is kept. `on_progress` counts bytes written.
    Raises ModelError for a model that mmx does not convert, DamagedError for a file that contradicts itself.
    """
    source = gguf.read(path)
    config = config_of(source, tied)
    shards = _shards(weights_of(source, config))
    total = sum(weight.bytes for shard in shards for weight in shard)
    names = [f"model-{number:05}-of-{len(shards):05}.safetensors" for number in range(1, len(shards) + 1)]
    index = {weight.name: name for name, shard in zip(names, shards, strict=True) for weight in shard}
    generation = {key: config[key] for key in ("bos_token_id", "pad_token_id") if key in config}
    texts = {
        "config.json": json.dumps(config, indent=2),
        "generation_config.json": json.dumps({"eos_token_id": vocabulary.end_ids(source)} | generation, indent=2),
        "tokenizer.json": vocabulary.tokenizer_json(source),
        "tokenizer_config.json": vocabulary.tokenizer_config_json(source),
        "model.safetensors.index.json": json.dumps({"metadata": {"total_size": total}, "weight_map": index}),
    }
    done = 0

    def counted(pieces: Iterable[memoryview]) -> Iterator[memoryview]:
        nonlocal done
        for piece in pieces:
            yield piece
            done += len(piece)
            if on_progress:
                on_progress("convert", done, total, "bytes")

    with clear_disk_errors(folder):
        stored = {name: write(folder / name, [text.encode()]) for name, text in texts.items()}
        for name, shard in zip(names, shards, strict=True):
            stored[name] = write(folder / name, _safetensors(shard, counted(_unpacked(source, shard))))
    return stored


def _shards(weights: list[Weight]) -> list[list[Weight]]:
    shards: list[list[Weight]] = [[]]
    for weight in weights:
        if shards[-1] and sum(other.bytes for other in shards[-1]) + weight.bytes > SHARD_BYTES:
            shards.append([])
        shards[-1].append(weight)
    return shards


def _safetensors(shard: list[Weight], pieces: Iterable[memoryview]) -> Iterator[bytes | memoryview]:
    """A safetensors file."""
    yield described({weight.name: Header(Path(), tuple(weight.shape), "BF16", 0, weight.bytes) for weight in shard})
    yield from pieces


def _unpacked(source: gguf.Gguf, shard: list[Weight]) -> Iterator[memoryview]:
    """The tensors' bytes in bfloat16, in order. A few slices are in memory at a time, one a core."""
    import torch
    from gguf import GGMLQuantizationType, dequantize

    data = np.memmap(source.path, dtype=np.uint8, mode="c")  # "c": torch warns of arrays it may not write

    def rows(weight: Weight) -> NDArray[np.uint8]:
        tensor = source.tensors[weight.source]
        raw = data[tensor.start : tensor.start + tensor.size]
        if weight.heads:  # the quantisation runs along a row, so that packed rows can change places
            pairs = raw.reshape(weight.heads, weight.shape[0] // weight.heads // 2, 2, -1)
            raw = np.ascontiguousarray(pairs.swapaxes(1, 2))
        return raw.reshape(1 if len(weight.shape) == 1 else weight.shape[0], -1)

    def slices() -> Iterator[tuple[NDArray[np.uint8], GGMLQuantizationType]]:
        for weight in shard:
            kind = GGMLQuantizationType(source.tensors[weight.source].kind)
            packed, step = rows(weight), max(1, _SLICE // weight.shape[-1])
            yield from ((packed[at : at + step], kind) for at in range(0, len(packed), step))

    def unpack(task: tuple[NDArray[np.uint8], GGMLQuantizationType]) -> memoryview:
        packed, kind = task
        try:
            full = torch.from_numpy(dequantize(packed, kind)).to(torch.bfloat16)
        except NotImplementedError as error:
            raise ModelError(f"{source.path}: holds weights as {kind.name}, which mmx cannot unpack") from error
        return full.view(torch.uint8).numpy().reshape(-1).data

    with ThreadPoolExecutor(threads := cpu_count() or 1) as pool:
        tasks = slices()
        while few := list(islice(tasks, 2 * threads)):
            yield from pool.map(unpack, few)
