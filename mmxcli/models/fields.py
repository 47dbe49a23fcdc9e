"""The values in a config.json, where one thing may stand under several names: checked before any model is made of
them, whoever computes it."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.small_files import read_json, shown

LARGEST = 1e15  # no size or constant of a model comes near it
DTYPES = ("float32", "bfloat16", "float16")
# What a number may be at most, by its name. Whatever is made one by one, or padded to, would keep the machine busy
# before its weights were found wanting; published models stay far below.
BOUNDS = (
    (re.compile(r"num_hidden_layers|num_layers|n_layers?|num_blocks"), 1, 1 << 8),
    (re.compile(r"(.*_)?chunk_size"), 1, 1 << 10),
    (re.compile(r"vocab_size|hidden_size|num_attention_heads"), 1, 1 << 31),
    (re.compile(r".*(layers|heads|experts|groups?|blocks|per_tok|per_token)"), 0, 1 << 12),
    (re.compile(r".*_(size|dim|width|rank|kernel|window|length|embeddings)"), 0, 1 << 31),
)
UNBOUNDED = re.compile(r"time_step_limit|mamba_dt_limit")  # Δ of Mamba-2 may have no upper limit
INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}  # as transformers writes them: {"__float__": "Infinity"}
LAYER_LISTS = ("layer_types", "layers_block_type", "attn_type_list")
HEAD_WIDTHS = ("head_dim", "attention_head_dim", "qk_head_dim", "qk_nope_head_dim", "v_head_dim")
QUANTISED = ("quantization_config", "compression_config", "quantization")


class Fields:
    """What config.json says, by name; what it says about rotary embeddings also as `rope_parameters.NAME`.

    `config` is the object in the file as it is, `text` what a model of more than text says of its text, else None.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ModelError where there is no config.json and for weights that mmx does not read, DamagedError for one
        that is no JSON, or that no model can be made of."""
        self.path = folder / "config.json"
        try:
            self.config = read_json(self.path)
        except FileNotFoundError:
            raise ModelError(f"{folder} has no config.json: it is not a model folder") from None
        try:
            self.config = {name: self._plausible(name, value) for name, value in self.config.items()}
        except RecursionError:
            raise self.odd("values within values without end") from None
        self.values, self.text = self._with_rotary(self.config), self.config.get("text_config")
        if self.text is not None and not isinstance(self.text, dict):
            raise self.odd(f"text_config is {shown(self.text)}")
        for values in (self.values, self._with_rotary(self.text or {})):
            self._check(values)

    @property
    def family(self) -> str | None:
        """What it says that the model is."""
        kind = self.config.get("model_type")
        if kind is not None and not isinstance(kind, str):
            raise self.odd(f"model_type is {shown(kind)}")
        return kind

    def odd(self, what: str) -> DamagedError:
        """The error for a config that makes no sense."""
        return DamagedError(f"{self.path}: {what}; get the model again")

    def value(self, *names: str) -> Any:
        """What stands under these names, None where nothing does. Raises DamagedError where two of them differ."""
        return self._agreed(self.values, names)

    def number(self, *names: str, default: float | None = None) -> float:
        """A number above zero. Raises DamagedError for any other value, and for none where there is no default."""
        value = self.value(*names)
        value = default if value is None else value
        if value is None:
            raise self.odd(f"{names[0]} is missing")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LARGEST:
            raise self.odd(f"{names[0]} is {shown(value)}")
        return float(value)

    def whole(self, *names: str, default: int | None = None) -> int:
        """As `number`, without a fraction."""
        value = self.number(*names, default=default)
        if not value.is_integer():
            raise self.odd(f"{names[0]} is {shown(value)}")
        return int(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false. Raises DamagedError for any other value."""
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise self.odd(f"{name} is {shown(value)}")
        return default if value is None else value

    @property
    def dtype(self) -> str | None:
        """The dtype that it says the weights are in, one of DTYPES; None where it says none."""
        return self._dtype(self.values) or self._dtype(self.text or {})

    def _plausible(self, name: str, value: Any) -> Any:
        """The value, infinities as such. Raises DamagedError for a number that no model has."""
        if isinstance(value, dict):
            if value.keys() == {"__float__"}:
                return self._plausible(name, INFINITIES.get(str(value["__float__"]), math.nan))
            return {inner: self._plausible(inner, item) for inner, item in value.items()}
        if isinstance(value, list):
            return [self._plausible(name, item) for item in value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if math.isnan(value) or (abs(value) > LARGEST and not UNBOUNDED.fullmatch(name)):
            raise self.odd(f"{shown(name)} is {shown(value)}")
        for pattern, least, most in BOUNDS:
            if pattern.fullmatch(name):
                if not least <= value <= most or value != int(value):
                    raise self.odd(f"{name} is {shown(value)}, not a whole number from {least} to {most}")
                break
        return value

    def _with_rotary(self, config: dict[str, Any]) -> dict[str, Any]:
        """The config, and what stands in its rope_parameters, or in rope_scaling as they were called, under the name
        that it has there. Raises DamagedError where both are there and differ."""
        found: dict[str, Any] = {}
        for name in ("rope_parameters", "rope_scaling"):
            rotary = config.get(name)
            if rotary is None:
                continue
            if not isinstance(rotary, dict):
                raise self.odd(f"{name} is {shown(rotary)}")
            for key, value in _flat("rope_parameters", rotary):
                if key in found and found[key] != value:
                    raise self.odd(f"{key} is {shown(found[key])}, but rope_scaling makes it {shown(value)}")
                found[key] = value
        return config | found

    def _check(self, values: dict[str, Any]) -> None:
        for names in (
            ("rope_theta", "rope_parameters.rope_theta"),
            ("rope_theta", "rope_parameters.full_attention.rope_theta"),
            ("rope_local_base_freq", "rope_parameters.sliding_attention.rope_theta"),
            ("partial_rotary_factor", "rope_parameters.partial_rotary_factor"),
        ):
            self._agreed(values, names)
        self._dtype(values)
        for name in QUANTISED:
            if values.get(name):
                raise ModelError(
                    f"{self.path}: {name}: a quantised checkpoint is not supported; use the weights that it was made "
                    "of, and --quant"
                )
        if values.get("per_layer_config"):
            raise ModelError(f"{self.path}: per_layer_config: layers of several shapes are not supported")
        layers, heads, pairs, hidden = (
            found if type(found := values.get(name)) is int else 0
            for name in ("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "hidden_size")
        )
        for name in LAYER_LISTS:
            listed = values.get(name)
            if listed is not None and not isinstance(listed, list):
                raise self.odd(f"{name} is {shown(listed)}")
            if listed is not None and layers and len(listed) != layers:
                raise self.odd(f"{name} does not list {layers} layers, which num_hidden_layers says there are")
        if heads and pairs and heads % pairs:
            raise self.odd(f"{heads} heads cannot share {pairs} key-value heads")
        if heads and hidden % heads and not any(values.get(name) for name in HEAD_WIDTHS):
            raise self.odd(f"{heads} heads cannot share a hidden_size of {hidden}")

    def _dtype(self, values: dict[str, Any]) -> str | None:
        found = self._agreed(values, ("dtype", "torch_dtype"))
        name = found.removeprefix("torch.") if isinstance(found, str) else found
        if name in (None, "auto"):
            return None
        if name not in DTYPES:
            raise ModelError(f"{self.path}: dtype is {shown(found)}; mmx runs {', '.join(DTYPES)}")
        return str(name)

    def _agreed(self, values: dict[str, Any], names: tuple[str, ...]) -> Any:
        found = {name: values[name] for name in names if values.get(name) is not None}
        first = next(iter(found), "")
        for name, value in found.items():
            if value != found[first]:
                raise self.odd(f"{first} is {shown(found[first])}, but {name} is {shown(value)}")
        return found.get(first)


def _flat(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What an object holds, and what the objects in it hold, by names with dots."""
    for name, value in values.items():
        yield f"{prefix}.{name}", value
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)
