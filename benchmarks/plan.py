"""What `mmx plan` predicts of small models, beside what reading them takes: time, and memory.

    python benchmarks/plan.py [--models smollm2-135m granitemoehybrid …] [--tokens 4096] [--rounds 3] [--threads N]

Names are those of embedded models, which must be here, and of families in FAMILIES, of which a random model of about
100 million parameters is made. Every figure is taken in a process of its own, prediction and measurement in turn; of
the times the best counts on both sides, since other work only ever adds to one. Memory is what reading adds to a
process that has imported everything: weights, state, and what a chunk takes beside them.
"""

import argparse
import math
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import torch

from mmxcli.config import Settings, load_settings
from mmxcli.models.blueprint import find_blueprint
from mmxcli.models.forecast import forecast
from mmxcli.models.load import load_model
from mmxcli.models.registry import REGISTRY
from mmxcli.reading.policy import Policy
from mmxcli.reading.prefill import chunks

COMMON: dict[str, Any] = {
    "vocab_size": 32_000,
    "hidden_size": 768,
    "intermediate_size": 2_048,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
    "max_position_embeddings": 32_768,
}
MAMBA2 = {"mamba_n_heads": 24, "mamba_d_head": 64, "mamba_n_groups": 1, "mamba_d_state": 128, "mamba_chunk_size": 256}
FAMILIES: dict[str, dict[str, Any]] = {
    "granitemoehybrid": COMMON
    | MAMBA2
    | {
        "layer_types": (["mamba"] * 5 + ["attention"]) * 2,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "intermediate_size": 512,
        "shared_intermediate_size": 1_024,
    },
    "falcon_h1": COMMON | MAMBA2 | {"mamba_d_ssm": 1_536, "num_hidden_layers": 8},
    "mamba2": {"vocab_size": 32_000, "hidden_size": 768, "num_heads": 24, "n_groups": 1, "num_hidden_layers": 18},
    "qwen3_next": COMMON
    | {
        "head_dim": 64,
        "linear_key_head_dim": 64,
        "linear_value_head_dim": 64,
        "linear_num_key_heads": 12,
        "linear_num_value_heads": 24,
        "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 2,
        "num_hidden_layers": 8,
        "num_experts": 16,
        "num_experts_per_tok": 4,
        "moe_intermediate_size": 256,
        "shared_expert_intermediate_size": 512,
    },
    "gemma3_text": COMMON
    | {"head_dim": 64, "sliding_window": 512, "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 2},
}
STEPS = (0.001, 0.1)  # the range of Δ in which Mamba-2 and its kin begin (arXiv 2405.21060, its code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["smollm2-135m", "qwen2.5-coder-0.5b", *FAMILIES])
    parser.add_argument("--tokens", type=int, default=4_096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    settings = replace(load_settings({}, environ=os.environ, cwd=Path.cwd()), read="full", threads=args.threads)
    print(f"{args.tokens:,} tokens in chunks of {settings.chunk}; load of the machine {os.getloadavg()[0]:.1f}")
    for name in args.models:
        with tempfile.TemporaryDirectory() as folder:
            if name in FAMILIES:
                alone(make, name, folder)
            place = folder if name in FAMILIES else str(settings.weights_folder / name)
            assert name in FAMILIES or name in REGISTRY, name
            rounds = [
                (alone(predict, place, settings, args.tokens), alone(measure, place, settings, args.tokens))
                for _ in range(args.rounds)
            ]
        told = [min(predicted[0] for predicted, _ in rounds), rounds[0][0][1] / 2**20]
        found = [min(measured[0] for _, measured in rounds), max(measured[1] for _, measured in rounds) / 2**20]
        print(
            f"{name:20} predicted {told[0]:6.2f} s, measured {found[0]:6.2f} s: {told[0] / found[0]:.3f}   "
            f"predicted {told[1]:5.0f} MiB, measured {found[1]:5.0f} MiB: {told[1] / found[1]:.3f}",
            flush=True,
        )
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


def alone(work: Any, *arguments: Any) -> Any:
    """The result of `work` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def make(family: str, folder: str) -> None:
    """Writes a random model into `folder`. Its recurrences forget as slowly as those that are trained."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(20)
    config = AutoConfig.for_model(family, **FAMILIES[family])
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    least, most = map(math.log, STEPS)
    for name, weight in model.named_parameters():
        if name.endswith("dt_bias"):
            steps = torch.exp(least + torch.rand(weight.shape) * (most - least))
            weight.data = (steps + torch.log(-torch.expm1(-steps))).to(weight.dtype)  # softplus of it is the step
    model.save_pretrained(folder)


def predict(folder: str, settings: Settings, tokens: int) -> tuple[float, int]:
    """Seconds and bytes."""
    _prepare(settings)
    blueprint = find_blueprint(folder, settings.weights_folder)
    policy = Policy(settings, blueprint.anatomy, blueprint.stored_bytes)
    found = forecast(blueprint, "none", policy.window(tokens), "memory", settings.chunk)
    state = blueprint.anatomy.state_bytes_fixed + policy.kept_bytes(tokens)
    return found.seconds(tokens), policy.weight_bytes("none") + state + found.activation_bytes


def measure(folder: str, settings: Settings, tokens: int) -> tuple[float, int]:
    """Seconds of the faster of two readings, and bytes that the first added."""
    _prepare(settings)
    blueprint = find_blueprint(folder, settings.weights_folder)
    window = Policy(settings, blueprint.anatomy, blueprint.stored_bytes).window(tokens)
    torch.manual_seed(20)
    ids = torch.randint(0, 30_000, (tokens,)).tolist()
    before = psutil.Process().memory_info().rss
    model = load_model(Path(folder))
    seconds, most = [], 0
    for _ in range(2):
        state, start = model.new_state(window), time.perf_counter()
        for piece in chunks([ids], settings.chunk):
            model.advance(state, piece)
            most = most if seconds else max(most, psutil.Process().memory_info().rss)
        seconds.append(time.perf_counter() - start)
    return min(seconds), most - before


def _prepare(settings: Settings) -> None:
    if settings.threads:
        torch.set_num_threads(settings.threads)
    import mmxcli.models.library.load  # noqa: F401 - what it imports is no part of what a model takes


if __name__ == "__main__":
    main()
