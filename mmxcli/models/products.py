"""Products of activations and weights, in the dtype that this processor multiplies fastest."""

import torch
from torch import Tensor
from torch.nn import functional

from mmxcli.models.packed import PackedWeight


class Products:
    """Chooses `dtype`, that of the activations, for weights of a given dtype.

    A processor without bfloat16 instructions multiplies bfloat16 matrices ten times slower than float32 ones
    (7 against 70 GFLOP/s on two Zen 3 cores), but one row about as fast as memory gives the weights. There,
    activations are float32, and weights are widened one matrix at a time where there is more than one row:
    the copy costs a hundredth of the product, and the weights stay at half the memory.
    """

    def __init__(self, weights: torch.dtype) -> None:
        native = weights != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self.dtype = weights if native else torch.float32

    def linear(self, inputs: Tensor, weight: Tensor | PackedWeight, bias: Tensor | None = None) -> Tensor:
        """inputs (n, in) times weight (out, in) plus bias (out,): (n, out) in the dtype of the inputs."""
        if isinstance(weight, PackedWeight):
            return weight.linear(inputs, bias)
        if weight.dtype == inputs.dtype:
            return functional.linear(inputs, weight, bias)
        if inputs.shape[0] == 1:
            return functional.linear(inputs.to(weight.dtype), weight, bias).to(inputs.dtype)
        return functional.linear(inputs, weight.to(inputs.dtype), None if bias is None else bias.to(inputs.dtype))
