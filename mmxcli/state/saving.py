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

from mmxcli.errors import BudgetError, DamagedError
from mmxcli.state.chain import TokenChain
from mmxcli.state.files import written_aside
from mmxcli.state.layer import LayerState
from mmxcli.state.mixed import KINDS, named
from mmxcli.state.model_state import ModelState
from mmxcli.state.snapshot import Snapshot, Stretch

FORMAT = 4
# What contents that are no state may raise while they are taken apart; RuntimeError is torch's, and of endless nesting.
_STRANGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError)


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


def load_snapshot(
    snapshot: Snapshot, folder: Path, identity: str, store: str = "memory", device: "torch.device | str" = "cpu"
) -> ModelState:
    """The state that was saved, on `device`. `store` says how what grows is kept from now on (state/pages.py), but what
    was rounded stays rounded.

    Raises DamagedError when a single byte is not as it was written, a file is missing, or the state belongs to another
    model or has read other tokens; BudgetError when there is no room for it.
    """
    path = folder / snapshot.file
    header, fixed = _load(path, snapshot.sha256)
    try:
        if header["format"] != FORMAT:
            raise DamagedError(f"{path} has format {header['format']}; this mmx reads {FORMAT}")
        if header["identity"] != identity:
            raise DamagedError(f"{path} was made by another model or version of mmx")
        layers: list[LayerState] = [
            KINDS[layer["kind"]].restore(_on(device, named(fixed, f"{number}.")), layer["facts"], store)
            for number, layer in enumerate(header["layers"])
        ]
        chain = _chain_of(header, snapshot, path)
        for stretch in snapshot.stretches:
            _, grown = _load(folder / stretch.file, stretch.sha256)
            for number, layer in enumerate(layers):
                layer.grow(_on(device, named(grown, f"{number}.")))
        return ModelState(layers, snapshot.position, chain)
    except _STRANGE as error:  # a stranger's, who computed its checksum
        _tell_no_room(error)
        raise DamagedError(f"{path} is no state that mmx has saved") from None


def check_files(snapshots: Sequence[Snapshot], folder: Path) -> Iterator[str]:
    """Reads every byte of all their files, each once, and says in words what is not as it was written."""
    parts: dict[str, Stretch | Snapshot] = {one.file: one for snapshot in snapshots for one in snapshot.stretches}
    parts |= {snapshot.file: snapshot for snapshot in snapshots}
    for name, part in parts.items():
        try:
            header, _ = _load(folder / name, part.sha256)
            if isinstance(part, Snapshot):
                _chain_of(header, part, folder / name)
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
    except (SafetensorError, OSError, *_STRANGE) as error:
        _tell_no_room(error)
    raise DamagedError(f"{path}, a part of a stored state, is damaged")


def _chain_of(header: dict[str, Any], snapshot: Snapshot, path: Path) -> TokenChain:
    """What a state has read. Raises DamagedError unless that is what its record says."""
    try:
        chain = TokenChain(bytes.fromhex(header["chain"]), header["pending"])
        stretches = tuple(Stretch(end, sha256) for end, sha256 in header["stretches"])
        told = (header["position"], chain.hexdigest(), stretches)
    except _STRANGE:
        told = None
    if told != (snapshot.position, snapshot.chain, snapshot.stretches):
        raise DamagedError(f"{path} has not read what its record says")
    return chain


def _tell_no_room(error: Exception) -> None:
    """Raises BudgetError for what torch tells in the words of its allocator alone."""
    if isinstance(error, RuntimeError) and "allocat" in str(error):
        raise BudgetError(
            "the stored state finds no room in memory: try --kv-cache disk, or end other programs"
        ) from error


def _numbered(layers: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{number}.{name}": tensor.cpu() for number, layer in enumerate(layers) for name, tensor in layer.items()}


def _on(device: "torch.device | str", tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.to(device) for name, tensor in tensors.items()}


def _digest(header: dict[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Over the header, and the names, shapes and bytes of the tensors in the order of their names."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _system_error(told: str) -> tuple[int, str]:
    """The number and the words of the system's error in a message of the library, which ends in "(os error 28)"."""
    found = re.search(r"\(os error (\d+)\)", told)
    number = int(found[1]) if found else errno.EIO
    return number, os.strerror(number)
