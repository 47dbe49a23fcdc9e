"""Every family that transformers' classes compute for mmx, by the `model_type` of its config."""

from typing import Any

from mmxcli.errors import ModelError
from mmxcli.models.families.family import Family
from mmxcli.models.families.recurrent_gemma import RecurrentGemma
from mmxcli.models.families.rwkv import Rwkv
from mmxcli.models.families.selective_scan import SelectiveScan
from mmxcli.models.families.single_step import SingleStep
from mmxcli.models.families.xlstm import Xlstm

_PLAIN, _SCAN, _STEP = Family(), SelectiveScan(), SingleStep()

FAMILIES: dict[str, Family] = {
    "mamba": _SCAN,
    "falcon_mamba": _SCAN,
    "jamba": _SCAN,
    "zamba": _SCAN,
    "mamba2": _STEP,
    "bamba": _STEP,
    "falcon_h1": _STEP,
    "granitemoehybrid": _STEP,
    "nemotron_h": _STEP,
    "zamba2": _STEP,
    "recurrent_gemma": RecurrentGemma(),
    "rwkv": Rwkv(),
    "xlstm": Xlstm(),
    **dict.fromkeys(("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "olmo_hybrid", "kimi_linear"), _PLAIN),
    **dict.fromkeys(("bailing_hybrid", "lara_mini", "lfm2", "lfm2_moe", "lfm3", "zaya"), _PLAIN),
    **dict.fromkeys(("gemma3_text", "phi3", "mistral"), _PLAIN),
}


# Families of transformers that keep a memory beside attention, and that mmx cannot run.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("qwen4_exp_text", "glm5_next_text"), "it selects the keys it sees by an index of their own"),
    **dict.fromkeys(
        ("inkling_text", "inkling2_text", "inkling2_loop_text"), "its attention adds learned biases of distance"
    ),
}


def family_named(config: Any) -> Family:
    """`config`: transformers' own object. Raises ModelError, with the reason where one is known."""
    name = config.get_text_config().model_type
    if name in FAMILIES:
        return FAMILIES[name]
    if name in REFUSED:
        raise ModelError(f"a '{name}' model cannot be run: {REFUSED[name]}")
    raise ModelError(f"a '{name}' model cannot be run; the families that can: {', '.join(sorted(FAMILIES))}")
