"""Reading a long text in full: speed, memory, and whether the model is still itself far into the text.

    python benchmarks/reading.py TEXT [--model smollm2-135m] [--tokens 300000] [--window 1024] [--transformers]

Streams TEXT through the model as `mmx read --read full` does. Every 50,000 tokens the perplexity of the next 1,024
tokens is measured twice: by the state that has read everything before, and by a fresh state that has read just the
window before them. Equal figures mean that reading on and on does the model no harm. With --transformers, the same
tokens are also read by transformers' own class in float32 and bfloat16, 1,024 tokens in chunks of 512, twice, in
this run.
"""

import argparse
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from mmxcli.config import load_settings
from mmxcli.models.load import load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import locate
from mmxcli.reading.cuts import chunks
from mmxcli.reading.tokens import TokenStream
from mmxcli.state.model_state import ModelState
from mmxcli.state.sizes import SINKS

PROBE_EVERY, PROBE, CHUNK = 50_000, 1_024, 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--tokens", type=int, default=300_000)
    parser.add_argument("--window", type=int, default=1_024)
    parser.add_argument("--transformers", action="store_true")
    args = parser.parse_args()
    folder = locate(args.model, load_settings({}, environ=os.environ, cwd=Path.cwd()).weights_folder).path
    model, tokenizer = load_softmax(folder), Tokenizer(folder)
    stream = TokenStream(tokenizer).feed([args.text.read_text(encoding="utf-8")])
    ids = [token for chunk in stream for token in chunk.ids][: args.tokens]
    print(f"{args.model}, window {args.window}, {len(ids):,} tokens, activations in {model.products.dtype}")
    if args.transformers:
        compare(folder, model, ids[:1_024], args.window)
    state, reading_s, read, last = model.new_state(args.window), 0.0, 0, (0, 0.0)
    for piece in chunks(ids, CHUNK):
        if read and read % PROBE_EVERY < CHUNK and len(ids) - read >= PROBE:
            probe(model, state, ids, read, args.window)
        start = time.perf_counter()
        model.advance(state, piece)
        reading_s += time.perf_counter() - start
        read += len(piece)
        if read - last[0] >= 20_000 or read == len(ids):
            speed = (read - last[0]) / (reading_s - last[1])
            memory = psutil.Process().memory_info().rss / 2**20
            where = f"{read:>9,} tokens  {speed:6.0f} tokens/s"
            print(f"{where}  resident {memory:6.0f} MiB  state {state.bytes / 2**20:.1f} MiB", flush=True)
            last = (read, reading_s)
    print(f"all: {read / reading_s:.0f} tokens/s")


def probe(model: SoftmaxModel, state: ModelState, ids: list[int], at: int, window: int) -> None:
    """Perplexity of ids[at:at + PROBE] after everything, and after a fresh window. Leaves `state` as it is."""
    target = ids[at : at + PROBE]
    streamed = perplexity(model, state.fork(), target)
    fresh = model.new_state(window)
    model.advance(fresh, ids[at - window - SINKS : at])
    plain = perplexity(model, fresh, target)
    print(
        f"{at:>9,} tokens  perplexity {streamed:.3f} streamed, {plain:.3f} fresh: ratio {streamed / plain:.4f}",
        flush=True,
    )


def perplexity(model: SoftmaxModel, state: ModelState, ids: list[int]) -> float:
    """Of ids[1:], each after all before it. Modifies `state`."""
    losses = []
    for piece in chunks(ids, CHUNK):
        logits = model.advance(state, piece, "all")
        assert logits is not None
        losses.append((logits, piece))
    logits = torch.cat([rows for rows, _ in losses])[:-1]
    return math.exp(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:])).item())


def compare(folder: Path, model: SoftmaxModel, ids: list[int], window: int) -> None:
    """Tokens a second of the same tokens in the same chunks, here and in transformers, in turn."""
    from transformers import AutoModelForCausalLM
    from transformers.cache_utils import DynamicCache

    from mmxcli.models.families.family import cache_name

    def ours() -> None:
        state = model.new_state(window)
        for piece in chunks(ids, CHUNK):
            model.advance(state, piece)

    rivals: dict[str, Callable[[], None]] = {"mmx": ours}
    for dtype in (torch.float32, torch.bfloat16):
        other = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()

        @torch.inference_mode()
        def theirs(other: torch.nn.Module = other) -> None:
            cache = DynamicCache()
            for piece in chunks(ids, CHUNK):
                other(torch.tensor([piece]), use_cache=True, logits_to_keep=1, **{cache_name(other): cache})

        rivals[f"transformers {dtype}"] = theirs
    speeds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(2):
        for name, read in rivals.items():
            start = time.perf_counter()
            read()
            speeds[name].append(len(ids) / (time.perf_counter() - start))
    for name, found in speeds.items():
        print(f"{name:30} {min(found):5.0f} … {max(found):5.0f} tokens/s")


if __name__ == "__main__":
    main()
