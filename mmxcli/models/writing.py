"""Writing: a token a step, for one text or for several at once."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from platformdirs import user_cache_path
from torch import Tensor

from mmxcli.models.files import private_folder
from mmxcli.models.runner import Model
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.state.model_state import ModelState
from mmxcli.state.window import SINKS

TOGETHER = 4  # texts that are written at once: with more, products are bound by computing and not by memory any more
FORMAT = 1  # of the file with weights in 8 bits
MOST_BYTES = 512 << 20  # of keys and values for all texts that are written at once
COPIES = 3  # times as much as a state in bfloat16: itself, and what is written with in float32


class Writing(Protocol):
    """Texts that go on from states, which it takes over: nobody else uses them any more."""

    def step(self, ids: Sequence[int]) -> Tensor:
        """Adds a token to each text; float32 logits (texts, vocabulary) for the next ones."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Only these of the texts, by their numbers among those that still go on, do so from now on."""
        ...


class PlainWriting:
    """By the model's own step, one text after the other."""

    def __init__(self, model: Model, states: Sequence[ModelState]) -> None:
        self._model = model
        self._states = list(states)

    def step(self, ids: Sequence[int]) -> Tensor:
        logits = [self._model.advance(state, [token], "last") for state, token in zip(self._states, ids, strict=True)]
        return torch.cat([some for some in logits if some is not None])

    def keep(self, rows: Sequence[int]) -> None:
        self._states = [self._states[row] for row in rows]


class Writer:
    """Begins writings of one model."""

    def __init__(self, model: Model, fast: Callable[[Sequence[ModelState]], Writing] | None = None) -> None:
        self._model = model
        self._fast = fast

    def together(self, size: int) -> int:
        """How many texts it is worth while to write at once that go on from a state of so many bytes."""
        return max(1, min(TOGETHER, MOST_BYTES // max(1, COPIES * size))) if self._fast else 1

    def begin(self, states: Sequence[ModelState]) -> Writing:
        """Texts that go on from `states`, which it takes over."""
        begun = all(state.position >= SINKS for state in states)  # the sinks are those of the states
        if self._fast and begun and COPIES * sum(state.bytes for state in states) <= MOST_BYTES:
            return self._fast(states)
        return PlainWriting(self._model, states)


def place(weights_folder: Path, identity: str) -> Path:
    """The file with the 8-bit weights of a model with this identity."""
    return weights_folder / "eight-bits" / f"{identity[:32]}-{FORMAT}.safetensors"


def writer(model: Model, file: Path, threads: int) -> Writer:
    """The fastest that there is for `model`, with its weights in 8 bits in `file` where it needs them: made there when
    they are not. Raises ModelError when they cannot be written, and whatever goes wrong
    where the step is compiled, or what was compiled is loaded."""
    if not (isinstance(model, SoftmaxModel) and fits(model)):
        return Writer(model)
    compiled = Path(os.environ.setdefault("NUMBA_CACHE_DIR", str(_compiled())))
    import numba

    if numba.config.DISABLE_JIT:  # somebody debugs: uncompiled it would take minutes a token
        return Writer(model)
    from mmxcli.models.eight_bits import kept
    from mmxcli.models.softmax_writing import SoftmaxWriting, compile_step

    numba.set_num_threads(max(1, min(threads, numba.config.NUMBA_NUM_THREADS)))
    weights = kept(model, file)
    try:
        compile_step(weights)
    except Exception:  # noqa: BLE001 - what was compiled is damaged, as after a power loss; Numba loads it unseen
        for left in compiled.glob("*/kernels.*"):
            left.unlink(missing_ok=True)
        compile_step(weights)
    finally:  # Numba's first use of its threads changes how many torch has, where both use the same library for them
        torch.set_num_threads(threads)
    return Writer(model, lambda states: SoftmaxWriting(model, weights, states))


def _compiled() -> Path:
    """Where Numba keeps what it has compiled. It runs what it finds there, so nobody else may write to it: where that
    is not so, it is a folder for this process alone."""
    folder = private_folder(user_cache_path("mmx") / "compiled")
    about = folder.stat()
    if about.st_uid == os.getuid() and not about.st_mode & 0o022:
        return folder
    own = Path(tempfile.mkdtemp(prefix="mmx-compiled-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def fits(model: SoftmaxModel) -> bool:
    """Whether the kernels compute this network: without biases but those of queries, keys and values, and with its
    matrices as they are."""
    strange = any(name.endswith((".o_proj.bias", "gate_proj.bias", "up_proj.bias")) for name in model.weights)
    return not (strange or model.packed)
