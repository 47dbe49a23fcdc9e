"""From a folder of weights to a network of transformers, with nothing left to chance."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.families.registry import family_named
from mmxcli.models.library.attention import NAME
from mmxcli.models.library.model import LibraryModel

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
logging.getLogger("transformers").addHandler(logging.NullHandler())


def read_config(folder: Path) -> "PreTrainedConfig":
    """transformers' own object. Raises ModelError for a family that it or mmx does not run, DamagedError for a
    config that contradicts itself."""
    path = folder / "config.json"
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        if "does not recognize this architecture" in str(error) or "trust_remote_code" in str(error):
            kind = json.loads(path.read_text(encoding="utf-8")).get("model_type")
            raise ModelError(
                f"{path}: a '{kind}' model is unknown to transformers {transformers.__version__}"
            ) from None
        raise DamagedError(f"{path}: {_first_line(error)}: get the model again") from None
    try:
        family_named(config)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return config


def load(folder: Path, dtype: torch.dtype | None = None) -> LibraryModel:
    """The model in a folder of safetensors, in the checkpoint's own dtype (float16 becomes bfloat16) unless told.

    Raises DamagedError when a weight is missing, or has another shape than the config says.
    """
    config = read_config(folder)
    chosen: Any = dtype or getattr(config.get_text_config(), "dtype", None) or torch.float32
    if chosen == torch.float16:
        chosen = torch.bfloat16
    try:
        network, found = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=chosen,
            attn_implementation=NAME,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, OSError) as error:
        raise DamagedError(f"{folder}: {_first_line(error)}: get the model again") from None
    for what, names in (
        ("lacks the tensor", found["missing_keys"]),
        ("has another shape for", found["mismatched_keys"]),
    ):
        if names:
            first = sorted(str(name) for name in names)[0]
            raise DamagedError(f"{folder}: {what} {first}: get the model again")
    return LibraryModel(network, family_named(config))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
