"""States of a SoftmaxModel in the shape that models/softmax_writing.py goes on from."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from mmxcli.models.shape import Shape
from mmxcli.models.softmax_writing import ENDLESS, ROOM, Past
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.sizes import SINKS
from mmxcli.state.window import WindowState

AttentionState = PagedState | WindowState


def past_of(shape: Shape, states: Sequence[ModelState]) -> Past:
    """Of states that have all been made alike, and have read the sinks. Copies."""
    layers = [cast(list[AttentionState], state.layers) for state in states]
    first = layers[0][0]
    lengths = np.array([_seen(of[0]).shape[2] for of in layers])
    size = (len(states), shape.layers, 2, shape.key_heads, int(lengths.max()) + ROOM, shape.head_width)
    pairs, sinks = torch.empty(size), torch.zeros((*size[:4], SINKS, shape.head_width))
    for text, of in enumerate(layers):
        for number, layer in enumerate(of):
            pairs[text, number, :, :, : lengths[text]] = _seen(layer)
            if isinstance(layer, WindowState) and layer.first is not None:
                sinks[text, number, :, :, : layer.first.shape[2]] = layer.first
    positions = np.array([state.position for state in states])
    window = first.window if isinstance(first, WindowState) else ENDLESS
    return Past(pairs.numpy(), sinks.numpy(), lengths, positions, window)


def _seen(layer: AttentionState) -> Tensor:
    """Keys and values that the next token sees beside the sinks: (2, key-value heads, tokens, width)."""
    if isinstance(layer, WindowState):
        return torch.stack(layer.last(min(layer.length, layer.window - 1) if layer.sliding else layer.length))
    return torch.cat([torch.stack(piece) for piece in layer.pieces()], dim=2)
