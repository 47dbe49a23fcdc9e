"""MiniMax's equations in float64, one token and one head at a time: slow, and nothing to get wrong."""

import math
from typing import Any

import torch
from tiny_minimax import ORIGINAL, random_weights
from torch import Tensor

SINKS = 4


def exact_logits(ids: list[int], window: int | None = None) -> Tensor:
    """All logits of the tiny model, (tokens, vocabulary)."""
    model = Equations(ORIGINAL, window)
    return torch.stack([model.read(token) for token in ids])


class Equations:
    """The tiny model. `window`: as in the model's new_state; keys are then kept unturned and turned anew for each
    query, their places among what is kept as positions (StreamingLLM, arXiv 2309.17453, section 3.2)."""

    def __init__(self, config: dict[str, Any], window: int | None) -> None:
        self.config = config
        self.window = window
        self.weights = {name: tensor.double() for name, tensor in random_weights(config).items()}
        self.layers, self.heads = config["num_hidden_layers"], config["num_attention_heads"]
        self.width = config["head_dim"]
        self.sums = torch.zeros(self.layers, self.heads, self.width, self.width, dtype=torch.float64)
        self.kept: list[list[tuple[int, Tensor, Tensor]]] = [[] for _ in range(self.layers)]
        self.position = 0

    def read(self, token: int) -> Tensor:
        """The logits after one more token."""
        config = self.config
        hidden = self.weights["model.embed_tokens.weight"][token]
        for layer, kind in enumerate(config["attn_type_list"]):
            name = f"model.layers.{layer}."
            x = self.norm(hidden, name + "input_layernorm.weight")
            if kind == 0:
                attended, factor = self.lightning(x, layer, name + "self_attn."), "layernorm_linear_attention_"
            else:
                attended, factor = self.softmax(x, layer, name + "self_attn."), "layernorm_full_attention_"
            hidden = config[factor + "alpha"] * x + config[factor + "beta"] * attended
            y = self.norm(hidden, name + "post_attention_layernorm.weight")
            mixed = self.experts(y, name + "block_sparse_moe.")
            hidden = config["layernorm_mlp_alpha"] * y + config["layernorm_mlp_beta"] * mixed
        self.position += 1
        return self.times("lm_head", self.norm(hidden, "model.norm.weight"))

    def lightning(self, x: Tensor, layer: int, name: str) -> Tensor:
        mixed = silu(self.times(name + "qkv_proj", x)).view(self.heads, 3 * self.width)
        outputs = []
        for head in range(self.heads):
            query, key, value = torch.split(mixed[head], self.width)
            slope = 2 ** (-8 * (head + 1) / self.heads) * (1 - layer / (self.layers - 1) + 1e-5)
            self.sums[layer, head] = math.exp(-slope) * self.sums[layer, head] + torch.outer(key, value)
            outputs.append(query @ self.sums[layer, head])
        normed = self.norm(torch.cat(outputs), name + "norm.weight", 1e-6)
        return self.times(name + "out_proj", normed * self.times(name + "output_gate", x).sigmoid())

    def softmax(self, x: Tensor, layer: int, name: str) -> Tensor:
        queries, keys, values = (self.times(f"{name}{which}_proj", x).view(-1, self.width) for which in "qkv")
        kept = self.kept[layer]
        kept.append((self.position, keys, values))
        if self.window is not None:
            kept[:] = [item for item in kept if item[0] < SINKS or item[0] > self.position - self.window]
        outputs = []
        for head in range(self.heads):
            group = head * len(keys) // self.heads
            query = self.turned(queries[head], len(kept) - 1)
            scores = torch.stack([query @ self.turned(k[group], place) for place, (_, k, _) in enumerate(kept)])
            shares = (scores / math.sqrt(self.width)).softmax(0)
            outputs.append(sum(share * v[group] for share, (_, _, v) in zip(shares, kept, strict=True)))
        return self.times(name + "o_proj", torch.cat(outputs))

    def turned(self, x: Tensor, place: int) -> Tensor:
        out, turning = x.clone(), self.config["rotary_dim"]
        for i in range(turning // 2):
            angle, other = place * self.config["rope_theta"] ** (-2 * i / turning), i + turning // 2
            out[i] = x[i] * math.cos(angle) - x[other] * math.sin(angle)
            out[other] = x[other] * math.cos(angle) + x[i] * math.sin(angle)
        return out

    def experts(self, y: Tensor, name: str) -> Tensor:
        likelihoods = self.times(name + "gate", y).softmax(0)
        chosen = likelihoods.argsort(descending=True)[: self.config["num_experts_per_tok"]].tolist()
        total = torch.zeros_like(y)
        for expert in chosen:
            inner = f"{name}experts.{expert}."
            made = self.times(inner + "w2", silu(self.times(inner + "w1", y)) * self.times(inner + "w3", y))
            total += likelihoods[expert] / likelihoods[chosen].sum() * made
        return total

    def times(self, name: str, x: Tensor) -> Tensor:
        return self.weights[name + ".weight"] @ x

    def norm(self, x: Tensor, name: str, epsilon: float | None = None) -> Tensor:
        epsilon = self.config["rms_norm_eps"] if epsilon is None else epsilon
        return x / (x.pow(2).mean() + epsilon).sqrt() * self.weights[name]


def silu(x: Tensor) -> Tensor:
    return x * x.sigmoid()
