"""The llama-like families (llama, mistral, qwen2, qwen3), one chunk at a time with the state carried.

Ours rather than the library's because reading without end needs two things that its classes do not give:
keys kept so that the window can slide while every distance stays in the trained range, and nothing built
per token whose size grows with the past. `tests/models/test_softmax.py` holds it against transformers.
"""

from typing import cast

from torch import Tensor
from torch.nn import functional

from mmxcli.models import attention
from mmxcli.models.decoder import Decoder, Place
from mmxcli.models.rotary import Rotary, rotate
from mmxcli.models.shape import Shape
from mmxcli.state.layer import LayerState
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState


class SoftmaxModel(Decoder):
    """A decoder of softmax attention layers alone."""

    def __init__(self, shape: Shape, weights: dict[str, Tensor]) -> None:
        super().__init__(shape, weights, Rotary(shape.head_width, shape.rotary_theta))
        self.shape = shape

    def new_state(self, window: int | None = None, store: str = "memory") -> ModelState:
        return ModelState(
            [WindowState(window) if window is not None else PagedState(store) for _ in range(self.shape.layers)]
        )

    def widened(self) -> "SoftmaxModel":
        return SoftmaxModel(self.shape, self._wide())

    def _block(self, number: int, hidden: Tensor, state: LayerState, place: Place, *, for_output: bool) -> Tensor:
        """h + attention(norm(h)), then h + mlp(norm(h)), with mlp = down(silu(gate x) * up x)."""
        name = f"model.layers.{number}."
        normed = self._norm(hidden, name + "input_layernorm.weight")
        keys = self._heads(normed, name + "self_attn.k_proj", name + "self_attn.k_norm.weight")
        values = self._heads(normed, name + "self_attn.v_proj", "")
        own = cast(attention.AttentionState, state)  # new_state makes no others
        if not for_output:
            own.append(rotate(keys, place.table), values)
            return hidden
        queries = self._heads(normed, name + "self_attn.q_proj", name + "self_attn.q_norm.weight")
        attended = self._attend(queries, rotate(keys, place.table), values, own, place)
        merged = attended.transpose(0, 1).reshape(hidden.shape[0], -1).to(hidden.dtype)
        hidden = hidden + self._linear(merged, name + "self_attn.o_proj")
        normed = self._norm(hidden, name + "post_attention_layernorm.weight")
        gate = functional.silu(self._linear(normed, name + "mlp.gate_proj"), inplace=True)
        gate *= self._linear(normed, name + "mlp.up_proj")
        return hidden + self._linear(gate, name + "mlp.down_proj")

    def _attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, state: attention.AttentionState, place: Place
    ) -> Tensor:
        """Attention of n new tokens over what `state` holds and themselves. Appends them to `state`."""
        if queries.shape[1] > 1:  # the copy into the dtype that is multiplied faster pays for many rows only
            queries = queries.to(self.products.dtype)
        capped = None if place.sink_table is None else rotate(queries, place.sink_table)
        return attention.read(state, rotate(queries, place.table), keys, values, capped)

    def _heads(self, normed: Tensor, name: str, norm: str) -> Tensor:
        """(heads, n, width) in the dtype of the weights; qwen3 also normalises each head's queries and keys."""
        projected = self._linear(normed, name).view(normed.shape[0], -1, self.shape.head_width)
        if norm in self.weights:
            projected = self._norm(projected, norm)
        return projected.to(self.dtype).transpose(0, 1)
