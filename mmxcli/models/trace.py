"""The operations of one chunk, recorded without computing them.

On torch's meta device the code that will read runs as it is, and nothing but shapes is computed. What it asks of torch
is written down on the way, so that no family has to be described twice.
"""

import math
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from mmxcli.models.runner import Model
from mmxcli.state.model_state import ModelState

GROUPED = ("aten::_grouped_mm", "transformers::grouped_mm_fallback")  # one product for each expert


@dataclass(frozen=True, slots=True)
class Shaped:
    """A tensor without its contents. `masked`: part of it was filled with minus infinity just before."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    masked: bool = False

    @property
    def room(self) -> int:
        """Numbers from its first to its last."""
        return 1 + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of torch and what it is given: tensors as Shaped, lists as tuples, everything else as it is."""

    function: OpOverload
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """How often a chunk asks for each operation, and the memory that it takes beside weights and state, at most."""

    counts: Mapping[Operation, int]
    bytes: int


def trace(model: Model, state: ModelState, tokens: int) -> Trace:
    """Of `model`, which has no weights but their shapes, reading a chunk. Modifies `state`."""
    recorder = Recorder()
    with torch.device("meta"), recorder:
        model.advance(state, [0] * tokens)
    return Trace(recorder.counts, recorder.most - recorder.bytes)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's own has no types
    """Counts operations while it is entered. `bytes`: of the tensors made since that are still alive."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[Operation] = Counter()
        self.bytes, self.most = 0, 0
        self._made: set[int] = set()  # the storages that were made since
        self._masked: set[int] = set()

    def __torch_dispatch__(
        self, function: OpOverload, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        self._count(function, args, named)
        given = {tensor.untyped_storage()._cdata for tensor in tensors([args, list(named.values())])}
        grouped = function._schema.name in GROUPED and args[0].is_meta
        output = self._product(args) if grouped else function(*args, **named)
        for tensor in tensors(output):
            storage = tensor.untyped_storage()
            if storage._cdata not in self._made and storage._cdata not in given:
                self._made.add(storage._cdata)
                self.bytes += storage.nbytes()
                weakref.finalize(storage, self._forget, storage._cdata, storage.nbytes())
        if function is torch.ops.aten.masked_fill.Scalar and args[2] == -math.inf:
            self._masked.add(output.untyped_storage()._cdata)
        self.most = max(self.most, self.bytes)
        return output

    def _product(self, args: Sequence[Any]) -> Tensor:
        """Of the rows of all experts: torch has its shape for bfloat16 alone."""
        rows, experts = args[0], args[1]
        return cast(Tensor, rows.new_empty(rows.shape[0], experts.shape[-1]))

    def _forget(self, storage: int, count: int) -> None:
        self._made.discard(storage)
        self._masked.discard(storage)
        self.bytes -= count

    def _count(self, function: OpOverload, args: Sequence[Any], named: Mapping[str, Any]) -> None:
        if function._schema.name in GROUPED:
            experts = min(args[1].shape[0], args[0].shape[0])
            rows = args[0][: args[0].shape[0] // experts]  # spread evenly
            self.counts[Operation(torch.ops.aten.mm.default, self._shaped((rows, args[1][0])))] += experts
        else:
            self.counts[Operation(function, self._shaped(args), self._shaped(tuple(named.items())))] += 1

    def _shaped(self, given: Any) -> Any:
        if isinstance(given, Tensor):
            masked = given.untyped_storage()._cdata in self._masked
            return Shaped(tuple(given.shape), given.stride(), given.dtype, masked)
        if isinstance(given, list | tuple):
            return tuple(self._shaped(item) for item in given)
        return torch.device("cpu") if isinstance(given, torch.device) else given


def tensors(given: Any) -> Iterator[Tensor]:
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, list | tuple):
        for item in given:
            yield from tensors(item)
