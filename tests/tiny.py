"""Tiny models with random weights and a real tokenizer, laid out like checkpoints from a hub."""

import json
from pathlib import Path

import torch
from tiny_families import LIBRARY_FAMILIES
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SAMPLE = [
    "The quick brown fox jumps over the lazy dog, and the captain of the whaling ship said so twice.\n",
    "def answer(question: str) -> str:\n    return 'forty two'  # 42, 1984, 2026\n",
    "Das Schiff fährt über das Meer. Le navire traverse la mer; об этом говорили вчера. 船は海を渡る。\n",
    "  indented\r\n\r\n\ttabs   and    blanks\n\n\nI'm, you'll, they've <|im_end|> |>\n",
]
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-6,
}
FAMILIES = {
    "llama": {},
    "mistral": {"sliding_window": None},
    "qwen2": {},
    "qwen3": {"head_dim": 32},
}


KEPT = ("conv1d.weight", "conv_1d.weight", "conv.weight")
SLOWER = 3.0  # by e^3: what a tiny recurrence holds must be felt for hundreds of tokens, or nothing is tested


def make_tokenizer(folder: Path) -> int:
    """Writes tokenizer.json and its settings; returns the size of the vocabulary."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=600,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SAMPLE * 4, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"chat_template": TEMPLATE, "eos_token": "<|im_end|>", "bos_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return int(tokenizer.get_vocab_size())


def make_model(folder: Path, family: str = "llama", dtype: torch.dtype = torch.float32, **sizes: object) -> Path:
    """Writes a random checkpoint of `family` with transformers' own class, and a tokenizer, into `folder`."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = make_tokenizer(folder)
    own = SIZES | FAMILIES[family] if family in FAMILIES else LIBRARY_FAMILIES[family]
    config = AutoConfig.for_model(family, **(own | {"vocab_size": vocabulary} | sizes))
    with torch.random.fork_rng():
        torch.manual_seed(20)
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
        for name, weight in model.named_parameters():
            if family in FAMILIES:
                weight.data = (torch.randn(weight.shape) * 0.25 + (weight.dim() == 1)).to(dtype)
            elif name.endswith("A_log"):
                weight.data -= SLOWER
            elif weight.dim() >= 2 and not name.endswith(KEPT):  # the library's own start is too small to tell apart
                weight.data = (torch.randn(weight.shape) * weight.shape[-1] ** -0.5).to(dtype)
    model.save_pretrained(folder)
    return folder
