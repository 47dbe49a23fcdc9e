"""Whether reading stays as fast as it was: the next tokens at two depths of one text, in turn.

    python benchmarks/depth.py TEXT [--model smollm2-135m] [--depths 10000 300000] [--window 1024] [--rounds 8]

Reads TEXT once as far as the deepest, keeping the state at each depth, and then times the next 512 tokens from copies
of these states, in turn, so that all meet the same noise.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

from mmxcli.config import load_settings
from mmxcli.models.load import load_softmax
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import locate
from mmxcli.reading.cuts import chunks
from mmxcli.reading.tokens import TokenStream
from mmxcli.state.model_state import ModelState

CHUNK = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--depths", type=int, nargs="+", default=[10_000, 300_000])
    parser.add_argument("--window", type=int, default=1_024)
    parser.add_argument("--rounds", type=int, default=8)
    args = parser.parse_args()
    folder = locate(args.model, load_settings({}, environ=os.environ, cwd=Path.cwd()).weights_folder).path
    model, tokenizer = load_softmax(folder), Tokenizer(folder)
    stream = TokenStream(tokenizer).feed([args.text.read_text(encoding="utf-8")])
    ids = [token for chunk in stream for token in chunk.ids]
    state, states, read = model.new_state(args.window), dict[int, ModelState](), 0
    for depth in sorted(args.depths):
        for piece in chunks(ids[read:depth], CHUNK):
            model.advance(state, piece)
        states[depth], read = state.fork(), depth
    spent: dict[int, list[float]] = {depth: [] for depth in states}
    for _ in range(args.rounds):
        for depth, kept in states.items():
            copy = kept.fork()
            start = time.perf_counter()
            model.advance(copy, ids[depth : depth + CHUNK])
            spent[depth].append(CHUNK / (time.perf_counter() - start))
    print(f"{args.model}, window {args.window:,}, {args.rounds} rounds")
    first = next(iter(spent.values()))
    for depth, speeds in spent.items():
        ratio = statistics.median(speed / other for speed, other in zip(speeds, first, strict=True))
        print(
            f"at {depth:>9,}: {min(speeds):5.0f} … {max(speeds):5.0f} tokens/s, {ratio:.3f} of the first, in the median"
        )


if __name__ == "__main__":
    main()
