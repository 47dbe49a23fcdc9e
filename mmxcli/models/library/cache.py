"""A ModelState in the shape in which transformers' classes ask for their cache."""

from typing import Any, cast

from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, DummyLayer, LinearAttentionLayer

from mmxcli.models.attention import AttentionState
from mmxcli.state.fixed import ConvolutionState, RecurrentState
from mmxcli.state.mixed import MixedState
from mmxcli.state.model_state import ModelState

ATTENTION = "attention"  # the names of a layer's parts
RECURRENCE = "recurrence"
CONVOLUTION = "convolution"


class LinearView(LinearAttentionLayer):  # type: ignore[misc] # the library has no types
    """A layer's convolution and recurrence. The library's class does the work; sums are held in float32."""

    def __init__(self, state: MixedState) -> None:
        super().__init__()
        if inputs := cast(ConvolutionState, state.parts[CONVOLUTION]).contents:
            self.conv_states[0] = inputs["inputs"]
            self.conv_kernel_size[0] = inputs["inputs"].shape[-1]
            self.is_conv_states_initialized[0] = True
        if sums := cast(RecurrentState, state.parts[RECURRENCE]).contents:
            self.recurrent_states[0] = sums["sums"]
            self.is_recurrent_states_initialized[0] = True
        self.has_previous_state[0] = bool(inputs or sums)

    def update_recurrent_state(self, recurrent_states: Tensor, state_idx: int = 0, **_: object) -> Tensor:
        kept = recurrent_states.float() if recurrent_states.dtype.itemsize < 4 else recurrent_states
        self.recurrent_states[state_idx] = kept
        self.is_recurrent_states_initialized[state_idx] = True
        self.has_previous_state[state_idx] = True
        return kept

    def write_to(self, state: MixedState) -> None:
        """Puts what the pass has left into `state`, which it modifies."""
        if self.conv_states[0] is not None:
            state.parts[CONVOLUTION] = ConvolutionState({"inputs": self.conv_states[0]})
        if self.recurrent_states[0] is not None:
            state.parts[RECURRENCE] = RecurrentState({"sums": self.recurrent_states[0]})


class AttentionView(CacheLayerMixin):  # type: ignore[misc]
    """A layer's attention. Keys and values pass through: `library/attention.py` reads and appends them."""

    def __init__(self, cache: "StreamCache", state: AttentionState) -> None:
        super().__init__()
        self.cache, self.attention = cache, state
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """There is nothing to do."""

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        self.cache.attending = self.attention
        return key_states, value_states

    def get_seq_length(self) -> int:
        return self.cache.position

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.cache.position + query_length, 0

    def get_max_length(self) -> int:
        return -1


class BothView(LinearView, AttentionView):
    """A layer with a recurrence and attention side by side."""

    def __init__(self, cache: "StreamCache", state: MixedState) -> None:
        AttentionView.__init__(self, cache, cast(AttentionState, state.parts[ATTENTION]))
        LinearView.__init__(self, state)

    def lazy_initialization(self, *arguments: Any, **named: Any) -> None:
        LinearView.lazy_initialization(self, *arguments, **named)


class StreamCache(Cache):  # type: ignore[misc]
    """Views of the layers of `state` for one forward pass over `count` tokens, and where that pass stands.

    `position` is that of the first token of the pass. `attending` is the attention state of the layer that has
    last handed over its keys: the attention function is called right after.
    """

    def __init__(self, state: ModelState) -> None:
        self.position = state.position
        self.attending: AttentionState | None = None
        super().__init__(layers=[self._view(cast(MixedState, layer)) for layer in state.layers])

    def _view(self, layer: MixedState) -> Any:
        attention, linear = ATTENTION in layer.parts, CONVOLUTION in layer.parts
        if attention and linear:
            return BothView(self, layer)
        if attention:
            return AttentionView(self, cast(AttentionState, layer.parts[ATTENTION]))
        return LinearView(layer) if linear else DummyLayer()

    def write_to(self, state: ModelState) -> None:
        for view, layer in zip(self.layers, state.layers, strict=True):
            if isinstance(view, LinearView):
                view.write_to(cast(MixedState, layer))

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002 - all layers have read as much
        return self.position
