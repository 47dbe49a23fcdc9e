"""Every tensor of a MiniMax model: its name in the checkpoints that MiniMax published, and its shape."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mmxcli.models.minimax.config import MiniMaxConfig

Shape = tuple[int, ...]

# transformers saves its copies of the decays, which are recomputed here; an old one saves rotary frequencies too.
DERIVED = re.compile(r"\.(slope_rate|query_decay|key_decay|diagonal_decay|inv_freq)$")
EXPERT = re.compile(r"(.*)\.block_sparse_moe\.experts\.(\d+)\.(w[123])\.weight")


def expected(config: MiniMaxConfig) -> Iterator[tuple[str, Shape]]:
    """The tensors that the model needs, as (name, shape). Matrices are (out, in)."""
    hidden, heads, pairs = config.hidden, config.heads * config.head_width, config.key_heads * config.head_width
    yield "model.embed_tokens.weight", (config.vocabulary, hidden)
    for number, kind in enumerate(config.attention):
        layer = f"model.layers.{number}"
        yield f"{layer}.input_layernorm.weight", (hidden,)
        if kind == "lightning":
            yield f"{layer}.self_attn.qkv_proj.weight", (3 * heads, hidden)
            yield f"{layer}.self_attn.norm.weight", (heads,)
            yield f"{layer}.self_attn.output_gate.weight", (heads, hidden)
            yield f"{layer}.self_attn.out_proj.weight", (hidden, heads)
        else:
            yield f"{layer}.self_attn.q_proj.weight", (heads, hidden)
            yield f"{layer}.self_attn.k_proj.weight", (pairs, hidden)
            yield f"{layer}.self_attn.v_proj.weight", (pairs, hidden)
            yield f"{layer}.self_attn.o_proj.weight", (hidden, heads)
        yield f"{layer}.post_attention_layernorm.weight", (hidden,)
        yield f"{layer}.block_sparse_moe.gate.weight", (config.experts, hidden)
        for expert in range(config.experts):
            yield f"{layer}.block_sparse_moe.experts.{expert}.w1.weight", (config.mlp, hidden)
            yield f"{layer}.block_sparse_moe.experts.{expert}.w3.weight", (config.mlp, hidden)
            yield f"{layer}.block_sparse_moe.experts.{expert}.w2.weight", (hidden, config.mlp)
    yield "model.norm.weight", (hidden,)
    if not config.tied_head:
        yield "lm_head.weight", (config.vocabulary, hidden)


@dataclass(frozen=True, slots=True)
class Spelling:
    """Another name for a tensor, or for the stack of all experts' tensors of which it is `part`."""

    name: str
    shape: Shape
    part: tuple[int | slice, ...] = ()


def spellings(name: str, shape: Shape, experts: int) -> Iterator[Spelling]:
    """Where a tensor may be found: under its own name, or as transformers has it.

    transformers calls the mixture `mlp`, and in memory it stacks the experts: `gate_up_proj` is
    (experts, 2 * width, hidden) with w1 above w3, `down_proj` (experts, hidden, width). What it saves is
    converted back, so stacks are in files that something else made of its memory.
    """
    yield Spelling(name, shape)
    renamed = name.replace(".block_sparse_moe.", ".mlp.")
    if renamed == name:
        return
    yield Spelling(renamed, shape)
    if expert := EXPERT.fullmatch(name):
        layer, number, matrix = expert[1], int(expert[2]), expert[3]
        if matrix == "w2":
            yield Spelling(f"{layer}.mlp.experts.down_proj", (experts, *shape), (number,))
        else:
            width = shape[0]
            rows = slice(0, width) if matrix == "w1" else slice(width, 2 * width)
            yield Spelling(f"{layer}.mlp.experts.gate_up_proj", (experts, 2 * width, shape[1]), (number, rows))
