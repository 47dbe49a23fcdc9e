"""A network of transformers whose matrices are kept in 8 or 4 bits."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmxcli.models.packed import PackedWeight, Packing


@dataclass(frozen=True, slots=True)
class PackedStack:
    """A weight (out, in), or a stack of them (experts, out, in): its matrices one by one."""

    shape: torch.Size
    dtype: torch.dtype
    matrices: list[PackedWeight]

    @classmethod
    def of(cls, weight: Tensor, quant: Packing, device: torch.device) -> "PackedStack":
        matrices = weight.reshape(-1, *weight.shape[-2:])
        return cls(weight.shape, weight.dtype, [PackedWeight(matrix.to(device), quant) for matrix in matrices])

    def unpacked(self, dtype: torch.dtype | None = None) -> Tensor:
        parts = [matrix.unpacked(dtype or self.dtype) for matrix in self.matrices]
        return parts[0] if len(self.shape) == 2 else torch.stack(parts)


def pack(network: Any, quant: Packing, device: torch.device) -> None:
    """Packs the weights of every linear layer but embedding and head, and of stacked experts, on `device`. Modifies
    `network`.

    A packed weight is unpacked whenever the library's code asks for it, whichever way it multiplies, so that nothing
    else changes. It is no parameter any more.
    """
    outside = {id(network.get_input_embeddings().weight), id(network.get_output_embeddings().weight)}
    for module in list(network.modules()):
        for name, weight in list(module.named_parameters(recurse=False)):
            stacked = weight.dim() == 3 and not isinstance(module, nn.Conv1d)
            if id(weight) not in outside and (stacked or (weight.dim() == 2 and isinstance(module, nn.Linear))):
                _replace(module, name, PackedStack.of(weight.data, quant, device))


def packed(network: nn.Module) -> dict[str, PackedStack]:
    """What was packed, by the names that the parameters had."""
    found = {}
    for prefix, module in network.named_modules():
        for name, stack in module.__dict__.get("packed", {}).items():
            found[f"{prefix}.{name}"] = stack
    return found


def _replace(module: nn.Module, name: str, stack: PackedStack) -> None:
    """Gives `module`, and no other, a property in the place of its parameter."""
    del module._parameters[name]
    module.__dict__.setdefault("packed", {})[name] = stack
    kind = type(module)
    module.__class__ = type(kind.__name__, (kind,), {name: property(lambda self: self.packed[name].unpacked())})
