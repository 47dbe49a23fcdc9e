"""What the model in a GGUF file looks like as a Hugging Face folder: its config.json and its tensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models import vocabulary
from mmxcli.models.gguf import Gguf

_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor of the folder and where it comes from. `heads`: llama's q and k have each head's rows
    interleaved in GGUF, and this many heads to put back in order."""

    name: str
    source: str
    shape: tuple[int, ...]
    heads: int | None = None

    @property
    def bytes(self) -> int:
        return 2 * prod(self.shape)


def config_of(source: Gguf, tied: bool) -> dict[str, Any]:
    """The content of config.json. Raises ModelError for a model that mmx does not convert."""
    metadata, family = source.metadata, source.metadata.get("general.architecture")
    if family not in _CLASSES:
        raise ModelError(
            f"{source.path}: its family, {family}, cannot be converted, only {' and '.join(_CLASSES)}; "
            "use the model's Hugging Face folder instead"
        )

    def number(key: str, default: int | None = None) -> int:
        value = metadata.get(f"{family}.{key}", default)
        if not isinstance(value, int) or not 0 < value < 1 << 31:
            raise DamagedError(f"{source.path}: {family}.{key} is {value!r}; use another GGUF file")
        return value

    def real(key: str, default: float | None = None) -> float:
        value = metadata.get(f"{family}.{key}", default)
        if not isinstance(value, float):
            raise DamagedError(f"{source.path}: {family}.{key} is {value!r}; use another GGUF file")
        return float(str(np.float32(value)))  # 1e-05 again, which float32 had made 9.999999747378752e-06

    hidden, heads = number("embedding_length"), number("attention.head_count")
    width = number("attention.key_length", hidden // heads)
    scaling = metadata.get(f"{family}.rope.scaling.type", "none")
    if scaling != "none" or number("rope.dimension_count", width) != width or width % 2:
        raise ModelError(f"{source.path}: its rotary embedding is scaled ({scaling}) or partial; mmx cannot convert it")
    theta = real("rope.freq_base", 10000.0)
    special = {
        f"{name}_token_id": metadata.get(f"tokenizer.ggml.{key}_token_id")
        for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))
    }
    return {
        "architectures": [_CLASSES[family]],
        "model_type": family,
        "dtype": "bfloat16",
        "torch_dtype": "bfloat16",
        "vocab_size": len(vocabulary.tokens(source)),
        "hidden_size": hidden,
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": number("attention.head_count_kv", heads),
        "head_dim": width,
        "hidden_act": "silu",
        "max_position_embeddings": number("context_length"),
        "rms_norm_eps": real("attention.layer_norm_rms_epsilon"),
        "rope_theta": theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "tie_word_embeddings": tied or "output.weight" not in source.tensors,
        "attention_bias": family == "qwen2",
    } | {key: value for key, value in special.items() if isinstance(value, int)}


def weights_of(source: Gguf, config: dict[str, Any]) -> list[Weight]:
    """Every tensor of the model, in the order of its layers: each is there and of its shape, and none is left
    over whose work would be missing. Raises ModelError or DamagedError naming the tensor."""
    checked: list[Weight] = []
    for weight in _weights(source, config):  # one at a time: the file may say that it has a billion layers
        found = source.tensors.get(weight.source)
        if found is None or found.shape != weight.shape:
            what = "has no" if found is None else f"has the shape {found.shape} and not {weight.shape} for"
            raise DamagedError(f"{source.path}: {what} {weight.source}; use another GGUF file")
        checked.append(weight)
    embeddings = {"token_embd.weight", "output.weight"}
    if unknown := source.tensors.keys() - {weight.source for weight in checked} - embeddings:
        raise ModelError(f"{source.path}: holds {min(unknown)}, which mmx cannot convert; use a Hugging Face folder")
    return checked


def _weights(source: Gguf, config: dict[str, Any]) -> Iterator[Weight]:
    """Every tensor that the model has, in the order of its layers."""
    hidden, inner, heads = (config[key] for key in ("hidden_size", "intermediate_size", "num_attention_heads"))
    kv_heads, embedding = config["num_key_value_heads"], (config["vocab_size"], hidden)
    query, key = heads * config["head_dim"], kv_heads * config["head_dim"]
    interleaved = config["model_type"] == "llama"
    carriers = [name for name in ("token_embd.weight", "output.weight") if name in source.tensors]
    finest = max(carriers, key=lambda name: source.tensors[name].size, default="token_embd.weight")
    tied = config["tie_word_embeddings"]
    yield Weight("model.embed_tokens.weight", finest if tied else "token_embd.weight", embedding)
    for number in range(config["num_hidden_layers"]):
        theirs, ours = f"blk.{number}", f"model.layers.{number}"
        yield Weight(f"{ours}.input_layernorm.weight", f"{theirs}.attn_norm.weight", (hidden,))
        for letter, rows, count in (("q", query, heads), ("k", key, kv_heads), ("v", key, None)):
            order = count if interleaved else None
            name, part = f"{ours}.self_attn.{letter}_proj", f"{theirs}.attn_{letter}"
            yield Weight(f"{name}.weight", f"{part}.weight", (rows, hidden), order)
            if config["attention_bias"]:
                yield Weight(f"{name}.bias", f"{part}.bias", (rows,), order)
        yield Weight(f"{ours}.self_attn.o_proj.weight", f"{theirs}.attn_output.weight", (hidden, query))
        yield Weight(f"{ours}.post_attention_layernorm.weight", f"{theirs}.ffn_norm.weight", (hidden,))
        yield Weight(f"{ours}.mlp.gate_proj.weight", f"{theirs}.ffn_gate.weight", (inner, hidden))
        yield Weight(f"{ours}.mlp.up_proj.weight", f"{theirs}.ffn_up.weight", (inner, hidden))
        yield Weight(f"{ours}.mlp.down_proj.weight", f"{theirs}.ffn_down.weight", (hidden, inner))
    yield Weight("model.norm.weight", "output_norm.weight", (hidden,))
    if not tied:
        yield Weight("lm_head.weight", "output.weight", embedding)
