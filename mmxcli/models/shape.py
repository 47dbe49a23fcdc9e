"""The shape of a llama-like model, read from a checkpoint's config.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.anatomy import Anatomy

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")


def read_config(folder: Path) -> dict[str, Any]:
    """The object in config.json. Raises ModelError when there is none, DamagedError when it is no JSON object."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} has no config.json: it is not a model folder") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DamagedError(f"{path} is not valid JSON ({error}): get the model again") from None
    if not isinstance(config, dict):
        raise DamagedError(f"{path} is not a JSON object: get the model again")
    return config


def is_llama_like(config: dict[str, Any]) -> bool:
    """Whether `Shape` and the forward pass in softmax.py say all there is to say of a model with this config."""
    return _foreign(config) is None


def _foreign(config: dict[str, Any]) -> str | None:
    """What of a config is beyond softmax.py."""
    family = config.get("model_type")
    if family not in FAMILIES:
        return f"a '{family}' model is not one of {', '.join(FAMILIES)}"
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rotary, dict):
        return "its rope_parameters are no object"
    kind = rotary.get("rope_type", rotary.get("type", "default"))
    if kind != "default":
        return f"rotary scaling '{kind}'"
    sliding = config.get("sliding_window") if config.get("use_sliding_window", family == "mistral") else None
    return None if sliding is None else f"a sliding window of its own ({sliding} tokens)"


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes and constants of a llama-like model; `trained_window` is in tokens."""

    family: str
    layers: int
    hidden: int
    heads: int
    key_heads: int
    head_width: int
    mlp: int
    vocabulary: int
    trained_window: int
    rotary_theta: float
    norm_epsilon: float
    tied_head: bool

    def anatomy(self) -> Anatomy:
        """Keys and values counted in bfloat16, norms and biases left out."""
        attention = self.hidden * self.head_width * 2 * (self.heads + self.key_heads)
        read = self.layers * (attention + 3 * self.hidden * self.mlp)
        return Anatomy(
            family=self.family,
            memory="softmax",
            trained_window=self.trained_window,
            parameters=read + self.vocabulary * self.hidden * (1 if self.tied_head else 2),
            parameters_per_token=read,
            embedding_parameters=self.vocabulary * self.hidden * (1 if self.tied_head else 2),
            state_bytes_fixed=0,
            state_bytes_per_token=self.layers * 2 * self.key_heads * self.head_width * 2,
            attention_width=self.layers * self.heads * self.head_width,
            largest_product=(self.hidden, self.mlp),
        )

    @classmethod
    def read(cls, folder: Path) -> "Shape":
        """Raises ModelError for a family that mmx does not run, DamagedError for a config that makes no sense."""
        path, config = folder / "config.json", read_config(folder)
        if reason := _foreign(config):
            raise ModelError(f"{path}: {reason}")
        rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
        theta, another = rotary.get("rope_theta"), config.get("rope_theta")
        if theta is not None and another is not None and float(theta) != float(another):
            raise DamagedError(f"{path}: says rope_theta twice, {theta} and {another}: which is right?")
        try:
            return cls(
                family=str(config["model_type"]),
                layers=int(config["num_hidden_layers"]),
                hidden=int(config["hidden_size"]),
                heads=int(config["num_attention_heads"]),
                key_heads=int(config.get("num_key_value_heads") or config["num_attention_heads"]),
                head_width=int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]),
                mlp=int(config["intermediate_size"]),
                vocabulary=int(config["vocab_size"]),
                trained_window=int(config["max_position_embeddings"]),
                rotary_theta=float(theta or another or 10_000.0),
                norm_epsilon=float(config["rms_norm_eps"]),
                tied_head=bool(config.get("tie_word_embeddings", False)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{path}: missing or odd value: {error}") from None
