"""A matrix in 8 bits as models/kernels.py multiplies it."""

from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mmxcli.models.compiler import as_many_threads
from mmxcli.models.kernels import GROUP, product
from mmxcli.models.lanes import PANEL
from mmxcli.models.packed import PackedWeight


def arranged(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix (out, in) rounded to codes, int8, and their scales, float32, in the order of kernels.Weights."""
    filled = functional.pad(weight.float(), (0, -weight.shape[1] % GROUP, 0, -weight.shape[0] % PANEL))
    wide = filled.view(-1, PANEL, filled.shape[1] // GROUP, GROUP)
    largest = wide.abs().amax(dim=3, keepdim=True).clamp_min_(1e-30)
    codes = (wide * (127 / largest)).round_().to(torch.int8).view(-1, PANEL, filled.shape[1] // 2, 2)
    return codes.transpose(1, 2).contiguous(), (largest[..., 0] / 127).transpose(1, 2).contiguous()


class PanelWeight(PackedWeight):
    """A matrix (out, in) in 8 bits with a scale for GROUP entries of a row, multiplied as it is by rows in 16 bits."""

    def __init__(self, weight: Tensor) -> None:
        self.shape, self.dtype = weight.shape, weight.dtype
        self._codes, self._scales = arranged(weight)

    def unpacked(self, dtype: torch.dtype) -> Tensor:
        codes = self._codes.transpose(1, 2).reshape(-1, PANEL, self._scales.shape[1], GROUP)
        filled = (codes * self._scales.transpose(1, 2)[..., None]).view(len(codes) * PANEL, -1)
        return filled[: self.shape[0], : self.shape[1]].to(dtype)

    def linear(self, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
        output = cast(Tensor, torch.ops.mmx.multiply_panels(inputs, self._codes, self._scales, self.shape[0]))
        return output if bias is None else output + bias.to(output.dtype)

    @property
    def nbytes(self) -> int:
        return self._codes.nbytes + self._scales.nbytes


def compile_product() -> None:
    """Or loads what was compiled."""
    nothing = torch.zeros(1, GROUP, device="cpu")  # whatever is the default just now
    PanelWeight(nothing).linear(nothing)


def _computed(inputs: Tensor, codes: Tensor, scales: Tensor, outputs: int) -> Tensor:
    rows = inputs.float().contiguous()
    found = np.empty((len(rows), outputs), np.float32)
    with as_many_threads():
        product(codes.numpy().reshape(-1), scales.numpy().reshape(-1), rows.numpy(), found)
    return torch.from_numpy(found).to(inputs.dtype)


def _shaped(inputs: Tensor, codes: Tensor, scales: Tensor, outputs: int) -> Tensor:  # noqa: ARG001
    return inputs.new_empty(len(inputs), outputs)


# An operation of torch's, as in tiled_attention.py.
_OPERATIONS = torch.library.Library("mmx", "FRAGMENT")  # type: ignore[no-untyped-call]
_OPERATIONS.define(  # type: ignore[no-untyped-call]
    "multiply_panels(Tensor inputs, Tensor codes, Tensor scales, int outputs) -> Tensor"
)
_OPERATIONS.impl("multiply_panels", _computed, "CPU")  # type: ignore[no-untyped-call]
_OPERATIONS.impl("multiply_panels", _shaped, "Meta")  # type: ignore[no-untyped-call]
