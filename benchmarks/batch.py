"""Would questions be answered faster in a batch? One-token steps of several questions share each product's weights.

    python benchmarks/batch.py [--model qwen2.5-coder-0.5b] [--rows 1 2 4 8]

Times the products of one step, all matrices of all layers and the head, for several rows at once, and for the same rows
one after the other, in turn; attention and the small operations, which a batch does not save, are left out. Prints how
many times faster the batch is: below 1 it is slower.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

from mmxcli.config import load_settings
from mmxcli.models.load import load_softmax
from mmxcli.models.weights import locate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--rows", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    folder = locate(args.model, load_settings({}, environ=os.environ, cwd=Path.cwd()).weights_folder).path
    model = load_softmax(folder)
    matrices = [weight for name, weight in model.weights.items() if weight.dim() == 2 and "embed" not in name]
    matrices.append(model.head)

    def step(rows: int) -> None:
        for weight in matrices:
            model.products.linear(torch.ones(rows, weight.shape[1], dtype=model.products.dtype), weight)

    with torch.inference_mode():
        for rows in args.rows:
            together, apart = [], []
            for _ in range(args.rounds):
                together.append(timed(lambda rows=rows: step(rows)))
                apart.append(timed(lambda rows=rows: [step(1) for _ in range(rows)]))
            print(
                f"{rows} rows: {1000 * min(together):6.0f} ms together, {1000 * min(apart):6.0f} ms one by one: "
                f"{min(apart) / min(together):.2f} times as fast",
                flush=True,
            )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
