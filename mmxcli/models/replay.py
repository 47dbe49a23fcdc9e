"""How long operations take on this machine: each is done a few times, on random numbers of the same shapes."""

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from mmxcli.models.computing import prepare
from mmxcli.models.trace import Operation, Shaped, tensors

INPUT_BYTES = 128 << 20  # what operations are given is taken from so much in turn, more than a processor caches
OUTPUT_BYTES = 32 << 20  # as much of what they gave is kept, so that the next is written elsewhere
BLOCKS, BLOCK_BYTES = 8, 16 << 20
ROUNDS, LEAST_RUNS, MOST_RUNS, ENOUGH_S = 2, 2, 20, 0.005  # of each operation in a round
LONG_S = 0.2  # an operation that takes as long is done once
ROWS = 1_024  # of an embedding that are made: a lookup is as fast in a small one
PACKED = (torch.int8, torch.uint8)


class Replay:
    """Times each operation once, however often it is asked for.

    The fastest of a few runs counts: other work slows some of them, and makes none faster. Its inputs come from
    memory and its output goes there, as weights do always, and activations of hundreds of tokens often. What the
    numbers are plays no part, with two exceptions: e^x is several times slower where it vanishes, so what is masked
    is taken for logarithms of decays (`Pool.vanishing`); and tokens are spread evenly over experts (trace.py).
    """

    def __init__(self) -> None:
        prepare()
        self._pools: dict[torch.dtype, Pool] = {}
        self._given: list[Any] = []
        self._given_bytes = 0
        self._call_s = _call_seconds()

    @torch.inference_mode()
    def seconds(self, operations: Iterable[Operation]) -> dict[Operation, float]:
        """Of each operation. All are done in turn, and then again, so that a moment's other work is not in both."""
        fastest: dict[Operation, float] = dict.fromkeys(operations, math.inf)
        self._given = [torch.ones(BLOCK_BYTES // 4) for _ in range(BLOCKS)]  # the room that outputs will take
        self._given_bytes = BLOCKS * BLOCK_BYTES
        for _ in range(ROUNDS):
            for operation, known in fastest.items():
                if LONG_S < known < math.inf:
                    continue
                fastest[operation] = min(known, self._timed(operation))
        return {operation: max(0.0, found - self._call_s) for operation, found in fastest.items()}

    def _timed(self, operation: Operation) -> float:
        runs: list[float] = []
        start = time.perf_counter()
        try:
            while len(runs) < LEAST_RUNS or (time.perf_counter() - start < ENOUGH_S and len(runs) < MOST_RUNS):
                runs.append(self._run(operation))
                if runs[-1] > LONG_S:
                    break
        except NotImplementedError:  # it is for meta tensors alone; with contents another takes its place
            return 0.0
        return min(runs)

    def _run(self, operation: Operation) -> float:
        given = operation.arguments
        if operation.function._schema.name == "aten::embedding":
            table: Shaped = given[0]
            given = (Shaped((min(ROWS, table.shape[0]), table.shape[1]), table.stride, table.dtype), *given[1:])
        arguments = [self._made(item) for item in given]
        named = {name: self._made(item) for name, item in operation.named}
        start = time.perf_counter()
        output = operation.function(*arguments, **named)
        seconds = time.perf_counter() - start
        self._keep(output)
        return seconds

    def _made(self, given: Any) -> Any:
        if isinstance(given, Shaped):
            return self._tensor(given)
        return [self._made(item) for item in given] if isinstance(given, tuple) else given

    def _tensor(self, shaped: Shaped) -> Tensor:
        if 0 in shaped.shape:
            return torch.empty(shaped.shape, dtype=shaped.dtype)
        room = 1 + sum((size - 1) * step for size, step in zip(shaped.shape, shaped.stride, strict=True))
        if not (shaped.dtype.is_floating_point or shaped.dtype in PACKED):  # numbers of rows and masks must be valid
            return torch.zeros(room, dtype=shaped.dtype).as_strided(shaped.shape, shaped.stride)
        if shaped.dtype not in self._pools:
            self._pools[shaped.dtype] = Pool(shaped.dtype)
        pool = self._pools[shaped.dtype]
        numbers = pool.vanishing(room) if shaped.masked else pool.take(room)
        return numbers.as_strided(shaped.shape, shaped.stride)

    def _keep(self, output: Any) -> None:
        self._given.append(output)
        self._given_bytes += sum(tensor.nbytes for tensor in tensors(output))
        if self._given_bytes > OUTPUT_BYTES:
            self._given, self._given_bytes = [], 0


class Pool:
    """Random numbers that are taken in turn, from the start again at the end."""

    def __init__(self, dtype: torch.dtype) -> None:
        numbers = torch.randn(1 << 20)
        self._some = (numbers if dtype.is_floating_point else numbers.abs()).to(dtype)
        self._numbers = self._some.repeat(max(1, INPUT_BYTES // self._some.nbytes))
        self._next = 0

    def take(self, count: int) -> Tensor:
        if count > self._numbers.numel():
            self._numbers = self._some.repeat(-(-count // self._some.numel()))
        if self._next + count > self._numbers.numel():
            self._next = 0
        start = self._next
        self._next += -(-count // 64) * 64  # tensors begin at whole cache lines
        return self._numbers[start : start + count]

    def vanishing(self, count: int) -> Tensor:
        """Half of them minus infinity, the others negative and tens in size: logarithms of what a recurrence has left
        of one token when it reads another, masked where that comes first."""
        numbers = -50 * self.take(count).abs()
        numbers[: count // 2] = -math.inf
        return numbers


def _call_seconds() -> float:
    """What calling a function of torch by its name costs beyond a plain call."""
    one, add = torch.ones(1), torch.ops.aten.add.Tensor
    return max(0.0, _least(lambda: add(one, one)) - _least(lambda: torch.add(one, one)))


def _least(call: Callable[[], object]) -> float:
    found = []
    for _ in range(200):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)
