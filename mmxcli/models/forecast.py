"""How long a model takes for a chunk on this machine, and how that grows with what was read before."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import torch

from mmxcli.models.anatomy import Quant
from mmxcli.models.attention import AttentionState
from mmxcli.models.blueprint import Blueprint
from mmxcli.models.foreseen import Forecast, Point
from mmxcli.models.load import expected_shapes
from mmxcli.models.replay import Pool, Replay
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
BETWEEN = 1.1  # an operation is slower among others than by itself, and Python runs between: 1.07 to 1.19 measured
REHEARSED, REHEARSALS = 4, 3  # layers of a llama-like model for which that is measured, and how often
LARGEST_PROBE = 2_048  # tokens of the chunk that is timed: a larger one takes as much longer as it is larger
WIDEST = 4 * PAGE  # a wider window is measured when it has as many tokens: up to there a chunk's time is a line


def forecast(blueprint: Blueprint, quant: Quant, window: int | None, store: str, chunk: int) -> Forecast:
    """Takes a few seconds, most of them measuring.

    `window` and `store` are those of the states. Pages are measured in memory where `store` is "disk".
    """
    model, probe, seen = blueprint.skeleton(quant), min(chunk, LARGEST_PROBE), window and min(window, WIDEST)
    with torch.device("meta"):
        state = model.new_state(seen, "memory" if store == "disk" else store)
    trace(model, state, BEGUN)
    parts = list(_attention(state.layers))
    filled = max((part.window + part.sinks for part in parts if isinstance(part, WindowState)), default=0)
    grows = any(isinstance(part, PagedState) for part in parts)
    traces: dict[int, Trace] = {}
    for depth in [BEGUN] + [filled] * (filled > BEGUN) + [filled + DEEPER] * grows:
        _deepen(state, depth - state.position)
        begun = state.position
        traces[begun] = trace(model, state, probe)
    once = Replay().seconds(operation for found in traces.values() for operation in found.counts)
    alone = {
        depth: sum(count * once[operation] for operation, count in found.counts.items())
        for depth, found in traces.items()
    }
    between = BETWEEN
    if isinstance(blueprint.config, Shape):
        depth = min(depth for depth in alone if depth >= filled)
        rehearsed = _rehearsed(blueprint, quant, seen, depth, probe)
        between = max(1.0, rehearsed / alone[depth])
    times = between * blueprint.repeats * chunk / probe
    points = [Point(depth, times * seconds) for depth, seconds in alone.items()]
    slope = max(0.0, _growth(points[-2], points[-1])) if grows else 0.0
    if window and window > WIDEST:
        beyond = points[-1].seconds + _growth(points[-2], points[-1]) * (window - points[-1].depth)
        points.append(Point(window, beyond))
    return Forecast(chunk, tuple(points), slope, int(max(found.bytes for found in traces.values()) * chunk / probe))


@torch.inference_mode()
def _rehearsed(blueprint: Blueprint, quant: Quant, window: int | None, depth: int, tokens: int) -> float:
    """Seconds for a chunk of a llama-like model after `depth` tokens: by a few layers of random numbers, as by all."""
    shape: Shape = blueprint.config
    part = replace(shape, layers=min(REHEARSED, shape.layers), vocabulary=1)
    dtype = torch.float32 if quant == "float32" else getattr(torch, blueprint.dtype)
    pool, shapes = Pool(dtype), expected_shapes(part)
    model = SoftmaxModel(part, {name: 0.02 * pool.take(math.prod(size)).view(size) for name, size in shapes.items()})
    if quant in {"int8", "nf4"}:
        model.pack(quant, model.device)
    found = []
    for _ in range(REHEARSALS):
        state = model.new_state(window)
        model.advance(state, [0] * BEGUN)
        _deepen(state, depth - BEGUN)
        start = time.perf_counter()
        model.advance(state, [0] * tokens)
        found.append(time.perf_counter() - start)
    return min(found) * shape.layers / part.layers


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
