"""Families of Mamba-2 layers: a token read alone is read like one among many.

The library reads many tokens by mamba2_chunk_scan, in float32 and with Δ clamped to `time_step_limit`, and one token
by mamba2_selective_state_update, in the dtype of the weights and without the clamp. So where the limits are not 0 and
infinity (nemotron_h, zamba2) a text whose last chunk is one token long ends in another state, and every token that is
written is read wrongly.
"""

import inspect
from collections.abc import Callable

from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from mmxcli.models.families.family import Family
from mmxcli.models.families.rebind import rebind

NAME = "mamba2_selective_state_update"
Step = Callable[..., Tensor]


class SingleStep(Family):
    def prepare(self, network: PreTrainedModel) -> None:
        for module in network.modules():
            if hasattr(module, "A_log") and hasattr(module, "layer_idx"):
                least, most = getattr(module, "time_step_limit", (0.0, float("inf")))
                step: Step = inspect.unwrap(type(module).forward).__globals__[NAME]
                rebind(module, **{NAME: _as_in_a_scan(step, least, most)})


def _as_in_a_scan(step: Step, least: float, most: float) -> Step:
    """The library's step, with Δ = clamp(softplus(Δ + bias)) and all else in float32, as its scan has it."""

    def stepped(state: Tensor, hidden: Tensor, dt: Tensor, *others: Tensor, dt_bias: Tensor, **named: object) -> Tensor:
        delta = functional.softplus(dt + dt_bias.to(dt.dtype)).clamp(least, most)
        wide = (tensor.to(state.dtype) for tensor in (hidden, delta, *others))
        return step(state, *wide, **named | {"dt_softplus": False}).to(hidden.dtype)

    return stepped
