"""The shape of a MiniMax model, read from a checkpoint's config.json in either of the layouts that are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmxcli.errors import ModelError
from mmxcli.models.anatomy import Anatomy, Memory
from mmxcli.models.fields import Fields
from mmxcli.models.small_files import shown

ORIGINAL = ("minimax_text_01", "MiniMaxText01", "minimax_m1", "MiniMaxM1")  # model_type, in the spellings about
ARCHITECTURES = (["MiniMaxText01ForCausalLM"], ["MiniMaxM1ForCausalLM"])
Attention = Literal["lightning", "softmax"]
KINDS: dict[str, Mapping[Any, Attention]] = {
    "attn_type_list": {0: "lightning", 1: "softmax"},
    "layer_types": {"linear_attention": "lightning", "full_attention": "softmax"},
}


@dataclass(frozen=True, slots=True)
class Residual:
    """How what a sublayer f made of x joins x: alpha * x + beta * f(x)."""

    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class MiniMaxConfig:
    """Sizes and constants. `attention` has one entry a layer; widths are in numbers; `trained_window` in tokens."""

    family: str
    attention: tuple[Attention, ...]
    hidden: int
    heads: int
    key_heads: int
    head_width: int
    rotary_width: int  # of a softmax head's numbers, the first so many turn with the position
    rotary_theta: float
    experts: int
    experts_per_token: int
    mlp: int  # width of one expert
    vocabulary: int
    trained_window: int
    norm_epsilon: float
    tied_head: bool
    lightning_residual: Residual
    softmax_residual: Residual
    expert_residual: Residual

    @property
    def layers(self) -> int:
        return len(self.attention)

    @property
    def period(self) -> int:
        """So many layers, again and again, make all of them."""
        lengths = (length for length in range(1, self.layers) if self.layers % length == 0)
        repeated = (n for n in lengths if self.attention[:n] * (self.layers // n) == self.attention)
        return next(repeated, self.layers)

    def anatomy(self) -> Anatomy:
        """Of the published model: 456.09 B parameters, 45.94 B of them for each token, embedding and head aside;
        280 MiB of sums; 40 KiB of keys and values a token.

        The sums of the lightning layers are counted in float32, keys and values in bfloat16.
        """
        sums, softmaxes = self.attention.count("lightning"), self.attention.count("softmax")
        heads, pairs = self.heads * self.head_width, self.key_heads * self.head_width
        lightning = 5 * self.hidden * heads + heads  # queries, keys, values, output gate, output; norm
        softmax = 2 * self.hidden * heads + 2 * self.hidden * pairs
        every = 2 * self.hidden + self.experts * self.hidden  # two norms and the router
        read = sums * lightning + softmaxes * softmax + self.layers * every + self.hidden
        expert = 3 * self.hidden * self.mlp
        embeddings = self.vocabulary * self.hidden * (1 if self.tied_head else 2)
        memory: Memory = "softmax"
        if sums:
            memory = "hybrid" if softmaxes else "recurrent"
        return Anatomy(
            family=self.family,
            memory=memory,
            trained_window=self.trained_window,
            parameters=read + self.layers * self.experts * expert + embeddings,
            parameters_per_token=read + self.layers * self.experts_per_token * expert,
            embedding_parameters=embeddings,
            state_bytes_fixed=sums * self.heads * self.head_width**2 * 4,
            state_bytes_per_token=softmaxes * 2 * pairs * 2,
        )

    @classmethod
    def read(cls, folder: Path) -> "MiniMaxConfig":
        """From config.json as MiniMax published it, or as transformers writes it (model_type "minimax").

        Raises ModelError for what is no MiniMax-Text-01 or M1 and for variants that no published weights use,
        DamagedError for a config that lacks something, or says it twice and differently.
        """
        fields = Fields(folder)
        _refuse_variants(fields)
        heads, hidden = fields.whole("num_attention_heads"), fields.whole("hidden_size")
        head_width = fields.whole("head_dim", default=hidden // heads)
        config = cls(
            family="minimax",
            attention=_attention(fields),
            hidden=hidden,
            heads=heads,
            key_heads=fields.whole("num_key_value_heads", default=heads),
            head_width=head_width,
            rotary_width=_rotary_width(fields, head_width),
            rotary_theta=fields.number("rope_theta", "rope_parameters.rope_theta"),
            experts=fields.whole("num_local_experts", "num_experts"),
            experts_per_token=fields.whole("num_experts_per_tok"),
            mlp=fields.whole("intermediate_size"),
            vocabulary=fields.whole("vocab_size"),
            trained_window=fields.whole("max_position_embeddings"),
            norm_epsilon=fields.number("rms_norm_eps"),
            tied_head=fields.flag("tie_word_embeddings"),
            lightning_residual=_residual(fields, "layernorm_linear_attention", "linear_attn"),
            softmax_residual=_residual(fields, "layernorm_full_attention", "full_attn"),
            expert_residual=_residual(fields, "layernorm_mlp", "mlp"),
        )
        if config.experts_per_token > config.experts:
            raise fields.odd(f"a token cannot use {config.experts_per_token} of {config.experts} experts")
        return config


def is_minimax(fields: Fields) -> bool:
    """Whether it is one of the models that are computed here, in either layout."""
    return _is_original(fields) or fields.family == "minimax"


def _is_original(fields: Fields) -> bool:
    return fields.family in ORIGINAL or fields.value("architectures") in ARCHITECTURES


def _refuse_variants(fields: Fields) -> None:
    """Raises ModelError for another architecture, and for whatever this one's code would read wrongly."""
    original = _is_original(fields)
    if not is_minimax(fields):
        kind = shown(fields.family)
        raise ModelError(f"{fields.path}: is a {kind} model; this is the code of MiniMax-Text-01 and MiniMax-M1")
    shared = fields.value("shared_intermediate_size")  # the original's code also takes one for each layer
    rotary = fields.value("rope_parameters.rope_type", "rope_parameters.type")
    activation = fields.value("hidden_act")
    variants = {
        "postnorm false": original and not fields.value("postnorm"),  # the original's code takes none for false
        "a shared expert": any(shared) if isinstance(shared, list) else bool(shared),
        "a model within a model (text_config)": fields.text is not None,
        "a sliding window": fields.value("sliding_window") is not None,
        f"rotary scaling {shown(rotary)}": rotary not in (None, "default"),
        f"the activation {shown(activation)}": activation not in (None, "silu"),
    }
    for what, found in variants.items():
        if found:
            raise ModelError(f"{fields.path}: {what} is not supported; use the weights as MiniMax published them")


