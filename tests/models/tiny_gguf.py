"""Tiny GGUF files with random weights, made with the gguf package's own writer."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.quants import quantize
from tokenizers import pre_tokenizers

HIDDEN, INNER, HEADS, KEY_HEADS, LAYERS = 64, 96, 4, 2, 2
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
MERGES = ["Ġ t", "h e", "Ġt he", "i n", "Ġ Ġ", "ĠĠ ĠĠ"]
TOKENS = [*CONTROL, *ALPHABET, *(merge.replace(" ", "") for merge in MERGES), "<tool>"]


def tensors(family: str, *, tied: bool, seed: int = 0) -> dict[str, np.ndarray]:
    """Float32 tensors by their GGUF names, rows first."""
    random = np.random.default_rng(seed)

    def values(*shape: int) -> np.ndarray:
        return random.normal(scale=0.3, size=shape).astype(np.float32)

    width = HIDDEN // HEADS
    found = {"token_embd.weight": values(len(TOKENS), HIDDEN), "output_norm.weight": values(HIDDEN)}
    if not tied:
        found["output.weight"] = values(len(TOKENS), HIDDEN)
    for number in range(LAYERS):
        block = f"blk.{number}."
        for name in ("attn_norm", "ffn_norm"):
            found[f"{block}{name}.weight"] = values(HIDDEN)
        for letter, heads in (("q", HEADS), ("k", KEY_HEADS), ("v", KEY_HEADS)):
            found[f"{block}attn_{letter}.weight"] = values(heads * width, HIDDEN)
            if family == "qwen2":
                found[f"{block}attn_{letter}.bias"] = values(heads * width)
        found[f"{block}attn_output.weight"] = values(HIDDEN, HIDDEN)
        found[f"{block}ffn_gate.weight"] = values(INNER, HIDDEN)
        found[f"{block}ffn_up.weight"] = values(INNER, HIDDEN)
        found[f"{block}ffn_down.weight"] = values(HIDDEN, INNER)
    return found


def write(
    path: Path,
    family: str = "llama",
    *,
    tied: bool = True,
    changed: dict[str, np.ndarray | None] | None = None,
    extra: dict[str, Any] | None = None,
    split: str = "gpt-2",
    merges: list[str] = MERGES,
) -> Path:
    """Write a tiny model; matrices in Q8_0, but token_embd in Q4_1. `changed` replaces tensors, or with None
    leaves them out; `extra` adds text or numbers to the metadata."""
    writer = gguf.GGUFWriter(path, family)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(50000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(TOKENS)
    writer.add_token_merges(merges)
    writer.add_token_types([3] * len(CONTROL) + [1] * (len(TOKENS) - len(CONTROL) - 1) + [4])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_chat_template(TEMPLATE)
    for key, value in (extra or {}).items():
        add = writer.add_string if isinstance(value, str) else writer.add_uint32
        writer.kv_data[0].pop(key, None)
        add(key, value)
    for name, values in (tensors(family, tied=tied) | (changed or {})).items():
        if values is None:
            continue
        if values.ndim == 1:
            writer.add_tensor(name, values)
            continue
        kind = gguf.GGMLQuantizationType.Q4_1 if name == "token_embd.weight" else gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
