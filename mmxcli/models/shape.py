"""The shape of a softmax model, read from a checkpoint's config.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")


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

    @property
    def state_bytes_per_token(self) -> int:
        """Keys and values of one token in bfloat16."""
        return self.layers * 2 * self.key_heads * self.head_width * 2

    @property
    def parameters_per_token(self) -> int:
        """Weights that each token is multiplied with while reading: all but embedding and head."""
        attention = self.hidden * self.head_width * 2 * (self.heads + self.key_heads)
        return self.layers * (attention + 3 * self.hidden * self.mlp)

    @classmethod
    def read(cls, folder: Path) -> "Shape":
        """Raises ModelError for a family that mmx does not run, DamagedError for a config that makes no sense."""
        path = folder / "config.json"
        try:
            config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(f"{folder} has no config.json: it is not a model folder") from None
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise DamagedError(f"{path} is not valid JSON ({error}): get the model again") from None
        family = str(config.get("model_type"))
        if family not in FAMILIES:
            known = ", ".join(FAMILIES)
            raise ModelError(f"{folder} is a '{family}' model; this version of mmx runs {known}")
        rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
        kind = rotary.get("rope_type", rotary.get("type", "default"))
        if kind != "default":
            raise ModelError(f"{path}: rotary scaling '{kind}' is not supported yet")
        sliding = config.get("sliding_window") if config.get("use_sliding_window", family == "mistral") else None
        if sliding is not None:
            raise ModelError(f"{path}: a sliding window of its own ({sliding} tokens) is not supported yet")
        try:
            return cls(
                family=family,
                layers=int(config["num_hidden_layers"]),
                hidden=int(config["hidden_size"]),
                heads=int(config["num_attention_heads"]),
                key_heads=int(config.get("num_key_value_heads") or config["num_attention_heads"]),
                head_width=int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]),
                mlp=int(config["intermediate_size"]),
                vocabulary=int(config["vocab_size"]),
                trained_window=int(config["max_position_embeddings"]),
                rotary_theta=float(rotary.get("rope_theta") or config.get("rope_theta") or 10_000.0),
                norm_epsilon=float(config["rms_norm_eps"]),
                tied_head=bool(config.get("tie_word_embeddings", False)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{path}: missing or odd value: {error}") from None
