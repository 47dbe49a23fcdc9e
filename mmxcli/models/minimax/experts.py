"""The mixture of experts (MiniMax-01, arXiv 2501.08313, section 2.1): each token is worked on by a few of many."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def route(inputs: Tensor, gate: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Which `count` experts each of n tokens goes to, and how much each counts: numbers and shares, (n, count).

    inputs (n, hidden), gate (experts, hidden). Computed in float32 whatever the weights are, since a rounding here
    sends a token to another expert. A token's shares sum to 1.
    """
    likelihoods = functional.linear(inputs.float(), gate.float()).softmax(dim=-1)
    shares, experts = likelihoods.topk(count, dim=-1)
    return experts, shares / shares.sum(dim=-1, keepdim=True)


def mixture(
    inputs: Tensor, experts: Tensor, shares: Tensor, work: Callable[[int, Tensor], Tensor], of: int | None = None
) -> Tensor:
    """The sum of what its experts make of each token, weighed by their shares: (n, hidden), float32.

    `experts` and `shares` come from `route`. `work(expert, rows)` is called once for each expert that some token
    goes to, with those tokens only, so the weights of the others are never touched. Tensors without contents are
    spread evenly over the `of` experts that there are.
    """
    total = torch.zeros(inputs.shape, dtype=torch.float32, device=inputs.device)
    places = experts.flatten().argsort(stable=True)  # the places in `experts`, by expert
    for expert, own in enumerate(torch.split(places, _counts(experts, of))):
        if own.numel():
            tokens = own // experts.shape[1]
            made = work(expert, inputs.index_select(0, tokens)).float()
            total.index_add_(0, tokens, made * shares.flatten()[own, None])
    return total


def _counts(experts: Tensor, of: int | None) -> list[int]:
    """To how many of the places in `experts` each expert comes."""
    if experts.is_meta and of:
        each, more = divmod(experts.numel(), of)
        return [each + (expert < more) for expert in range(of)]
    counts: list[int] = experts.flatten().bincount().tolist()
    return counts
