"""A ModelState on disk: one safetensors file with its identity. docs/state-format.md describes it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from mmxcli.errors import DamagedError
from mmxcli.state.files import written_aside
from mmxcli.state.layer import LayerState
from mmxcli.state.mixed import KINDS
from mmxcli.state.model_state import ModelState, TokenChain

FORMAT = 2


def save_snapshot(state: ModelState, path: Path, identity: str) -> int:
    """Writes `state`, which stays as it is, and returns the file's size in bytes.

    `identity` names the weights, tokenizer and numerics that made the state: `load_snapshot` asks for it.
    """
    tensors = {
        f"{number}.{name}": tensor
        for number, layer in enumerate(state.layers)
        for name, tensor in layer.tensors().items()
    }
    header: dict[str, Any] = {
        "format": FORMAT,
        "identity": identity,
        "position": state.position,
        "chain": state.chain.digest.hex(),
        "pending": list(state.chain.pending),
        "layers": [{"kind": layer.kind, "facts": layer.facts()} for layer in state.layers],
    }
    header["sha256"] = _digest(header, tensors)
    with written_aside(path) as aside:
        save_file(tensors, aside, metadata={"mmx": json.dumps(header)})
    return path.stat().st_size


def load_snapshot(path: Path, identity: str) -> ModelState:
    """The state in a file.

    Raises DamagedError when a single byte is not as it was written, or the state belongs to another model.
    """
    damaged = DamagedError(f"the stored state {path} is damaged: remove it with `mmx states rm {path.parent.name}`")
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {})["mmx"])
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if header["format"] != FORMAT:
            raise DamagedError(f"the stored state {path} has format {header['format']}; this mmx reads {FORMAT}")
        if header["identity"] != identity:
            raise DamagedError(f"the stored state {path} was made by another model or version of mmx")
        if header.pop("sha256") != _digest(header, tensors):
            raise damaged
        layers: list[LayerState] = []
        for number, layer in enumerate(header["layers"]):
            prefix = f"{number}."
            own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
            layers.append(KINDS[layer["kind"]].restore(own, layer["facts"]))
        chain = TokenChain(bytes.fromhex(header["chain"]), header["pending"])
        return ModelState(layers, int(header["position"]), chain)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, IndexError):
        raise damaged from None


def _digest(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> str:
    """Over the header, and the names, shapes and bytes of the tensors in the order of their names."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.view(torch.uint8).numpy().data)
    return digest.hexdigest()
