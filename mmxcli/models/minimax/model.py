"""MiniMax-Text-01 and MiniMax-M1 (MiniMax-01, arXiv 2501.08313, figure 3), one chunk at a time, the state carried.

Of every eight layers seven are lightning attention, which remembers a sum of fixed size, and one is softmax
attention, which remembers every token or a window of the last. Behind each stands a mixture of experts.

Ours rather than the library's because transformers' class turns the whole of a head where these weights turn half,
takes a continued text for a new one where the first layer is lightning attention, keeps decays and sums in the
dtype of the weights, and steps through a continued text token by token. `tests/models/minimax` holds ours against
the equations, and against transformers where that is right.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional

from mmxcli.models import attention
from mmxcli.models.computing import without_denormals
from mmxcli.models.decoder import Decoder, Place
from mmxcli.models.minimax.config import MiniMaxConfig, Residual
from mmxcli.models.minimax.experts import mixture, route
from mmxcli.models.minimax.lightning import lightning, slopes
from mmxcli.models.minimax.weights import read_weights
from mmxcli.models.rotary import Rotary, rotate
from mmxcli.models.shards import EMBEDDING
from mmxcli.state.fixed import RecurrentState
from mmxcli.state.layer import LayerState
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState

ROUTER = "block_sparse_moe.gate.weight"
LIGHTNING_EPSILON = 1e-6  # of the norm behind lightning attention: in the original's code, and in no config


def load(folder: Path, dtype: torch.dtype | None = None) -> "MiniMaxModel":
    """The model in a folder, in the checkpoint's own dtype (float16 becomes bfloat16) unless told.

    In their own dtype weights stay mapped from their files: loading reads none. Routers stay as they are stored,
    in float32 as published, whatever the rest becomes. Raises what MiniMaxConfig.read and read_weights raise.
    """
    config = MiniMaxConfig.read(folder)
    weights = read_weights(folder, config)
    if dtype is None and weights[EMBEDDING].dtype == torch.float16:
        dtype = torch.bfloat16  # as wide, without the overflow; processors multiply it faster
    if dtype is not None:
        weights = {name: t if name.endswith(ROUTER) else t.to(dtype) for name, t in weights.items()}
    return MiniMaxModel(config, weights)


class MiniMaxModel(Decoder):
    """A decoder over weights with the original's names (names.py). Lightning layers see everything, whatever the
    window."""

    def __init__(self, config: MiniMaxConfig, weights: dict[str, Tensor]) -> None:
        super().__init__(config, weights, Rotary(config.rotary_width, config.rotary_theta))
        self.config = config
        self.slopes = [slopes(config.heads, layer, config.layers).to(self.device) for layer in range(config.layers)]

    def new_state(self, window: int | None = None, store: str = "memory") -> ModelState:
        layers: list[LayerState] = []
        for kind in self.config.attention:
            if kind == "lightning":
                layers.append(RecurrentState())
            else:
                layers.append(PagedState(store) if window is None else WindowState(window))
        return ModelState(layers)

    @without_denormals()
    def advance(
        self, state: ModelState, ids: Sequence[int], logits: Literal["none", "last", "all"] = "none"
    ) -> Tensor | None:
        return super().advance(state, ids, logits)

    def widened(self) -> "MiniMaxModel":
        return MiniMaxModel(self.config, self._wide())

    def move(self, device: torch.device) -> None:
        super().move(device)
        self.slopes = [of_layer.to(device) for of_layer in self.slopes]

    def _unpacked(self) -> set[str]:
        return super()._unpacked() | {name for name in self.weights if name.endswith(ROUTER)}

    def _block(self, number: int, hidden: Tensor, state: LayerState, place: Place, *, for_output: bool) -> Tensor:
        """x = norm(h), h = alpha x + beta attention(x), y = norm(h), h = alpha y + beta experts(y).

        What a sublayer's output joins is the normed tensor, not the one before the norm: the paper's PostNorm
        with DeepNorm's factors (section 2.3; DeepNet, arXiv 2203.00555).
        """
        name = f"model.layers.{number}."
        x = self._norm(hidden, name + "input_layernorm.weight")
        if isinstance(state, RecurrentState):
            attended = self._lightning(name + "self_attn.", x, state, self.slopes[number])
            hidden = _joined(x, attended, self.config.lightning_residual)
        else:
            attended = self._softmax(name + "self_attn.", x, cast(attention.AttentionState, state), place)
            hidden = _joined(x, attended, self.config.softmax_residual)
        if not for_output:  # experts are most of the block
            return hidden
        y = self._norm(hidden, name + "post_attention_layernorm.weight")
        return _joined(y, self._experts(name + "block_sparse_moe.", y), self.config.expert_residual)

    def _lightning(self, name: str, x: Tensor, state: RecurrentState, slopes: Tensor) -> Tensor:
        """out(sigmoid(gate x) * norm(lightning(silu(qkv x)))), the norm over all heads together. Modifies `state`.

        No rotary embedding and no 1/sqrt(width): the decay tells near from far, and the norm sets the scale.
        """
        count, heads, width = x.shape[0], self.config.heads, self.config.head_width
        mixed = functional.silu(self._linear(x, name + "qkv_proj"), inplace=True)
        # One head's queries, keys and values lie side by side, then the next head's.
        queries, keys, values = mixed.view(count, heads, 3, width).permute(2, 1, 0, 3)
        seen, state.contents["sum"] = lightning(queries, keys, values, slopes, state.contents.get("sum"))
        normed = self._norm(seen.view(count, heads * width), name + "norm.weight", LIGHTNING_EPSILON)
        gate = self._linear(x, name + "output_gate").sigmoid_()
        return self._linear(gate.mul_(normed), name + "out_proj")

    def _softmax(self, name: str, x: Tensor, state: attention.AttentionState, place: Place) -> Tensor:
        """Softmax attention with grouped heads; of each, the first `rotary_width` numbers turn. Modifies `state`."""
        queries, keys, values = (self._heads(x, name + which) for which in ("q_proj", "k_proj", "v_proj"))
        if queries.shape[1] > 1:  # the copy into the dtype that is multiplied faster pays for many rows only
            queries = queries.to(self.products.dtype)
        capped = None if place.sink_table is None else self._turned(queries, place.sink_table)
        turned = self._turned(queries, place.table)
        attended = attention.read(state, turned, self._turned(keys, place.table), values, capped)
        return self._linear(attended.transpose(0, 1).reshape(x.shape[0], -1).to(x.dtype), name + "o_proj")

    def _heads(self, x: Tensor, name: str) -> Tensor:
        """(heads, n, width) in the dtype of the weights."""
        return self._linear(x, name).view(x.shape[0], -1, self.config.head_width).to(self.dtype).transpose(0, 1)

    def _turned(self, vectors: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
        width = self.config.rotary_width
        if width == vectors.shape[-1]:
            return rotate(vectors, table)
        return torch.cat((rotate(vectors[..., :width], table), vectors[..., width:]), dim=-1)

    def _experts(self, name: str, y: Tensor) -> Tensor:
        """The sum over a token's experts of share * w2(silu(w1 y) * w3 y): (n, hidden) in float32."""

        def work(expert: int, rows: Tensor) -> Tensor:
            inner = f"{name}experts.{expert}."
            gate = functional.silu(self._linear(rows, inner + "w1"), inplace=True)
            return self._linear(gate.mul_(self._linear(rows, inner + "w3")), inner + "w2")

        experts, shares = route(y, self.weights[name + "gate.weight"], self.config.experts_per_token)
        return mixture(y, experts, shares, work, self.config.experts)


def _joined(x: Tensor, made: Tensor, residual: Residual) -> Tensor:
    """alpha x + beta made, in the dtype of x."""
    return torch.add(made * residual.beta, x, alpha=residual.alpha).to(x.dtype)
