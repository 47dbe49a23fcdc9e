"""The tensors of a MiniMax checkpoint, mapped from its safetensors files and checked before any is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.models.minimax.config import MiniMaxConfig
from mmxcli.models.minimax.names import DERIVED, Shape, Spelling, expected, spellings
from mmxcli.models.shards import Header, check_copies, check_used, fitting, lacking, mapped, read_headers

if TYPE_CHECKING:
    from torch import Tensor


def find_weights(folder: Path, config: MiniMaxConfig) -> tuple[dict[str, Header], dict[str, Spelling]]:
    """Every tensor in the folder, and under which spelling those are there that the model needs, by their original
    names; no contents are read.

    Raises what `read_headers` raises; DamagedError naming file and tensor where one is missing or has another shape
    than config.json says; ModelError for a dtype that is not run, and for tensors that the model has no use for: they
    would mean another model.
    """
    headers = read_headers(folder)
    found = {name: _find(name, shape, headers, config, folder) for name, shape in expected(config)}
    check_used(headers, {spelling.name for spelling in found.values()}, "MiniMax-Text-01 or M1", DERIVED)
    return headers, found


def read_weights(folder: Path, config: MiniMaxConfig) -> "dict[str, Tensor]":
    """All tensors that the model needs, by their original names, in the dtypes they are stored in.

    They stay mapped from their files: the system reads an expert's pages when a token first needs it, and may
    drop them again. Raises what `find_weights` and `check_copies` raise.
    """
    headers, found = find_weights(folder, config)
    used = {spelling.name for spelling in found.values()}
    check_copies(headers, used)
    stored = mapped(headers, used)
    return {name: stored[spelling.name][spelling.part] for name, spelling in found.items()}


def _find(name: str, shape: Shape, headers: Mapping[str, Header], config: MiniMaxConfig, folder: Path) -> Spelling:
    """The spelling under which a tensor is there, in the right shape and a dtype that can be multiplied."""
    for spelling in spellings(name, shape, config.experts):
        if fitting(headers, spelling.name, spelling.shape):
            return spelling
    raise lacking(folder, name)
