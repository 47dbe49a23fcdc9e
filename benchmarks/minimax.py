"""MiniMax's architecture at small sizes: a continued text against one pass and transformers, and a text without end.

    python benchmarks/minimax.py [--tokens 8192] [--chunk 2048] [--rounds 3] [--dtype float32]
    python benchmarks/minimax.py --layer [--chunk 2048] [--rounds 3] [--dtype float32]
    python benchmarks/minimax.py --endless 1000000 [--softmax-tokens 100000] [--plot endless.svg]

The first reads the same random tokens with the same random weights in four ways, in turn, in every round: here and
in transformers, in one pass and in chunks with the state carried. Its first layer is a softmax layer and whole heads
turn, unlike in the published weights, since only so transformers continues rightly; how far apart the last logits
are is printed beside the times.

The second takes one lightning layer's attention apart, 16 heads of 128 in a hidden size of 2,048: the library's, in its
first chunk and continued, beside its projections alone and our recurrence alone, continued.

The third reads random tokens with a small hybrid of seven lightning layers to one softmax layer with a window, and
then with softmax layers only and no window, each in a process of its own, and prints memory and speed on the way.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import torch

from mmxcli.models.minimax.config import Attention, MiniMaxConfig, Residual
from mmxcli.models.minimax.lightning import lightning, slopes
from mmxcli.models.minimax.model import MiniMaxModel, load
from mmxcli.models.minimax.names import expected
from mmxcli.reading.cuts import chunks

WINDOW = 4_096  # of the hybrid's softmax layers, in tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=8_192)
    parser.add_argument("--chunk", type=int, default=2_048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, help="2048, or 256 for --endless")
    parser.add_argument("--heads", type=int, help="16 of width 128, or 4 of 64 for --endless")
    parser.add_argument("--experts", type=int, default=4)
    parser.add_argument("--layer", action="store_true")
    parser.add_argument("--endless", type=int, metavar="TOKENS")
    parser.add_argument("--softmax-tokens", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=50_000, help="tokens between two lines of the table")
    parser.add_argument("--plot", type=Path, metavar="SVG")
    args = parser.parse_args()
    if args.endless:
        endless(args)
    elif args.layer:
        layer(args)
    else:
        compare(args)


def random_ids(count: int, vocabulary: int) -> list[int]:
    ids: list[int] = torch.randint(vocabulary, (count,), generator=torch.Generator().manual_seed(20)).tolist()
    return ids


# A continued text against one pass, and against transformers


def compare(args: argparse.Namespace) -> None:
    """Tokens a second of the same tokens in four ways, in turn."""
    ids = random_ids(args.tokens, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        theirs = make_theirs(args, Path(folder))
        ours = load(Path(folder))
        ways: dict[str, Callable[[], torch.Tensor]] = {
            "mmx, one pass": lambda: read_here(ours, ids, len(ids)),
            f"mmx, chunks of {args.chunk}": lambda: read_here(ours, ids, args.chunk),
            "transformers, one pass": lambda: read_there(theirs, ids, len(ids)),
            f"transformers, chunks of {args.chunk}": lambda: read_there(theirs, ids, args.chunk),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        logits: dict[str, torch.Tensor] = {}
        for number in range(args.rounds + 1):  # the first finds the weights on the disk and is not counted
            for name, read in ways.items():
                start = time.perf_counter()
                logits[name] = read()
                if number:
                    seconds[name].append(time.perf_counter() - start)
    sizes = f"{ours.config.layers} layers, {ours.config.heads} heads of {ours.config.head_width}, {args.dtype}"
    print(f"{sizes}, {torch.get_num_threads()} threads: {len(ids):,} tokens, {args.rounds} rounds")
    first = next(iter(ways))
    for name, found in seconds.items():
        speeds = [len(ids) / second for second in found]
        ratios = [second / base for second, base in zip(found, seconds[first], strict=True)]
        apart = (logits[name] - logits[first]).abs().max() / logits[first].abs().max()
        print(
            f"{name:30} {min(speeds):7.0f} … {max(speeds):7.0f} tokens/s   "
            f"{min(ratios):6.2f} … {max(ratios):6.2f} times as long as the first   last logits apart {apart:.1e}"
        )


def make_theirs(args: argparse.Namespace, folder: Path) -> Any:
    """transformers' model with random weights, which are also written into `folder`."""
    from transformers import MiniMaxConfig as TheirConfig
    from transformers import MiniMaxForCausalLM

    hidden, heads = args.hidden or 2_048, args.heads or 16
    config = TheirConfig(
        vocab_size=1_000,
        hidden_size=hidden,
        intermediate_size=hidden // 2,
        num_hidden_layers=args.layers,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 8),
        head_dim=128,
        num_local_experts=args.experts,
        layer_types=["full_attention"] + ["linear_attention"] * (args.layers - 1),
        full_attn_alpha_factor=3.5,
        linear_attn_alpha_factor=3.5,
        mlp_alpha_factor=3.5,
    )
    torch.manual_seed(20)
    model = MiniMaxForCausalLM(config).eval().to(getattr(torch, args.dtype))
    model.save_pretrained(folder)
    return model