def _attention(fields: Fields) -> tuple[Attention, ...]:
    """The kind of each layer: `attn_type_list` in the original layout, `layer_types` in transformers'."""
    layers = fields.whole("num_hidden_layers")
    found: set[tuple[Attention, ...]] = set()
    for name, kinds in KINDS.items():
        listed = fields.value(name)
        if listed is None:
            continue
        if not isinstance(listed, list) or len(listed) != layers:
            raise fields.odd(f"{name} does not list {layers} layers, which num_hidden_layers says there are")
        if unknown := [kind for kind in listed if not isinstance(kind, int | str) or kind not in kinds]:
            raise fields.odd(f"{name} has a layer of kind {shown(unknown[0])}")
        found.add(tuple(kinds[kind] for kind in listed))
    if len(found) != 1:
        raise fields.odd(" and ".join(KINDS) + (" disagree" if found else " are both missing"))
    return found.pop()


def _rotary_width(fields: Fields, head_width: int) -> int:
    """From `rotary_dim`, or `partial_rotary_factor` of the head. Without either, all of the head turns: so say the
    original's code and transformers'."""
    names = ("partial_rotary_factor", "rope_parameters.partial_rotary_factor")
    part = int(fields.number(*names, default=1.0) * head_width)
    width = fields.whole("rotary_dim", default=part)
    if fields.value(*names) is not None and width != part:
        raise fields.odd(f"rotary_dim is {width}, but partial_rotary_factor makes {part} of {head_width}")
    if width % 2 or not 0 < width <= head_width:
        raise fields.odd(f"{width} of a head's {head_width} numbers cannot turn")
    return width


def _residual(fields: Fields, original: str, transformers: str) -> Residual:
    """The original's code and transformers' both take 1 for a factor that is not there."""
    return Residual(
        alpha=fields.number(f"{original}_alpha", f"{transformers}_alpha_factor", default=1.0),
        beta=fields.number(f"{original}_beta", f"{transformers}_beta_factor", default=1.0),
    )
