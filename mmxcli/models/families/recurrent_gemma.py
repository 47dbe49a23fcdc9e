"""recurrent_gemma: the library keeps the state in its modules and drops the convolution's context at every chunk."""

from types import MethodType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from mmxcli.models.families.family import Family
from mmxcli.models.library.attention import current_cache


class RecurrentGemma(Family):
    def prepare(self, network: PreTrainedModel) -> None:
        for number, layer in enumerate(network.base_model.layers):
            if hasattr(layer.temporal_block, "rg_lru"):
                layer.temporal_block.layer_number = number
                layer.temporal_block.forward = MethodType(_forward, layer.temporal_block)


def _forward(block: Any, input_states: Tensor, position_ids: Tensor, **_: object) -> tuple[Tensor, None]:
    """The recurrent block of Griffin (arXiv 2402.19427, section 2.4): linear, convolution and RG-LRU on one branch,
    linear and GeLU on the other. input_states (1, n, hidden) to (1, n, hidden)."""
    cache, number = current_cache(), block.layer_number
    gate = block.act_fn(block.linear_y(input_states))
    inputs = block.linear_x(input_states).transpose(1, 2)
    before = cache.get_conv_state(number) if cache else None
    if before is None:
        before = torch.zeros_like(inputs[..., :1]).expand(-1, -1, block.conv1d_width - 1)
    seen = torch.cat((before, inputs), dim=-1)
    convolved = functional.conv1d(seen, block.conv_1d.weight, block.conv_1d.bias, groups=inputs.shape[1])
    block.rg_lru.recurrent_states = cache.get_recurrent_state(number) if cache else None
    mixed = block.rg_lru(convolved.transpose(1, 2), position_ids)
    if cache:
        cache.layers[number].conv_states[0] = seen[..., -before.shape[-1] :].clone()
        cache.update_recurrent_state(block.rg_lru.recurrent_states, number)
    block.rg_lru.recurrent_states = None
    return block.linear_out(mixed * gate), None
