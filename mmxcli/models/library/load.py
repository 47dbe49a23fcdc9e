"""From a folder of weights to a network of transformers, with nothing left to chance.

The library is handed a config object and the tensors, never the folder: what it would look for there, or be led to by
a config (other files, pickles, adapters, code, kernels of a hub), it does not come to see.
"""

import copy
import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, PreTrainedConfig, PreTrainedModel

from mmxcli.errors import DamagedError, MmxError, ModelError
from mmxcli.models.anatomy import Anatomy
from mmxcli.models.families.registry import FAMILIES, family_named
from mmxcli.models.fields import Fields
from mmxcli.models.library.attention import NAME
from mmxcli.models.library.measure import anatomy_of as measured
from mmxcli.models.library.model import LibraryModel
from mmxcli.models.shape import FAMILIES as LLAMA_LIKE
from mmxcli.models.shape import foreign
from mmxcli.models.shards import DERIVED, Header, check_dtype, lacking, mapped, misshapen, read_headers, strange
from mmxcli.models.small_files import shown

transformers.logging.set_verbosity(logging.CRITICAL)  # what goes wrong is raised, and told of by us
transformers.logging.disable_progress_bar()
logging.getLogger("transformers").addHandler(logging.NullHandler())

DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
# What a config can say and nobody here listens to: all that the library's base class has a name for, be it a method,
# and what else it takes from there on who computes, and from which files. `rope_scaling` is the old rope_parameters.
SETTLED = frozenset(dir(PreTrainedConfig)) - {"rope_scaling"} | {
    "attn_implementation",
    "auto_map",
    "compression_config",
    "distributed_config",
    "experts_implementation",
    "fusion_config",
    "gradient_checkpointing",
    "kernel_config",
    "quantization_config",
    "tie_last_hidden_states",
    "transformers_weights",
    "use_kernels",
}

PARTS = ("text_config", "decoder", "generator", "text_encoder", "audio_encoder")  # where a class has no such parts


def anatomy_of(folder: Path) -> Anatomy:
    """What it costs and remembers. Raises what `read_config` raises."""
    config = read_config(Fields(folder))
    with understood(folder / "config.json"):
        return measured(config)


def read_config(fields: Fields) -> PreTrainedConfig:
    """transformers' own object. Raises ModelError for a family that it or mmx does not run, DamagedError for a config
    that contradicts itself."""
    kind = _kind(fields)
    own = _own(fields, fields.config, kind)
    with understood(fields.path):
        return kind(**own)


def load(folder: Path, dtype: torch.dtype | None = None) -> LibraryModel:
    """The model in a folder of safetensors, in the checkpoint's own dtype (float16 becomes bfloat16) unless told.

    Weights that need no other dtype and no other form stay mapped from their files. Raises DamagedError naming the
    tensor that is missing or has another shape than the config says, ModelError naming one in a dtype that is not
    run, and one that the model has no use for.
    """
    fields = Fields(folder)
    config, headers = read_config(fields), read_headers(folder)
    headers = {name: header for name, header in headers.items() if not DERIVED.search(name)}
    for name, header in headers.items():
        check_dtype(name, header)
    kind = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    family, text = family_named(config), config.get_text_config()
    config = text if kind.config_class is type(text) else config
    with understood(fields.path):
        _check_size(kind, config, headers, fields)
    with understood(folder):
        network, found = kind.from_pretrained(
            None,
            config=config,
            state_dict=mapped(headers, headers),
            dtype=dtype or _dtype(fields, headers),
            attn_implementation=NAME,
            ignore_mismatched_sizes=True,  # they are told of below, by name
            output_loading_info=True,
        )
    places = {name: header.path for name, header in headers.items()}  # where the library has not renamed them
    for name, there, wanted in sorted(found["mismatched_keys"]):
        raise misshapen(places.get(name, folder), name, tuple(there), tuple(wanted))
    for name in sorted(found["missing_keys"]):
        raise lacking(folder, name)
    for name in sorted(found["unexpected_keys"]):
        raise strange(places.get(name, folder), name, text.model_type)
    return LibraryModel(network, family)


