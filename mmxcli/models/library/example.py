"""A network of transformers with random numbers for weights: it reads as long as one with its own."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmxcli.models.library.model import LibraryModel

SMALL = 0.02  # the deviation of weights, so that nothing overflows
# Recurrences forget as those do that are trained, since what has vanished takes several times as long to compute: steps
# of 0.001 to 0.1, whose softplus these are (arXiv 2405.21060 and its code), and decays whose logarithm this is.
STEPS = (-6.9, -2.25)
FORGETTING = {"dt_bias": STEPS, "dt_proj.bias": STEPS, "A_log": (2.5, 2.5)}


@torch.inference_mode()
def fill(model: LibraryModel, take: Callable[[int], Tensor]) -> None:
    """Gives the weights of a model without contents some. `take` gives so many random numbers. Modifies `model`."""
    for path, module in model.network.named_modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                numbers = torch.ones_like(weight, device="cpu") if weight.dim() == 1 else SMALL * take(weight.numel())
                for end, (least, most) in FORGETTING.items():
                    if f"{path}.{name}".endswith(end):
                        numbers = torch.linspace(least, most, weight.numel(), dtype=weight.dtype)
                module._parameters[name] = nn.Parameter(numbers.view(weight.shape), requires_grad=False)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.ones(buffer.shape, dtype=buffer.dtype)
