"""The llama-like families (llama, mistral, qwen2, qwen3), one chunk at a time with the state carried.

Ours rather than the library's because reading without end needs two things that its classes do not give:
keys kept so that the window can slide while every distance stays in the trained range, and nothing built
per token whose size grows with the past. `tests/models/test_softmax.py` holds it against transformers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional

from mmxcli.models import attention
from mmxcli.models.packed import PackedWeight, Packing, pack
from mmxcli.models.products import Products
from mmxcli.models.rotary import Rotary, rotate
from mmxcli.models.shape import Shape
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.sizes import SINKS
from mmxcli.state.window import WindowState

HEAD_BLOCK = 16_384  # words of the vocabulary scored at a time, so that a widened copy of the head stays small


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tokens of one piece stand: the rotary table of all and, where the window slides, of the capped
    distance from the sinks to a query."""

    table: tuple[Tensor, Tensor]
    sink_table: tuple[Tensor, Tensor] | None


class SoftmaxModel:
    """A decoder of softmax attention layers over `weights`, a mapping of checkpoint names to tensors.

    The state's window decides what a token sees: without one, everything before it; with a window of W, the
    first S tokens (the sinks) and the W tokens that end with itself. Distances to the sinks are capped at
    what they were when the window filled, so they stay in the trained range (StreamingLLM, arXiv 2309.17453,
    section 3.2), and all others are less than W. What a token sees depends on its position alone, never on
    how the text was cut into chunks.
    """

    def __init__(self, shape: Shape, weights: dict[str, Tensor]) -> None:
        self.shape = shape
        self.weights = weights
        self.packed: dict[str, PackedWeight] = {}
        self.products = Products(self.dtype, self.device)
        self.rotary = Rotary(shape.head_width, shape.rotary_theta)

    @property
    def embedding(self) -> Tensor:
        return self.weights["model.embed_tokens.weight"]

    @property
    def head(self) -> Tensor:
        return self.embedding if self.shape.tied_head else self.weights["lm_head.weight"]

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.dtype

    @property
    def device(self) -> torch.device:
        return self.embedding.device

    def new_state(self, window: int | None = None, store: str = "memory") -> ModelState:
        """The state before the first token. `window`: tokens that stay visible beside the sinks; None: all, in
        pages kept in `store`."""
        return ModelState(
            [WindowState(window) if window is not None else PagedState(store) for _ in range(self.shape.layers)]
        )

    @torch.inference_mode()
    def advance(
        self, state: ModelState, ids: Sequence[int], logits: Literal["none", "last", "all"] = "none"
    ) -> Tensor | None:
        """Reads `ids` (at least one). Modifies `state` in place.

        Returns None, or float32 logits (1, vocabulary) after the last token, or (len(ids), vocabulary).
        """
        layers = cast(list[attention.AttentionState], state.layers)  # new_state makes no others
        outputs = []
        start = 0
        while start < len(ids):
            stop = min(len(ids), start + attention.room(layers[0]))
            outputs.append(self._hidden(layers, state.position, ids[start:stop]))
            state.position += stop - start
            start = stop
        state.chain.extend(ids)
        if logits == "none":
            return None
        hidden = torch.cat(outputs) if logits == "all" else outputs[-1][-1:]
        normed = self._norm(hidden, "model.norm.weight")
        starts = range(0, self.shape.vocabulary, HEAD_BLOCK)
        blocks = [self.products.linear(normed, self.head[start : start + HEAD_BLOCK]) for start in starts]
        return torch.cat(blocks, dim=1).float()

    def pack(self, quant: Packing, device: torch.device) -> None:
        self.packed |= pack(self.weights, quant, device, kept=("model.embed_tokens.weight", "lm_head.weight"))

    def move(self, device: torch.device) -> None:
        self.weights = {name: tensor.to(device) for name, tensor in self.weights.items()}
        self.products = Products(self.dtype, device)

    def widened(self) -> "SoftmaxModel":
        wide = {name: tensor.float() for name, tensor in self.weights.items()}
        return SoftmaxModel(self.shape, wide | {name: p.unpacked(torch.float32) for name, p in self.packed.items()})

    def one_pass(self, ids: Sequence[int]) -> Tensor:
        return cast(Tensor, self.advance(self.new_state(), ids, "all"))

    def _hidden(self, layers: Sequence[attention.AttentionState], position: int, ids: Sequence[int]) -> Tensor:
        """The last layer's output (n, hidden) for n tokens read in one piece. Modifies `layers`."""
        table = self.rotary.table(torch.arange(position, position + len(ids), device=self.device))
        sink_table = None
        if isinstance(layers[0], WindowState) and layers[0].sliding:
            sink_table = self.rotary.table(torch.tensor([SINKS + layers[0].window - 1], device=self.device))
        place = Place(table, sink_table)
        hidden = functional.embedding(torch.tensor(ids, device=self.device), self.embedding).to(self.products.dtype)
        for number, layer in enumerate(layers):
            hidden = self._layer(f"model.layers.{number}.", hidden, layer, place)
        return hidden

    def _layer(self, name: str, hidden: Tensor, state: attention.AttentionState, place: Place) -> Tensor:
        """One block: h + attention(norm(h)), then h + mlp(norm(h)), with mlp = down(silu(gate x) * up x)."""
        normed = self._norm(hidden, name + "input_layernorm.weight")
        queries = self._heads(normed, name + "self_attn.q_proj", name + "self_attn.q_norm.weight")
        keys = self._heads(normed, name + "self_attn.k_proj", name + "self_attn.k_norm.weight")
        values = self._heads(normed, name + "self_attn.v_proj", "")
        attended = self._attend(queries, rotate(keys, place.table), values, state, place)
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

    def _linear(self, inputs: Tensor, name: str) -> Tensor:
        matrices = self.packed if name + ".weight" in self.packed else self.weights
        return self.products.linear(inputs, matrices[name + ".weight"], self.weights.get(name + ".bias"))

    def _norm(self, inputs: Tensor, name: str) -> Tensor:
        weight = self.weights[name].to(inputs.dtype)
        return functional.rms_norm(inputs, inputs.shape[-1:], weight, self.shape.norm_epsilon)