def read_here(model: MiniMaxModel, ids: list[int], chunk: int) -> torch.Tensor:
    """The logits after the last token."""
    state, logits = model.new_state(), None
    for piece in chunks(ids, chunk):
        logits = model.advance(state, piece, "last")
    assert logits is not None
    return logits[-1]


@torch.inference_mode()
def read_there(model: Any, ids: list[int], chunk: int) -> torch.Tensor:
    from transformers.models.minimax.modeling_minimax import MiniMaxCache

    from mmxcli.models.families.family import cache_name

    cache, logits = MiniMaxCache(), torch.empty(0)
    for piece in chunks(ids, chunk):
        logits = model(torch.tensor([piece]), use_cache=True, logits_to_keep=1, **{cache_name(model): cache}).logits
    return logits[0, -1].float()


@torch.inference_mode()
def layer(args: argparse.Namespace) -> None:
    from transformers import MiniMaxConfig as LibraryConfig
    from transformers.models.minimax.modeling_minimax import MiniMaxCache, MiniMaxLightningAttention

    dtype, heads, width = getattr(torch, args.dtype), 16, 128
    config = LibraryConfig(
        hidden_size=heads * width,
        num_attention_heads=heads,
        head_dim=width,
        num_hidden_layers=4,
        layer_types=["full_attention"] + ["linear_attention"] * 3,
    )
    theirs = MiniMaxLightningAttention(config, 1).eval().to(dtype)
    inputs = (torch.randn(1, args.chunk, heads * width) * 0.1).to(dtype)
    projections = torch.nn.Linear(heads * width, 5 * heads * width, bias=False).to(dtype)
    three = [torch.randn(heads, args.chunk, width).to(dtype) for _ in range(3)]
    state, decays = torch.zeros(heads, width, width), slopes(heads, 1, 4)
    print(f"{heads} heads of {width}, {args.dtype}, {torch.get_num_threads()} threads, chunks of {args.chunk}")
    for _ in range(args.rounds):
        cache = MiniMaxCache()
        figures = {
            "transformers' layer, first chunk": seconds(lambda c=cache: theirs(inputs, (None, None), None, c)),
            "continued": seconds(lambda c=cache: theirs(inputs, (None, None), None, c)),
            "its projections alone": seconds(lambda: projections(inputs)),
            "our recurrence, continued": seconds(lambda: lightning(*three, decays, state)),
        }
        print(", ".join(f"{name} {1e3 * spent:.0f} ms" for name, spent in figures.items()), flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# A text without end


@dataclass(frozen=True, slots=True)
class Sample:
    """After so many tokens: what the process holds, what of it is the state, and the speed since the last sample."""

    tokens: int
    resident_mib: float
    state_mib: float
    tokens_per_s: float


def endless(args: argparse.Namespace) -> None:
    hybrid: tuple[Attention, ...] = ("lightning",) * 7 + ("softmax",)
    runs = {
        f"7 lightning : 1 softmax, window {WINDOW:,}": (hybrid, WINDOW, args.endless),
        "softmax only, no window": (("softmax",) * 8, None, min(args.softmax_tokens, args.endless)),
    }
    found: dict[str, list[Sample]] = {}
    for name, (attention, window, tokens) in runs.items():
        print(f"{name}: {tokens:,} tokens, chunks of {args.chunk}")
        config = small(attention, args.hidden or 256, args.heads or 4, args.experts)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found[name] = process.submit(stream, config, window, tokens, args.chunk, args.every).result()
    if args.plot:
        args.plot.write_text(picture(found), encoding="utf-8")
        print(f"drew {args.plot}")


def small(attention: tuple[Attention, ...], hidden: int, heads: int, experts: int) -> MiniMaxConfig:
    factor = Residual(alpha=(2 * len(attention)) ** 0.25, beta=1.0)
    return MiniMaxConfig(
        family="minimax",
        attention=attention,
        hidden=hidden,
        heads=heads,
        key_heads=max(1, heads // 2),
        head_width=64,
        rotary_width=32,
        rotary_theta=1e7,
        experts=experts,
        experts_per_token=min(2, experts),
        mlp=hidden,
        vocabulary=512,
        trained_window=10_240_000,
        norm_epsilon=1e-5,
        tied_head=False,
        lightning_residual=factor,
        softmax_residual=factor,
        expert_residual=factor,
    )


def stream(config: MiniMaxConfig, window: int | None, tokens: int, chunk: int, every: int) -> list[Sample]:
    """Reads so many random tokens, printing a line and keeping a sample now and then."""
    generator = torch.Generator().manual_seed(20)
    weights = {
        name: torch.randn(shape, generator=generator) * shape[-1] ** -0.5 if len(shape) > 1 else torch.ones(shape)
        for name, shape in expected(config)
    }
    model = MiniMaxModel(config, weights)
    model.advance(model.new_state(window), random_ids(chunk, config.vocabulary))  # the first pass is not counted
    state, samples = model.new_state(window), []
    last, start = 0, time.perf_counter()
    ids = random_ids(every, config.vocabulary)
    while state.position < tokens:
        for piece in chunks(ids[: tokens - state.position], chunk):
            model.advance(state, piece)
        now = time.perf_counter()
        memory = psutil.Process().memory_info().rss / 2**20
        samples.append(Sample(state.position, memory, state.bytes / 2**20, (state.position - last) / (now - start)))
        last, start, sample = state.position, now, samples[-1]
        figures = f"{sample.tokens_per_s:7.0f} tokens/s   resident {sample.resident_mib:7.0f} MiB"
        print(f"{sample.tokens:>10,} tokens   {figures}   state {sample.state_mib:8.1f} MiB", flush=True)
    return samples


# The picture

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 760, 200, 80, 40, 50, 60
COLOURS = ("#1f6feb", "#d1541f")


def picture(found: dict[str, list[Sample]]) -> str:
    """An SVG: memory above, speed below, over the tokens read; one line for each model."""
    furthest = max(samples[-1].tokens for samples in found.values())
    panels = [
        panel(
            TOP,
            "memory of the process, MiB",
            furthest,
            [[(s.tokens, s.resident_mib) for s in v] for v in found.values()],
        ),
        panel(
            TOP + HEIGHT + GAP,
            "tokens a second",
            furthest,
            [[(s.tokens, s.tokens_per_s) for s in v] for v in found.values()],
        ),
    ]
    legend = [
        f'<rect x="{LEFT + 330 * i}" y="12" width="14" height="4" fill="{COLOURS[i]}"/>'
        f'<text x="{LEFT + 20 + 330 * i}" y="18">{name}</text>'
        for i, name in enumerate(found)
    ]
    height = TOP + 2 * HEIGHT + GAP + 40
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            'font-size="12" fill="#333">',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *legend,
            *panels,
            f'<text x="{WIDTH - RIGHT}" y="{height - 6}" text-anchor="end">tokens read</text>',
            "</svg>\n",
        ]
    )


def panel(top: int, title: str, furthest: int, lines: Sequence[Sequence[tuple[float, float]]]) -> str:
    """One chart whose upper edge is at `top`; `lines` are (tokens, value), and values start at zero."""
    highest = max(value for line in lines for _, value in line)
    across, up = ticks(furthest), ticks(highest)
    highest = max(highest, up[-1])

    def place(tokens: float, value: float) -> tuple[float, float]:
        return LEFT + (WIDTH - LEFT - RIGHT) * tokens / furthest, top + HEIGHT * (1 - value / highest)

    parts = [f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{title}</text>']
    for value in up:
        _, y = place(0, value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,.0f}</text>')
    for tokens in across:
        x, y = place(tokens, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{tokens:,.0f}</text>')
    for line, colour in zip(lines, COLOURS, strict=False):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = place(*line[-1])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
    return "\n".join(parts)


def ticks(highest: float) -> list[float]:
    """Zero and a few round numbers up to `highest`, or to the next one above."""
    step = next(
        factor * 10.0**power for power in range(-3, 12) for factor in (1, 2, 5) if factor * 10.0**power * 5 >= highest
    )
    return [step * i for i in range(int(highest / step) + 1)]


if __name__ == "__main__":
    main()