def _kind(fields: Fields) -> type[PreTrainedConfig]:
    """The library's class for the config of a family that mmx runs, or of one with such a family for its text.

    Raises ModelError for all others: nothing is made of a config that names another class.
    """
    outside = fields.family
    if outside not in CONFIG_MAPPING:
        own = ", and the code that it brings is never run" if "auto_map" in fields.config else ""
        named = f"a {shown(outside)} model is unknown to transformers {transformers.__version__}"
        raise ModelError(f"{fields.path}: {named}{own}; use another model")
    kind: type[PreTrainedConfig] = CONFIG_MAPPING[outside]
    part = kind.sub_configs_defaults.get("text_config")
    family = part.model_type if part else outside
    if outside == "mistral" and "layer_types" in fields.config:
        family = "ministral"  # as the library takes it
    if family in LLAMA_LIKE and family not in FAMILIES:
        raise ModelError(f"{fields.path}: {foreign(fields)}, which mmx does not run")
    try:
        family_named(PreTrainedConfig(model_type=family))
    except ModelError as error:
        raise ModelError(f"{fields.path}: {error}") from None
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ModelError(f"{fields.path}: a {shown(outside)} model cannot be run")
    return kind


def _own(fields: Fields, values: Mapping[str, Any], kind: type[PreTrainedConfig]) -> dict[str, Any]:
    """What of `values` is for the model of a config of this `kind` to know, and its parts likewise.

    Raises DamagedError where a thing is said under two names, and differs, ModelError for what would be another model.
    """
    for alias, name in kind.attribute_map.items():
        one, other = values.get(alias), values.get(name)
        if one is not None and other is not None and one != other:
            raise fields.odd(f"{alias} is {shown(one)}, but {name} is {shown(other)}")
    own = {}
    for name, value in values.items():
        part = kind.sub_configs_defaults.get(name)
        if part is not None and isinstance(value, dict):
            if value.get("model_type", part.model_type) != part.model_type:
                raise ModelError(
                    f"{fields.path}: {name} is of a {shown(value['model_type'])} model, not of a {part.model_type}"
                )
            own[name] = _own(fields, value, CONFIG_MAPPING[part.model_type])
        elif not (name.startswith("_") or name in SETTLED or name in PARTS or _is_code(kind, name)):
            own[name] = value
    return own


def _is_code(kind: type[PreTrainedConfig], name: str) -> bool:
    """Whether a family's class has something of this name that is no value of its config."""
    there = getattr(kind, name, None)
    return name not in kind.__dataclass_fields__ and there is not None and not isinstance(there, property)


def _check_size(
    kind: type[PreTrainedModel], config: PreTrainedConfig, headers: Mapping[str, Header], fields: Fields
) -> None:
    """Raises DamagedError for a config that makes a model far larger than its files: what a checkpoint lacks would be
    allocated, and filled with random numbers, before it were told of."""
    with torch.device("meta"):
        network = kind(copy.deepcopy(config))
    promised = sum(weight.numel() for weight in network.parameters())
    held = sum(prod(header.shape) for header in headers.values())
    if promised <= 2 * held:
        return
    for name, weight in network.state_dict().items():
        if name in headers and headers[name].shape != tuple(weight.shape):
            raise misshapen(headers[name].path, name, headers[name].shape, tuple(weight.shape))
    raise fields.odd(f"it makes a model of {promised:,} weights, and the files beside it hold {held:,}")


def _dtype(fields: Fields, headers: Mapping[str, Header]) -> torch.dtype:
    """That of the config or, where it says nothing, that of most weights."""
    sizes: Counter[str] = Counter()
    for header in headers.values():
        sizes[header.dtype] += header.bytes
    most = DTYPES[sizes.most_common(1)[0][0]] if sizes else torch.float32
    chosen: torch.dtype = getattr(torch, fields.dtype) if fields.dtype else most
    return torch.bfloat16 if chosen == torch.float16 else chosen


@contextmanager
def understood(place: Path) -> Iterator[None]:
    """Turns whatever the library raises over what is in a file into one line, and keeps its warnings to itself.

    Raises DamagedError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MmxError:
        raise
    except Exception as error:  # it raises what it comes across: a division by zero, a field of the wrong type
        said = " ".join(str(error).split("Exception raised from")[0].split()) or type(error).__name__
        raise DamagedError(
            f"{place}: transformers cannot make sense of it ({said[:300]}); get the model again"
        ) from error
