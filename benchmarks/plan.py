"""What `mmx plan` predicts of small models, beside what reading and a question take: time, and peak memory.

    python benchmarks/plan.py [--models smollm2-135m granitemoehybrid …] [--tokens 4096] [--rounds 3] [--threads N]

Names are those of embedded models, which must be here (smollm2-135m always: its tokenizer serves all), and of families
in FAMILIES, of which a random model of about 100 million parameters is made. A text of pseudo-words is read in full and
asked one question. Every figure is taken in a process of its own, measurement and prediction in turn; of the times the
best counts on both sides, since other work only ever adds to one. Time is that of reading without loading, memory the
largest resident set of the whole process.
"""

import argparse
import math
import os
import random
import resource
import shutil
import tempfile
from collections import deque
from collections.abc import Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mmxcli.config import Settings, load_settings
from mmxcli.libraries import tell
from mmxcli.reading.answering import gather, write
from mmxcli.reading.session import Session
from mmxcli.tasks.plan import plan

TOKENIZER = "smollm2-135m"
COMMON: dict[str, Any] = {
    "vocab_size": 49_152,
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
    "mamba2": {"vocab_size": 49_152, "hidden_size": 768, "num_heads": 24, "n_groups": 1, "num_hidden_layers": 18},
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
    tell(os.environ)
    with tempfile.TemporaryDirectory() as temporary:
        text = Path(temporary, "text.txt")
        text.write_text(pseudo_words(args.tokens))
        for name in args.models:
            settings = load_settings({}, environ=os.environ, cwd=Path.cwd())
            settings = replace(settings, model=name, read="full", threads=args.threads)
            if name in FAMILIES:
                folder = Path(temporary, name)
                alone(make, name, folder, settings.weights_folder / TOKENIZER)
                settings = replace(settings, model=str(folder))
            alone(measure, settings, text, temporary)  # tries the checkpoint, once
            rounds = []
            for number in range(args.rounds):
                tokens, *found = alone(measure, settings, text, f"{temporary}/{name}-{number}")
                rounds.append((*found, *alone(predict, settings, tokens)))
            columns = list(zip(*rounds, strict=True))
            seconds, told_s = min(columns[0]), min(columns[2])
            peak, told = max(columns[1]) / 2**20, max(columns[3]) / 2**20
            print(
                f"{name:20} predicted {told_s:6.2f} s, measured {seconds:6.2f} s: {told_s / seconds:.3f}   "
                f"predicted {told:5.0f} MiB, measured {peak:5.0f} MiB: {told / peak:.3f}",
                flush=True,
            )
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


def pseudo_words(tokens: int) -> str:
    """Sentences of made-up words, about so many tokens long."""
    chance = random.Random(20)
    words = ["".join(chance.choice("bcdfgklmnprst") + chance.choice("aeiou") for _ in range(2)) for _ in range(500)]
    sentences = (" ".join(chance.choice(words) for _ in range(9)).capitalize() + "." for _ in range(tokens // 20))
    return " ".join(sentences)


def alone(work: Any, *arguments: Any) -> Any:
    """The result of `work` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def make(family: str, folder: Path, tokenizer: Path, other: Mapping[str, Any] | None = None) -> None:
    """Writes a random model into `folder`; `other` changes its config. Its recurrences forget as slowly as those that
    are trained."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(20)
    config = AutoConfig.for_model(family, **FAMILIES[family] | dict(other or {}))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    least, most = map(math.log, STEPS)
    for name, weight in model.named_parameters():
        if name.endswith("dt_bias"):
            steps = torch.exp(least + torch.rand(weight.shape) * (most - least))
            weight.data = (steps + torch.log(-torch.expm1(-steps))).to(weight.dtype)  # softplus of it is the step
    model.save_pretrained(folder)
    for file in tokenizer.glob("tokenizer*.json"):
        shutil.copy(file, folder)


def measure(settings: Settings, text: Path, home: str) -> tuple[int, float, int]:
    """Tokens of the text, seconds to read it, and the most memory that the process had at once, in bytes."""
    with Session(replace(settings, home=Path(home), weights=settings.weights_folder)) as session:
        deque(session.open_weights())
        _ = session.model
        reading = outcome(session.read([str(text)], None))
        question = text.read_text()[:40]
        for _ in session.prepare_writing():
            pass
        write(session, reading, [(question, gather(reading, question, 3))])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return reading.stored.tokens, reading.read_s, peak


def predict(settings: Settings, tokens: int) -> tuple[float, int]:
    """Seconds and bytes."""
    found = outcome(plan(settings, settings.model, tokens))
    return found.read_s, found.peak_bytes


def outcome(work: Generator[object, None, Any]) -> Any:
    """What a generator returns at its end."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


if __name__ == "__main__":
    main()
