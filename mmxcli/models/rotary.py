"""Rotary position embedding (RoFormer, arXiv 2104.09864, equation 34), in the half-split layout of llama."""

import torch
from torch import Tensor


class Rotary:
    """Turns queries and keys by their positions. Only differences of positions matter to attention.

    Angles are computed in float64: at position 10^6 a float32 angle is off by 0.06 radians.
    """

    def __init__(self, width: int, theta: float) -> None:
        exponents = torch.arange(0, width, 2, dtype=torch.float64) / width
        self.frequencies = theta**-exponents  # (width / 2,), radians a token

    def table(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin for integer positions (n,): each (n, width / 2) in float32."""
        angles = positions.to(torch.float64)[:, None] * self.frequencies.to(positions.device)
        return angles.cos().float(), angles.sin().float()


def rotate(vectors: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """vectors (heads, n, width) turned by a table for n positions; computed in float32, returned in their dtype."""
    cos, sin = table
    first, second = vectors.float().chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).to(vectors.dtype)
