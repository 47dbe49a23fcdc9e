"""What reading would take on this machine, from the model's anatomy and a short measurement."""

import time

from mmxcli.models.anatomy import Anatomy

PROBE_S = 0.3
ATTENTION_SHARE = 0.6  # of the speed of plain products that attention reaches, measured


def seconds_to_read(anatomy: Anatomy, tokens: int, window: int, rate: float) -> float:
    """Seconds to read so many tokens when every token sees at most `window`, at `rate` operations a second.

    Two operations a weight, and four a visible token and query head component (products with keys and values).
    """
    seen = min(tokens / 2, window)
    attention = 4 * seen * anatomy.attention_width
    return tokens * (2 * anatomy.parameters_per_token + attention / ATTENTION_SHARE) / rate


def operations_per_second(anatomy: Anatomy, rows: int) -> float:
    """Floating-point operations a second in the model's largest product, as it is read: `rows` tokens at once."""
    import torch

    from mmxcli.models.products import Products

    products = Products(torch.bfloat16)
    width, height = anatomy.largest_product
    inputs = torch.randn(rows, width).to(products.dtype)
    weight = torch.randn(height, width).bfloat16()
    products.linear(inputs, weight)
    runs, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < PROBE_S:
        products.linear(inputs, weight)
        runs += 1
    return 2 * rows * width * height * runs / spent
