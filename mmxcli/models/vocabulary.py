"""The tokenizer that a GGUF file describes, as the files of a Hugging Face folder."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.gguf import Gguf

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer

_CONTROL, _USER_DEFINED = 3, 4
_ENDS = ("<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|end|>", "</s>")

_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def tokenizer_json(source: Gguf) -> str:
    """The content of tokenizer.json. Raises ModelError for a kind of tokenizer that mmx does not convert."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, processors

    kind, split = source.metadata.get("tokenizer.ggml.model"), source.metadata.get("tokenizer.ggml.pre")
    if kind != "gpt2" or split not in _SPLITS:
        raise ModelError(
            f"{source.path}: tokenizer {kind}/{split} is not one that mmx converts from GGUF; "
            "use the model's Hugging Face folder instead"
        )
    names, kinds, merges = tokens(source), _list(source, "token_type"), _list(source, "merges")
    vocabulary = {name: number for number, name in enumerate(names)}
    pairs: list[Any] = [tuple(str(merge).split(" ")) for merge in merges]
    fitting = all(len(pair) == 2 and vocabulary.keys() >= {*pair, "".join(pair)} for pair in pairs)
    if not fitting or not len(kinds) == len(names) == len(vocabulary):
        raise DamagedError(f"{source.path}: its vocabulary contradicts itself; download it again")
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    tokenizer.pre_tokenizer = _SPLITS[split]()
    tokenizer.decoder = decoders.ByteLevel()
    for marked, special in ((_CONTROL, True), (_USER_DEFINED, False)):
        added = [token for token, mark in zip(names, kinds, strict=True) if mark == marked]
        tokenizer.add_tokens([AddedToken(token, normalized=False, special=special) for token in added])
    begin = token_of(source, "bos")
    if source.metadata.get("tokenizer.ggml.add_bos_token") and begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=[begin, "$A"], pair=[begin, "$A", "$B"], special_tokens=[(begin, vocabulary[begin])]
        )
    return tokenizer.to_str()


def tokenizer_config_json(source: Gguf) -> str:
    """The content of tokenizer_config.json: the special tokens and the chat template."""
    names = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}
    config: dict[str, Any] = {field: token_of(source, name) for field, name in names.items()}
    config |= {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "add_bos_token": bool(source.metadata.get("tokenizer.ggml.add_bos_token")),
        "chat_template": source.metadata.get("tokenizer.chat_template"),
    }
    return json.dumps({field: value for field, value in config.items() if value is not None}, indent=2)


def tokens(source: Gguf) -> list[str]:
    """The vocabulary in the order of its ids. Raises ModelError when the file has none."""
    return [str(token) for token in _list(source, "tokens")]


def token_of(source: Gguf, name: str) -> str | None:
    """The text of the special token "bos", "eos", "padding" or "unknown"; None where there is none."""
    number = source.metadata.get(f"tokenizer.ggml.{name}_token_id")
    names = tokens(source)
    return names[number] if isinstance(number, int) and 0 <= number < len(names) else None


def end_ids(source: Gguf) -> list[int]:
    """Every token that ends an answer: the one that the file names, then the usual ones it has."""
    kinds = zip(tokens(source), _list(source, "token_type"), strict=False)
    usual = {number for number, (token, kind) in enumerate(kinds) if token in _ENDS and kind == _CONTROL}
    named = source.metadata.get("tokenizer.ggml.eos_token_id")
    return ([named] if isinstance(named, int) else []) + sorted(usual - {named})


def _list(source: Gguf, name: str) -> list[Any]:
    values = source.metadata.get(f"tokenizer.ggml.{name}")
    if not isinstance(values, list):
        raise ModelError(f"{source.path}: has no tokenizer (tokenizer.ggml.{name}); use another GGUF file")
    return values


def _smollm() -> "PreTokenizer":
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    return Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])


def _qwen2() -> "PreTokenizer":
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

    return Sequence([Split(Regex(_QWEN2), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])


def _gpt2() -> "PreTokenizer":
    from tokenizers.pre_tokenizers import ByteLevel

    return ByteLevel(add_prefix_space=False)


_SPLITS: dict[str, Callable[[], "PreTokenizer"]] = {
    "smollm": _smollm,
    "qwen2": _qwen2,
    "deepseek-r1-qwen": _qwen2,
    "gpt-2": _gpt2,
}
