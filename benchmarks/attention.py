"""Attention of 512 tokens in a window: compiled (mmxcli/models/tiled_attention.py) beside torch's own, in turn.

    python benchmarks/attention.py [--rounds 15]

Random queries, keys and values in the dtype in which this processor reads, with the heads of the embedded models.
Milliseconds of one layer, the least, and billions of products a second.
"""

import argparse
import time
from collections.abc import Callable

import torch

from mmxcli.models import attention
from mmxcli.models.products import prefers_bfloat16

HEADS = {"smollm2-135m": (9, 3), "qwen2.5-coder-0.5b": (14, 2)}
COUNT, WIDTH, SCALE = 512, 64, 0.125


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    dtype = torch.bfloat16 if prefers_bfloat16() else torch.float32
    tiled = attention.compiled(dtype)
    if tiled is None:
        raise SystemExit("this processor has no AVX2, or multiplies in tiles of its own: torch's own is used")
    for name, (heads, shared) in HEADS.items():
        for window in (1024, 4096):
            queries = torch.randn(heads, COUNT, WIDTH).to(dtype)
            keys, values = torch.randn(2, shared, window, WIDTH).to(dtype)
            sight = tiled.Sight(0, 0, window, 0)
            grouped = queries.reshape(shared, -1, WIDTH)
            ways: dict[str, Callable[[], object]] = {
                "compiled": lambda: tiled.attend(queries, keys, values, sight, SCALE),  # noqa: B023
                "torch": lambda: attention._flash(grouped, keys, values, SCALE, causal=False),  # noqa: B023
            }
            for run in ways.values():
                run()
            times = {way: min(seconds(run) for _ in range(rounds)) for way, run in ways.items()}
            products = 2 * heads * COUNT * window * WIDTH
            told = ", ".join(
                f"{way} {1e3 * took:.2f} ms, {products / took / 1e9:.0f} G/s" for way, took in times.items()
            )
            print(f"{name}, {window:,} keys: {told}; {times['torch'] / times['compiled']:.2f} times as fast")


if __name__ == "__main__":
    main()
