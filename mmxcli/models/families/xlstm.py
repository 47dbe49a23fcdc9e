"""xlstm: the library has a cache of its own, in the dtype of the weights; here the memory and its cells are float32."""

from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mmxcli.models.families.family import Family, Piece, cache_name
from mmxcli.models.library.cache import RECURRENCE
from mmxcli.models.library.layers import Layer
from mmxcli.state.fixed import RecurrentState
from mmxcli.state.mixed import MixedState
from mmxcli.state.model_state import ModelState

PARTS = ("memory", "normalizer", "maximum")  # C, n and m of the mLSTM (xLSTM, arXiv 2405.04517, equations 19 to 27)


class Xlstm(Family):
    def prepare(self, network: PreTrainedModel) -> None:
        """The library's cells multiply the memory with queries of the weights' dtype: both become float32."""
        for module in network.modules():
            if isinstance(cell := getattr(module, "mlstm_backend", None), nn.Module):
                cell.register_forward_pre_hook(_widen, with_kwargs=True)
                cell.register_forward_hook(_narrow, with_kwargs=True)

    def layers(self, config: Any) -> list[Layer]:
        return [Layer(attention=False, own_window=None, linear=True)] * int(config.num_hidden_layers)

    def run(self, forward: nn.Module, piece: Piece, state: ModelState) -> Any:
        parts = [cast(RecurrentState, cast(MixedState, layer).parts[RECURRENCE]) for layer in state.layers]
        config: Any = forward.config
        for part in parts:
            part.contents = part.contents or _empty(config, piece.ids.device)
        carried = {number: tuple(part.contents[name] for name in PARTS) for number, part in enumerate(parts)}
        cache = SimpleNamespace(rnn_state=carried, seqlen_offset=0)  # the library writes the new state over the old one
        return forward(piece.ids, use_cache=True, **{cache_name(forward): cache})


def _widen(cell: Any, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    cell.dtype_outside = named["query"].dtype
    return inputs, {name: _wide(given) for name, given in named.items()}


def _wide(given: Tensor | None) -> Tensor | None:
    return given.float() if given is not None and given.dtype.itemsize < 4 else given


def _narrow(cell: Any, _: object, __: object, output: tuple[Tensor, Any]) -> tuple[Tensor, Any]:
    return output[0].to(cell.dtype_outside), output[1]


def _empty(config: Any, device: torch.device) -> dict[str, Tensor]:
    heads, keys, values = config.num_heads, config.qk_head_dim, config.v_head_dim
    sizes = ((heads, keys, values), (heads, keys), (heads, 1))
    return {name: torch.zeros(1, *size, device=device) for name, size in zip(PARTS, sizes, strict=True)}
