"""mamba, falcon_mamba, jamba, zamba: the selective scan of Mamba, seeded with what was read before.

The library's scan begins with a state of zeros at every call of more than one token, though the convolution goes on
with its context: everything read before is forgotten, silently.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from mmxcli.models.families.family import Family
from mmxcli.models.families.rebind import rebind
from mmxcli.models.library.attention import current_cache

BLOCK = 64  # tokens whose discretised inputs are in memory at a time


class SelectiveScan(Family):
    def prepare(self, network: PreTrainedModel) -> None:
        for module in network.modules():
            if hasattr(module, "A_log") and hasattr(module, "layer_idx"):
                _Seeded(module)


class _Seeded:
    """The scans of one mixer: one a call, or one for each of its heads in order (zamba)."""

    def __init__(self, mixer: nn.Module) -> None:
        self.layer = int(mixer.layer_idx)  # type: ignore[arg-type]
        self.heads = int(getattr(mixer, "n_mamba_heads", 0))
        self.done = 0
        mixer.register_forward_pre_hook(self._start)
        rebind(mixer, mamba_selective_scan=self)

    def _start(self, *_: object) -> None:
        self.done = 0

    def __call__(self, hidden_states: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, **named: Any) -> Any:
        cache = current_cache()
        state = cache.get_recurrent_state(self.layer) if cache else None
        if state is not None and self.heads:
            state = state[:, self.done]
        self.done += 1
        output, last = selective_scan(
            hidden_states, dt, A, B, C, named["D"], named["z"], named.get("delta_bias"), state
        )
        return (output, last) if named.get("return_last_state") else output


def selective_scan(  # noqa: PLR0913 - each is a letter of the formula
    inputs: Tensor,
    steps: Tensor,
    rates: Tensor,
    into: Tensor,
    out_of: Tensor,
    skip: Tensor,
    gate: Tensor,
    bias: Tensor | None,
    state: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The recurrence of Mamba (arXiv 2312.00752, equations 2 and 4 and algorithm 2), token by token in float32:

        h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t x_t        y_t = (C_t h_t + D x_t) · silu(z_t)

    inputs x, steps Δ before softplus, gate z: (1, channels, tokens); rates A: (channels, states), negative;
    into B, out_of C: (1, states, tokens); skip D, bias of Δ: (channels,); state h_0: (1, channels, states) or None
    for zeros. Returns y (1, channels, tokens) in the dtype of the inputs, and h after the last token in float32.
    """
    delta = steps if bias is None else steps + bias.to(steps.dtype)[..., None]
    delta = functional.softplus(delta)[0].float().T  # (tokens, channels), as all that follows
    drive = delta * inputs[0].float().T
    into, out_of = into[0].float().T, out_of[0].float().T  # (tokens, states)
    wide = torch.promote_types(rates.dtype, torch.float32)
    now = torch.zeros_like(rates, dtype=wide) if state is None else state[0].to(wide)
    outputs = []
    for start in range(0, delta.shape[0], BLOCK):
        rows = slice(start, start + BLOCK)
        decays = torch.exp(delta[rows, :, None] * rates)  # (block, channels, states)
        states = drive[rows, :, None] * into[rows, None, :]
        for decay, added in zip(decays, states, strict=True):
            now = added.addcmul_(decay, now)
        outputs.append(torch.bmm(states, out_of[rows, :, None])[..., 0])
    output = torch.cat(outputs).T[None].to(inputs.dtype) + inputs * skip[None, :, None]
    return output * functional.silu(gate), now[None]
