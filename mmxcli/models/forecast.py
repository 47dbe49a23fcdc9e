"""How long a model takes for a chunk on this machine, and how that grows with what was read before."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import psutil
import torch

from mmxcli.models.anatomy import Quant
from mmxcli.models.attention import AttentionState
from mmxcli.models.blueprint import Blueprint
from mmxcli.models.computing import prepare
from mmxcli.models.foreseen import Forecast, Point
from mmxcli.models.load import expected_shapes
from mmxcli.models.replay import Pool, Replay
from mmxcli.models.runner import Model
from mmxcli.models.shape import Shape
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.trace import Trace, trace
from mmxcli.state.layer import LayerState
from mmxcli.state.mixed import MixedState
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.sizes import PAGE
from mmxcli.state.window import WindowState

BEGUN = 16  # tokens that are read before the first chunk that counts: then every layer has its state
DEEPER = 2 * PAGE  # over so many tokens the growth of attention that sees everything is measured
BETWEEN = 1.15  # an operation is slower among others than by itself, and Python runs between: 1.05 to 1.25 measured
REHEARSED = 4  # layers of a llama-like model that are run as an example of all
MOST_PRODUCTS = 3e11  # of a chunk of another model that is run as a whole: some seconds
RUNS, ENOUGH_S = 3, 1.0  # times that a chunk is run, and seconds after which twice will do
LARGEST_PROBE = 2_048  # tokens of the chunk that is timed: a larger one takes as much longer as it is larger
WIDEST = 4 * PAGE  # a wider window is measured when it has as many tokens: up to there a chunk's time is a line


def forecast(blueprint: Blueprint, quant: Quant, window: int | None, store: str, chunk: int) -> Forecast:
    """Takes a few seconds, most of them measuring: of a model with random numbers where that is quickly made, else of
    each operation by itself.

    `window` and `store` are those of the states. Pages are measured in memory where `store` is "disk".
    """
    prepare()
    model, probe, seen = blueprint.skeleton(quant), min(chunk, LARGEST_PROBE), window and min(window, WIDEST)
    kept = "memory" if store == "disk" else store
    with torch.device("meta"):
        state = model.new_state(seen, kept)
    trace(model, state, BEGUN)
    parts = list(_attention(state.layers))
    filled = max((part.window + part.sinks for part in parts if isinstance(part, WindowState)), default=0)
    grows = any(isinstance(part, PagedState) for part in parts)
    traces: dict[int, Trace] = {}
    for depth in [BEGUN] + [filled] * (filled > BEGUN) + [filled + DEEPER] * grows:
        _deepen(state, depth - state.position)
        begun = state.position
        traces[begun] = trace(model, state, probe)
    example = _example(blueprint, quant, probe)
    begin_s, seconds = _rehearsed(example, seen, kept, list(traces), probe) if example else (0.0, _replayed(traces))
    times = blueprint.repeats * chunk / probe
    points = [Point(depth, times * alone) for depth, alone in zip(traces, seconds, strict=True)]
    slope = max(0.0, _growth(points[-2], points[-1])) if grows else 0.0
    if window and window > WIDEST:
        beyond = points[-1].seconds + _growth(points[-2], points[-1]) * (window - points[-1].depth)
        points.append(Point(window, beyond))
    most = int(max(found.bytes for found in traces.values()) * chunk / probe)
    return Forecast(chunk, tuple(points), slope, most, begin_s)


@dataclass(frozen=True, slots=True)
class _Example:
    """A model with random numbers, which reads as long as the one that is foreseen, or `times` as fast."""

    model: Model
    vocabulary: int
    times: float


def _example(blueprint: Blueprint, quant: Quant, tokens: int) -> _Example | None:
    """None where it would take too long, or too much of the memory that there is."""
    config, anatomy, packed = blueprint.config, blueprint.anatomy, quant in {"int8", "nf4"}
    pool = Pool(getattr(torch, blueprint.dtype_in(quant)))
    if isinstance(config, Shape):
        part = replace(config, layers=min(REHEARSED, config.layers), vocabulary=1)
        weights = {name: 0.02 * pool.take(math.prod(size)).view(size) for name, size in expected_shapes(part).items()}
        model = SoftmaxModel(part, weights)
        if quant in {"int8", "nf4"}:
            model.pack(quant, model.device)
        return _Example(model, 1, config.layers / part.layers)
    large = anatomy.parameters_per_token * tokens > MOST_PRODUCTS
    large = large or anatomy.weight_bytes(quant) > psutil.virtual_memory().available / 2
    if packed or large or not blueprint.by_library:
        return None
    from mmxcli.models.library.example import fill
    from mmxcli.models.library.model import LibraryModel

    network = blueprint.skeleton(quant)
    assert isinstance(network, LibraryModel)
    fill(network, pool.take)
    return _Example(network, network.network.get_input_embeddings().weight.shape[0], 1)


@torch.inference_mode()
def _rehearsed(
    example: _Example, window: int | None, store: str, depths: Sequence[int], tokens: int
) -> tuple[float, list[float]]:
    """What the first chunks of all take longer, because what computes a shape is compiled when it comes first; and
    seconds for a chunk after so many tokens."""
    model, ids = example.model, [number * 7919 % example.vocabulary for number in range(tokens)]

    def beginning() -> float:
        state, start = model.new_state(window, store), time.perf_counter()
        for _ in range(2):
            model.advance(state, ids)
        return time.perf_counter() - start

    def after(depth: int) -> float:
        state = model.new_state(window, store)
        model.advance(state, ids[:BEGUN])
        _deepen(state, depth - BEGUN)
        start = time.perf_counter()
        model.advance(state, ids)
        return time.perf_counter() - start

    first, seconds = beginning(), []
    for depth in depths:
        runs: list[float] = []
        while len(runs) < 2 or (len(runs) < RUNS and sum(runs) < ENOUGH_S):
            runs.append(after(depth))
        seconds.append(median(runs) * example.times)
    return max(0.0, first - beginning()), seconds


def _replayed(traces: dict[int, Trace]) -> list[float]:
    """Seconds for a chunk after each depth: the sum of its operations, each by itself."""
    once = Replay().seconds(operation for found in traces.values() for operation in found.counts)
    return [
        BETWEEN * sum(count * once[operation] for operation, count in found.counts.items()) for found in traces.values()
    ]


def _growth(left: Point, right: Point) -> float:
    return (right.seconds - left.seconds) / (right.depth - left.depth)


def _attention(layers: list[LayerState]) -> Iterator[AttentionState]:
    for layer in layers:
        for part in layer.parts.values() if isinstance(layer, MixedState) else (layer,):
            if isinstance(part, WindowState | PagedState):
                yield part


@torch.inference_mode()
def _deepen(state: ModelState, tokens: int) -> None:
    """As if so many tokens were read: attention has their keys and values. Recurrences stay as they are."""
    if tokens <= 0:
        return
    for part in _attention(state.layers):
        kept = part.room if isinstance(part, WindowState) else (*part.full, part.open)[0][0]
        assert kept is not None  # something was read before
        dtype = kept.dtype if isinstance(part, WindowState) else part.dtype
        new = torch.zeros(kept.shape[1], tokens, kept.shape[3], dtype=dtype, device=kept.device)
        part.append(new, new)
    state.position += tokens
