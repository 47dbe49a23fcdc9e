"""What the layers of a network remember, as the library's own cache for its config tells."""

from dataclasses import dataclass
from typing import Any

from transformers.cache_utils import (
    DummyLayer,
    DynamicCache,
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionAndFullAttentionLayer,
    LinearAttentionAndSlidingWindowAttentionLayer,
    LinearAttentionLayer,
)

from mmxcli.errors import ModelError
from mmxcli.models.library.cache import ATTENTION, CONVOLUTION, RECURRENCE
from mmxcli.state.fixed import ConvolutionState, RecurrentState
from mmxcli.state.layer import LayerState
from mmxcli.state.mixed import MixedState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState

KNOWN = {
    DummyLayer,
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionLayer,
    LinearAttentionAndFullAttentionLayer,
    LinearAttentionAndSlidingWindowAttentionLayer,
}


@dataclass(frozen=True, slots=True)
class Layer:
    """`attention`: it keeps keys and values, of its `own_window` last tokens where it was trained with one.
    `linear`: it has a convolution or a recurrence."""

    attention: bool
    own_window: int | None
    linear: bool

    def new_state(self, window: int | None, store: str) -> MixedState:
        """`window`: tokens to keep beside the sinks unless its own window is shorter; None: all, in `store`."""
        parts: dict[str, LayerState] = {}
        if self.attention and self.own_window is not None and (window is None or self.own_window <= window):
            parts[ATTENTION] = WindowState(self.own_window, sinks=0)
        elif self.attention:
            parts[ATTENTION] = PagedState(store) if window is None else WindowState(window)
        if self.linear:
            parts |= {CONVOLUTION: ConvolutionState(), RECURRENCE: RecurrentState()}
        return MixedState(parts)


def layers_of(config: Any) -> list[Layer]:
    """Raises ModelError for a kind of memory that mmx cannot carry."""
    found = []
    for layer in DynamicCache(config=config).layers:
        if type(layer) not in KNOWN or getattr(layer, "number_of_states", 1) != 1:
            raise ModelError(f"{config.model_type} keeps its memory in a {type(layer).__name__}: mmx cannot carry one")
        found.append(
            Layer(
                attention=isinstance(layer, DynamicLayer),
                own_window=getattr(layer, "sliding_window", None),
                linear=isinstance(layer, LinearAttentionLayer),
            )
        )
    return found
