"""How fast a text is read in chunks of different sizes, and how much memory a chunk takes.

    python benchmarks/chunks.py [--models smollm2-135m qwen2.5-coder-0.5b granitemoehybrid qwen3_next] [--rounds 2]
        [--quant none float32] [--sizes 128 256 512 1024 2048]

Names are those of benchmarks/plan.py. Sizes are read in turn in every round; the best time of each counts. Policy.chunk
chooses by these figures, and Policy.quant by those of `--quant`.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from plan import FAMILIES, TOKENIZER, alone, make

from mmxcli.config import load_settings
from mmxcli.models.anatomy import Quant
from mmxcli.models.load import load_model
from mmxcli.models.registry import REGISTRY
from mmxcli.reading.cuts import chunks
from mmxcli.reading.policy import SOFTMAX_WINDOW

SIZES = (128, 256, 512, 1_024, 2_048)
TOKENS = 2_048


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["smollm2-135m", "qwen2.5-coder-0.5b", "granitemoehybrid", "qwen3_next"]
    parser.add_argument("--models", nargs="+", default=names)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quant", nargs="+", default=["none"])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    args = parser.parse_args()
    weights = load_settings({}, environ=os.environ, cwd=Path.cwd()).weights_folder
    print(f"tokens a second of {TOKENS:,} tokens, in chunks of", *args.sizes, sep="  ")
    for name in args.models:
        with tempfile.TemporaryDirectory() as temporary:
            folder = weights / name
            if name in FAMILIES:
                folder = Path(temporary)
                alone(make, name, folder, weights / TOKENIZER)
            for quant in args.quant:
                speeds = alone(read, folder, quant, args.rounds, args.sizes)
                print(f"{name:20} {quant:8}", *(f"{speed:7,.0f}" for speed in speeds), flush=True)


def read(folder: Path, quant: Quant, rounds: int, sizes: Sequence[int]) -> list[float]:
    """Tokens a second for each of the sizes."""
    model = load_model(folder, quant=quant)
    window = SOFTMAX_WINDOW if folder.name in REGISTRY else None
    torch.manual_seed(20)
    ids = torch.randint(0, 30_000, (TOKENS,)).tolist()
    best = dict.fromkeys(sizes, 0.0)
    for _ in range(rounds):
        for size in sizes:
            state, start = model.new_state(window), time.perf_counter()
            for piece in chunks(ids, size):
                model.advance(state, piece)
            best[size] = max(best[size], TOKENS / (time.perf_counter() - start))
    return list(best.values())


if __name__ == "__main__":
    main()
