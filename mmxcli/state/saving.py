"""From a ModelState to its files and back. docs/state-format.md describes them.

What every token may change is written anew for each snapshot. What only ever grows, keys and values, is written once,
in stretches from one snapshot to the next, and the snapshots of a text share them. A file's name follows from its
content, so that equal files are one and no file ever changes.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mmxcli.errors import DamagedError
from mmxcli.state.files import written_aside
from mmxcli.state.layer import LayerState
from mmxcli.state.mixed import KINDS, named
from mmxcli.state.model_state import ModelState, TokenChain
from mmxcli.state.snapshot import Snapshot, Stretch

FORMAT = 3


def save_snapshot(state: ModelState, folder: Path, identity: str, stretches: Sequence[Stretch] = ()) -> Snapshot:
    """Writes `state`, which stays as it is, into `folder`.

    `identity` names the weights, tokenizer and numerics that made the state: `load_snapshot` asks for it. `stretches`
    are those of the snapshot that `state` went on from: only what has grown since is written. When one of them is not
    there any more, everything is. Raises OSError, and leaves no half-written file.
    """
    known = tuple(stretches)
    if not all((folder / stretch.file).exists() for stretch in known):
        known = ()
    start = known[-1].end if known else 0
    grown = _numbered([layer.grown(start) for layer in state.layers])
    if start < state.position and grown:
        stretch = Stretch(state.position, _digest({"start": start, "end": state.position}, grown))
        _save(grown, folder / stretch.file, {"start": start, "end": state.position})
        known = (*known, stretch)
    fixed = _numbered([layer.fixed() for layer in state.layers])
    header: dict[str, Any] = {
        "format": FORMAT,
        "identity": identity,
        "position": state.position,
        "chain": state.chain.digest.hex(),
        "pending": list(state.chain.pending),
        "layers": [{"kind": layer.kind, "facts": layer.facts()} for layer in state.layers],
        "stretches": [[stretch.end, stretch.sha256] for stretch in known],
    }
    snapshot = Snapshot(state.position, state.chain.hexdigest(), _digest(header, fixed), known)
    _save(fixed, folder / snapshot.file, header)
    return snapshot


def load_snapshot(snapshot: Snapshot, folder: Path, identity: str) -> ModelState:
    """The state that was saved.

    Raises DamagedError when a single byte is not as it was written, a file is missing, or the state belongs to another
    model.
    """
    path = folder / snapshot.file
    header, fixed = _load(path, snapshot.sha256)
    try:
        if header["format"] != FORMAT:
            raise DamagedError(f"{path} has format {header['format']}; this mmx reads {FORMAT}")
        if header["identity"] != identity:
            raise DamagedError(f"{path} was made by another model or version of mmx")
        layers: list[LayerState] = [
            KINDS[layer["kind"]].restore(named(fixed, f"{number}."), layer["facts"])
            for number, layer in enumerate(header["layers"])
        ]
        for end, sha256 in header["stretches"]:
            stretch = Stretch(end, sha256)
            _, grown = _load(folder / stretch.file, stretch.sha256)
            for number, layer in enumerate(layers):
                layer.grow(named(grown, f"{number}."))
        return ModelState(layers, header["position"], TokenChain(bytes.fromhex(header["chain"]), header["pending"]))
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError):  # a stranger's, who computed its checksum
        raise DamagedError(f"{path} is no state that mmx has saved") from None


def check_files(snapshots: Sequence[Snapshot], folder: Path) -> Iterator[str]:
    """Reads every byte of all their files, each once, and says in words what is not as it was written."""
    parts = {one.file: one.sha256 for snapshot in snapshots for one in snapshot.stretches}
    parts |= {snapshot.file: snapshot.sha256 for snapshot in snapshots}
    for name, sha256 in parts.items():
        try:
            _load(folder / name, sha256)
        except DamagedError as error:
            yield str(error)


def _save(tensors: Mapping[str, Tensor], path: Path, header: dict[str, Any]) -> None:
    try:
        with written_aside(path) as aside:
            save_file(dict(tensors), aside, metadata={"mmx": json.dumps(header)})
    except SafetensorError as error:  # as the library tells of what the system refused
        raise OSError(*_system_error(str(error)), str(path)) from error


def _load(path: Path, sha256: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a file of that checksum. Raises DamagedError for any other content: what passes is what
    `save_snapshot` has written."""
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {})["mmx"])
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if _digest(header, tensors) == sha256:
            return header, tensors
    except FileNotFoundError:
        raise DamagedError(f"{path}, a part of a stored state, is missing") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError):
        pass
    raise DamagedError(f"{path}, a part of a stored state, is damaged")


def _numbered(layers: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{number}.{name}": tensor for number, layer in enumerate(layers) for name, tensor in layer.items()}


def _digest(header: dict[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Over the header, and the names, shapes and bytes of the tensors in the order of their names."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _system_error(told: str) -> tuple[int, str]:
    """The number and the words of the system's error in a message of the library, which ends in "(os error 28)"."""
    found = re.search(r"\(os error (\d+)\)", told)
    number = int(found[1]) if found else errno.EIO
    return number, os.strerror(number)
