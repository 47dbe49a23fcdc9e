"""What keeping 100,000 tokens costs: the share of reading that is spent in the state and not in attention.

    python benchmarks/pages.py [--model smollm2-135m] [--tokens 100000] [--chunks 2]

A state that sees everything is filled with random keys and values, because filling it by reading would take an hour;
then chunks of 512 tokens are read on top, once for each way to keep pages. Rounding back from 8 bits counts as the
state's own time.
"""

import argparse
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch

from mmxcli.config import load_settings
from mmxcli.models.load import load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.weights import locate
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import STORES, PagedState
from mmxcli.state.sizes import PAGE

CHUNK = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--chunks", type=int, default=2)
    args = parser.parse_args()
    folder = locate(args.model, load_settings({}, environ=os.environ, cwd=Path.cwd()).weights_folder).path
    model = load_softmax(folder)
    ids = [random.Random(1).randrange(1_000) for _ in range(CHUNK)]
    print(f"{args.model}, {args.tokens:,} tokens kept, chunks of {CHUNK}")
    for store in STORES:
        state = filled(model, args.tokens, store)
        spent, whole = timed(model, state, ids, args.chunks)
        size = sum(layer.bytes for layer in state.layers) / 2**30
        print(
            f"{store:7} {size:5.2f} GiB  {whole / args.chunks:6.2f} s a chunk  state {spent / whole:6.1%}", flush=True
        )


def filled(model: SoftmaxModel, tokens: int, store: str) -> ModelState:
    state = model.new_state(None, store)
    shape = model.shape
    for layer in state.layers:
        for start in range(0, tokens, PAGE):
            pairs = torch.randn(2, shape.key_heads, min(PAGE, tokens - start), shape.head_width).to(model.dtype)
            cast(PagedState, layer).append(pairs[0], pairs[1])
    state.position = tokens
    return state


def timed(model: SoftmaxModel, state: ModelState, ids: list[int], chunks: int) -> tuple[float, float]:
    """Seconds in the state's own methods, and in all."""
    spent = 0.0

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            nonlocal spent
            start = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                spent += time.perf_counter() - start

        return run

    kept = {name: getattr(PagedState, name) for name in ("append", "seen", "_decoded")}
    for name, method in kept.items():
        setattr(PagedState, name, watched(method))
    start = time.perf_counter()
    for _ in range(chunks):
        model.advance(state, ids)
    whole = time.perf_counter() - start
    for name, method in kept.items():
        setattr(PagedState, name, method)
    return spent, whole


if __name__ == "__main__":
    main()
