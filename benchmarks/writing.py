"""How fast answers are written, alone and together, and whether the model still says the same.

    python benchmarks/writing.py TEXT [--model qwen2.5-coder-0.5b] [--transformers]
        [--llama-bench PROGRAM --gguf FILE] [--perplexity 1000]

After 400 tokens of TEXT, 64 tokens are written by the kernels, by the model's own step and, where asked for, by
transformers' generate and by llama.cpp, in turn, several rounds: tokens a second, least and most. Then 1 to 8 texts
at once, and 1 to 8 tokens of one, as multiples of the time of one. `--perplexity` steps through so many tokens of TEXT
by the kernels and by the model's own step.
"""

import argparse
import json
import math
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import torch

from mmxcli.config import load_settings
from mmxcli.models.load import load_softmax
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import locate
from mmxcli.models.writing import PlainWriting, Writing, place, writer

PROMPT, WRITTEN, CHUNK = 400, 64, 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--transformers", action="store_true")
    parser.add_argument("--llama-bench")
    parser.add_argument("--gguf", nargs="*", default=[])
    parser.add_argument("--perplexity", type=int, default=0, metavar="TOKENS")
    args = parser.parse_args()

    settings = load_settings({}, environ=os.environ, cwd=Path.cwd())
    weights = locate(args.model, settings.weights_folder)
    model, tokenizer = load_softmax(weights.path), Tokenizer(weights.path)
    ids = tokenizer.encode(args.text.read_text(encoding="utf-8"))
    state = model.new_state()
    model.advance(state, ids[:PROMPT])
    file = place(settings.weights_folder, weights.identity)
    fast = writer(lambda: model, weights.path, file, torch.get_num_threads())

    def begun(count: int = 1) -> Writing:
        return fast.begin([state.fork() for _ in range(count)], [[]] * count, CHUNK)

    def plain() -> Writing:
        return PlainWriting(model, [state.fork()], CHUNK)

    begun().step([[ids[PROMPT]]])  # compiles

    def written(writing: Writing) -> None:
        token = ids[PROMPT]
        for _ in range(WRITTEN):
            token = int(writing.step([[token]]).argmax())
            writing.keep([1])

    ways: dict[str, Callable[[], float]] = {
        "kernels": lambda: timed(lambda: written(begun())),
        "the model's own step": lambda: timed(lambda: written(plain())),
    }
    if args.transformers:
        ways["transformers, bfloat16"] = transformers_generate(weights.path, ids)
    for file in args.gguf:
        ways[f"llama.cpp, {Path(file).name}"] = lambda file=file: llama(args.llama_bench, file)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(args.rounds):
        for name, way in ways.items():
            found[name].append(WRITTEN / way())
    best = max(found["kernels"])
    for name, speeds in found.items():
        ratio = best / max(speeds)
        print(
            f"{name}: {min(speeds):.1f} … {max(speeds):.1f} tokens/s; kernels are {ratio:.2f} times as fast", flush=True
        )

    one = min(together(begun(), [1]) for _ in range(args.rounds))
    for count in (2, 4, 8):
        texts = min(together(begun(count), [1] * count) for _ in range(args.rounds))
        tokens = min(together(begun(), [count]) for _ in range(args.rounds))
        print(
            f"{count} texts at once take {texts / one:.2f} times as long as one, {count} tokens {tokens / one:.2f}",
            flush=True,
        )

    if args.perplexity:
        limit = PROMPT + args.perplexity
        for name, writing in {
            "kernels": begun(),
            "the model's own step": plain(),
        }.items():
            loss = 0.0
            for number in range(PROMPT, limit):
                loss -= float(torch.tensor(writing.step([[ids[number]]])).log_softmax(dim=1)[0, ids[number + 1]])
            print(
                f"perplexity of {args.perplexity:,} tokens, {name}: {math.exp(loss / args.perplexity):.3f}", flush=True
            )


def together(writing: Writing, sizes: list[int]) -> float:
    """Seconds for some steps with pieces of these sizes."""
    return timed(lambda: [writing.step([[5] * size for size in sizes]) for _ in range(WRITTEN // 2)])


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def transformers_generate(folder: Path, ids: list[int]) -> Callable[[], float]:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    prompt = torch.tensor([ids[:PROMPT]])

    def run(count: int) -> float:
        return timed(lambda: model.generate(prompt, min_new_tokens=count, max_new_tokens=count, do_sample=False))

    return lambda: run(WRITTEN + 1) - run(1)


def llama(program: str, file: str) -> float:
    """Seconds that it takes to write as many tokens after a prompt as long."""
    threads = str(torch.get_num_threads())
    arguments = ["-m", file, "-t", threads, "-p", "0", "-n", str(WRITTEN), "-d", str(PROMPT), "-r", "1", "-o", "json"]
    told = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    return WRITTEN / json.loads(told.stdout)[0]["avg_ts"]


if __name__ == "__main__":
    main()
