"""Tiny MiniMax checkpoints with random weights, in the layouts that are about."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

IDS = [(i * 7919 + 13) % 250 for i in range(200)]
INDEX = "model.safetensors.index.json"
# As MiniMax-M1's config.json, but for the sizes: seven lightning layers, then a softmax layer. The factors are about
# the published 3.56, each one different; a random model with smaller ones would make much of float32's roundings.
ORIGINAL: dict[str, Any] = {
    "architectures": ["MiniMaxM1ForCausalLM"],
    "attn_type_list": [0, 0, 0, 0, 0, 0, 0, 1],
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 48,
    "intermediate_size": 32,
    "layernorm_full_attention_alpha": 3.5,
    "layernorm_full_attention_beta": 1.0,
    "layernorm_linear_attention_alpha": 3.4,
    "layernorm_linear_attention_beta": 1.1,
    "layernorm_mlp_alpha": 3.6,
    "layernorm_mlp_beta": 1.2,
    "max_position_embeddings": 10_240_000,
    "model_type": "minimax_m1",
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 8,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "postnorm": True,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10_000_000,
    "rotary_dim": 8,
    "shared_intermediate_size": 0,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "vocab_size": 300,
}
# The same model as transformers has it.
TRANSFORMERS: dict[str, Any] = {
    "architectures": ["MiniMaxForCausalLM"],
    "block_size": 256,
    "full_attn_alpha_factor": 3.5,
    "full_attn_beta_factor": 1.0,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 48,
    "intermediate_size": 32,
    "layer_types": ["linear_attention"] * 7 + ["full_attention"],
    "linear_attn_alpha_factor": 3.4,
    "linear_attn_beta_factor": 1.1,
    "max_position_embeddings": 10_240_000,
    "mlp_alpha_factor": 3.6,
    "mlp_beta_factor": 1.2,
    "model_type": "minimax",
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 8,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "rms_norm_eps": 1e-05,
    "rope_parameters": {"partial_rotary_factor": 0.5, "rope_theta": 10_000_000.0, "rope_type": "default"},
    "sliding_window": None,
    "tie_word_embeddings": False,
    "vocab_size": 300,
}


def random_weights(config: dict[str, Any] = ORIGINAL, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """By the original's names; routers are in float32 whatever the rest is in."""
    generator = torch.Generator().manual_seed(20)

    def random(*shape: int) -> torch.Tensor:
        return (torch.randn(shape, generator=generator) * 0.2 + (len(shape) == 1)).to(dtype)

    hidden, width, mlp = config["hidden_size"], config["head_dim"], config["intermediate_size"]
    heads, pairs = config["num_attention_heads"] * width, config["num_key_value_heads"] * width
    weights = {
        "model.embed_tokens.weight": random(config["vocab_size"], hidden),
        "model.norm.weight": random(hidden),
        "lm_head.weight": random(config["vocab_size"], hidden),
    }
    for number, kind in enumerate(config["attn_type_list"]):
        layer = f"model.layers.{number}."
        weights[layer + "input_layernorm.weight"] = random(hidden)
        weights[layer + "post_attention_layernorm.weight"] = random(hidden)
        if kind == 0:
            weights[layer + "self_attn.qkv_proj.weight"] = random(3 * heads, hidden)
            weights[layer + "self_attn.output_gate.weight"] = random(heads, hidden)
            weights[layer + "self_attn.norm.weight"] = random(heads)
            weights[layer + "self_attn.out_proj.weight"] = random(hidden, heads)
        else:
            weights[layer + "self_attn.q_proj.weight"] = random(heads, hidden)
            weights[layer + "self_attn.k_proj.weight"] = random(pairs, hidden)
            weights[layer + "self_attn.v_proj.weight"] = random(pairs, hidden)
            weights[layer + "self_attn.o_proj.weight"] = random(hidden, heads)
        moe = layer + "block_sparse_moe."
        weights[moe + "gate.weight"] = random(config["num_local_experts"], hidden).float()
        for expert in range(config["num_local_experts"]):
            weights[moe + f"experts.{expert}.w1.weight"] = random(mlp, hidden)
            weights[moe + f"experts.{expert}.w2.weight"] = random(hidden, mlp)
            weights[moe + f"experts.{expert}.w3.weight"] = random(mlp, hidden)
    # So small that the epsilon of the norm behind lightning attention counts.
    weights["model.layers.0.self_attn.qkv_proj.weight"] *= 0.1
    return weights


def write_shards(folder: Path, weights: dict[str, torch.Tensor], count: int = 2) -> None:
    """Files as a hub has them, with an index; cut between tensors of one layer, as real ones are."""
    names = sorted(weights)
    places: dict[str, str] = {}
    for number in range(count):
        file = f"model-{number + 1:05}-of-{count:05}.safetensors"
        own = names[number * len(names) // count : (number + 1) * len(names) // count]
        save_file({name: weights[name].contiguous() for name in own}, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(own, file)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))


def make_original(folder: Path, dtype: torch.dtype = torch.float32, **changes: Any) -> Path:
    """A checkpoint laid out like MiniMax's own. A change to None takes the value out of the config."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {name: value for name, value in (ORIGINAL | changes).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    write_shards(folder, random_weights(ORIGINAL | changes, dtype))
    return folder


def make_stacked(folder: Path) -> Path:
    """The same model as transformers has it in memory: experts stacked, decays beside the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(TRANSFORMERS))
    weights = random_weights()
    for number in range(8):
        moe, mlp = f"model.layers.{number}.block_sparse_moe.", f"model.layers.{number}.mlp."
        matrices = [[weights.pop(moe + f"experts.{e}.w{i}.weight") for e in range(4)] for i in (1, 2, 3)]
        weights[mlp + "gate.weight"] = weights.pop(moe + "gate.weight")
        weights[mlp + "experts.gate_up_proj"] = torch.cat((torch.stack(matrices[0]), torch.stack(matrices[2])), dim=1)
        weights[mlp + "experts.down_proj"] = torch.stack(matrices[1])
        if number != 7:
            weights[f"model.layers.{number}.self_attn.slope_rate"] = torch.full((4, 1, 1), 0.5, dtype=torch.bfloat16)
    write_shards(folder, weights)
    return folder
