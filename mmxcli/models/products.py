"""Products of activations and weights, in the dtype that this processor multiplies fastest."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mmxcli.models.packed import PackedWeight


def has_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16 matrices."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def prefers_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices faster than float32 ones.

    Intel's multiply them fast in tiles (AMX). Where these are hidden, as in many virtual machines, what is left is
    vdpbf16ps, of which one core starts 1.7 billion a second beside 6.8 billion float32 vfmadd231ps of half as many
    products (Emerald Rapids): float32 reads 1.5 times as fast there. The rule is fixed, and no measurement, so that a
    state is the same whichever process goes on with it.
    """
    told: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    tileless = str(told.get("cpu_name", "")).startswith("Intel") and not told.get("amx_bf16")
    return has_bfloat16() and not tileless


class Products:
    """Chooses `dtype`, that of the activations, for weights of a given dtype on a device.

    A processor without bfloat16 instructions multiplies bfloat16 matrices ten times slower than float32 ones
    (7 against 170 GFLOP/s on two Zen 3 cores), but one row about as fast as memory gives the weights. There,
    activations are float32, and weights are widened one matrix at a time where there is more than one row: for 512 of
    them the copy costs a twentieth of the product, and the weights stay at half the memory.
    """

    def __init__(self, weights: torch.dtype, device: torch.device) -> None:
        """GPUs multiply bfloat16 matrices fastest."""
        same = weights != torch.bfloat16 or device.type == "cuda" or prefers_bfloat16()
        self.dtype = weights if same else torch.float32

    def linear(self, inputs: Tensor, weight: Tensor | PackedWeight, bias: Tensor | None = None) -> Tensor:
        """inputs (n, in) times weight (out, in) plus bias (out,): (n, out) in the dtype of the inputs."""
        if isinstance(weight, PackedWeight):
            return weight.linear(inputs, bias)
        if weight.dtype == inputs.dtype:
            return functional.linear(inputs, weight, bias)
        if inputs.shape[0] == 1:
            return functional.linear(inputs.to(weight.dtype), weight, bias).to(inputs.dtype)
        return functional.linear(inputs, weight.to(inputs.dtype), None if bias is None else bias.to(inputs.dtype))
