"""All that a layer remembers, to be compared."""

from torch import Tensor

from mmxcli.state.layer import LayerState
from mmxcli.state.model_state import ModelState


def contents(layer: LayerState) -> dict[str, Tensor]:
    """In the order of names, what is fixed and what has grown."""
    return dict(sorted((layer.fixed() | layer.grown(0)).items()))


def tensors(state: ModelState) -> list[Tensor]:
    """Of all layers."""
    return [tensor for layer in state.layers for tensor in contents(layer).values()]
