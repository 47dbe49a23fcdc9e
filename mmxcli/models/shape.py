"""The shape of a llama-like model, read from a checkpoint's config.json."""

from dataclasses import dataclass
from pathlib import Path

from mmxcli.errors import ModelError
from mmxcli.models.anatomy import Anatomy
from mmxcli.models.fields import Fields
from mmxcli.models.small_files import shown

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
MISTRAL_WINDOW = 4_096  # where config.json says nothing of it


def foreign(fields: Fields) -> str | None:
    """What of a config is beyond `Shape` and softmax.py; None where they say all there is to say of the model."""
    family, values = fields.family, fields.values
    if family not in FAMILIES:
        return f"a {shown(family)} model is not one of {', '.join(FAMILIES)}"
    kind, activation = fields.value("rope_parameters.rope_type", "rope_parameters.type"), values.get("hidden_act")
    part = fields.value("partial_rotary_factor", "rope_parameters.partial_rotary_factor")
    slides = fields.flag("use_sliding_window", default=family == "mistral")
    sliding = values.get("sliding_window", MISTRAL_WINDOW if family == "mistral" else None)
    layers = fields.value("layer_types") or ()
    by_layer = any(isinstance(value, dict) for name, value in values.items() if name.startswith("rope_parameters."))
    reasons = {
        f"rotary scaling {shown(kind)}": kind not in (None, "default"),
        "rotary embeddings that differ from layer to layer": by_layer,
        "heads of which only a part turns": part not in (None, 1),
        f"the activation {shown(activation)}": activation not in (None, "silu"),
        f"a sliding window of its own ({shown(sliding)} tokens)": slides and sliding is not None,
        "a model within a model (text_config)": fields.text is not None,
        "layers of several kinds": any(layer != "full_attention" for layer in layers),
    }
    return next((reason for reason, found in reasons.items() if found), None)


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
    attention_bias: bool = False
    mlp_bias: bool = False

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
        )

    @classmethod
    def read(cls, folder: Path) -> "Shape":
        """Raises ModelError for a family that mmx does not run, DamagedError for a config that makes no sense."""
        fields = Fields(folder)
        if reason := foreign(fields):
            raise ModelError(f"{fields.path}: {reason}, which mmx does not run")
        hidden, heads = fields.whole("hidden_size"), fields.whole("num_attention_heads")
        shape = cls(
            family=str(fields.family),
            layers=fields.whole("num_hidden_layers"),
            hidden=hidden,
            heads=heads,
            key_heads=fields.whole("num_key_value_heads", default=heads),
            head_width=fields.whole("head_dim", default=hidden // heads),
            mlp=fields.whole("intermediate_size"),
            vocabulary=fields.whole("vocab_size"),
            trained_window=fields.whole("max_position_embeddings"),
            rotary_theta=fields.number("rope_theta", "rope_parameters.rope_theta", default=10_000.0),
            norm_epsilon=fields.number("rms_norm_eps"),
            tied_head=fields.flag("tie_word_embeddings"),
            attention_bias=fields.flag("attention_bias"),
            mlp_bias=fields.flag("mlp_bias"),
        )
        if shape.head_width % 2:
            raise fields.odd(f"{shape.head_width} numbers of a head cannot turn in pairs")
        return shape
