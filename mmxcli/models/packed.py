"""Weights in 8 or 4 bits, unpacked where they are multiplied."""

import logging
from collections.abc import Callable, Container
from functools import cache
from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.nn import functional

Packing = Literal["int8", "nf4"]
NF4_BLOCK = 64  # weights that share a scale


class PackedWeight:
    """A matrix (out, in) whose entries are `quant`: "int8", with a scale for each row, or "nf4", the sixteen quantiles
    of a normal distribution with a scale for 64 entries (QLoRA, arXiv 2305.14314, section 3; packed by bitsandbytes).

    Memory is what it saves. Many rows are multiplied by unpacking the matrix first, which costs a fraction of the
    product; activations stay as they are, because rounding them to 8 bits is what ruins a model.
    """

    def __init__(self, weight: Tensor, quant: Packing) -> None:
        """`weight`: a matrix in a floating-point dtype, on the device where it is to stay. It is not kept."""
        self.shape = weight.shape
        self.dtype = weight.dtype
        self.quant = quant
        self._packed: Tensor
        self._facts: Any  # scales (out, 1), or bitsandbytes' own record
        if quant == "nf4":
            self._packed, self._facts = _bitsandbytes().quantize_4bit(
                _in_blocks(weight), quant_type="nf4", blocksize=NF4_BLOCK
            )
        else:
            scales = weight.float().abs().amax(dim=1, keepdim=True).clamp_min(1e-30) / 127
            self._packed = (weight.float() / scales).round_().to(torch.int8)
            self._facts = scales.to(weight.dtype)

    def unpacked(self, dtype: torch.dtype) -> Tensor:
        """The matrix that is multiplied with, (out, in)."""
        if self.quant == "nf4":
            blocks = cast(Tensor, _bitsandbytes().dequantize_4bit(self._packed, self._facts))
            return blocks.flatten()[: self.shape.numel()].view(self.shape).to(dtype)
        return cast(Tensor, self._packed.to(dtype) * self._facts.to(dtype))

    def linear(self, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
        """inputs (n, in) times the matrix plus bias (out,): (n, out) in the dtype of the inputs."""
        if self._one_row_is_faster and inputs.shape[0] == 1 and inputs.dtype == self.dtype:
            output: Tensor = torch.ops.aten._weight_int8pack_mm(inputs, self._packed, self._facts[:, 0])
            return output if bias is None else output + bias
        return functional.linear(inputs, self.unpacked(inputs.dtype), None if bias is None else bias.to(inputs.dtype))

    @property
    def _one_row_is_faster(self) -> bool:
        """One row is bound by reading the weights, and torch has a product that reads 8 bits where bfloat16 has 16. It
        reads outside the matrix where a row is no whole number of its vectors."""
        here = not self._packed.is_cuda
        return here and self.quant == "int8" and self.dtype == torch.bfloat16 and self.shape[1] % 64 == 0

    @property
    def nbytes(self) -> int:
        absmax = self._facts.absmax if self.quant == "nf4" else self._facts
        return int(self._packed.nbytes + absmax.nbytes)


def packed(weight: Tensor, quant: Packing) -> PackedWeight:
    """`weight` as it is multiplied fastest on its device: for processors that multiply bfloat16 slowly, 8 bits have
    compiled products (models/panels.py), whose rows are rounded to 16 bits, as finely as bfloat16 ones at least."""
    compiled = quant == "int8" and weight.dtype == torch.bfloat16 and not weight.is_cuda and _compiled()
    return compiled(weight) if compiled else PackedWeight(weight, quant)


@cache
def _compiled() -> Callable[[Tensor], PackedWeight] | None:
    from mmxcli.models.compiler import compiles, load_compiler
    from mmxcli.models.products import prefers_bfloat16

    if prefers_bfloat16():
        return None
    folder = load_compiler()
    from mmxcli.models import panels, tiles

    return panels.PanelWeight if tiles.has_floats() and compiles(panels.compile_product, folder) else None


def _in_blocks(weight: Tensor) -> Tensor:
    """The entries in rows of one block, the last filled with zeros: bitsandbytes 0.50 unpacks a matrix wrongly on a
    processor where its rows are no whole number of blocks."""
    missing = -weight.numel() % NF4_BLOCK
    return functional.pad(weight.reshape(-1), (0, missing)).view(-1, NF4_BLOCK)


def pack(
    weights: dict[str, Tensor], quant: Packing, device: torch.device, kept: Container[str]
) -> dict[str, PackedWeight]:
    """Takes the matrices but those that are `kept` out of `weights`, which it modifies, one by one, and packs them on
    `device`.

    The others are copied, so that nothing holds the files from which all were mapped.
    """
    names = [name for name, weight in weights.items() if weight.dim() == 2 and name not in kept]
    found = {name: packed(weights.pop(name).to(device), quant) for name in names}
    for name, weight in weights.items():
        weights[name] = weight.clone()
    return found


def _bitsandbytes() -> Any:
    """The library's functions, which complain of optional kernels when they are imported."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from bitsandbytes import functional as found

    return found
