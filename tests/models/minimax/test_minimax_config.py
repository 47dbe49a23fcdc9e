"""What config.json may say, in both layouts, and what it says about the real model."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_minimax import ORIGINAL, TRANSFORMERS

from mmxcli.errors import DamagedError, MmxError, ModelError
from mmxcli.models.minimax.config import MiniMaxConfig, Residual
from mmxcli.models.minimax.names import expected

# MiniMax-M1's config.json, as published; MiniMax-Text-01's has the same sizes.
PUBLISHED: dict[str, Any] = {
    "architectures": ["MiniMaxM1ForCausalLM"],
    "attention_dropout": 0.0,
    "attn_type_list": [1 if layer % 8 == 7 else 0 for layer in range(80)],
    "head_dim": 128,
    "hidden_act": "silu",
    "hidden_size": 6144,
    "intermediate_size": 9216,
    "layernorm_full_attention_alpha": 3.5565588200778455,
    "layernorm_full_attention_beta": 1.0,
    "layernorm_linear_attention_alpha": 3.5565588200778455,
    "layernorm_linear_attention_beta": 1.0,
    "layernorm_mlp_alpha": 3.5565588200778455,
    "layernorm_mlp_beta": 1.0,
    "max_position_embeddings": 10_240_000,
    "model_type": "minimax_m1",
    "num_attention_heads": 64,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 80,
    "num_key_value_heads": 8,
    "num_local_experts": 32,
    "postnorm": True,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10_000_000,
    "rotary_dim": 64,
    "shared_intermediate_size": 0,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "vocab_size": 200_064,
}


def read(folder: Path, config: dict[str, Any]) -> MiniMaxConfig:
    (folder / "config.json").write_text(json.dumps(config))
    return MiniMaxConfig.read(folder)


def test_the_published_sizes(tmp_path: Path) -> None:
    config = read(tmp_path, PUBLISHED)
    tensors = dict(expected(config))
    assert len(tensors) == 8_243
    anatomy = config.anatomy()
    assert anatomy.parameters == sum(math.prod(shape) for shape in tensors.values()) == 456_089_655_296
    routers = sum(math.prod(shape) for name, shape in tensors.items() if name.endswith("moe.gate.weight"))
    assert 2 * anatomy.parameters + 2 * routers == 912_210_767_872  # bytes in bfloat16, routers in float32
    assert anatomy.parameters_per_token == 45_944_920_064  # embedding and head aside
    assert anatomy.state_bytes_fixed == 280 * 2**20
    assert anatomy.state_bytes_per_token == 40 * 2**10
    assert (anatomy.memory, anatomy.trained_window) == ("hybrid", 10_240_000)
    factors = config.lightning_residual
    assert factors == config.softmax_residual == config.expert_residual
    assert factors.alpha == pytest.approx((2 * 80) ** 0.25) and factors.beta == 1.0
    assert [number for number, kind in enumerate(config.attention) if kind == "softmax"] == [*range(7, 80, 8)]
    assert (config.rotary_width, config.rotary_theta) == (64, 1e7)


def test_both_layouts_say_the_same(tmp_path: Path) -> None:
    assert read(tmp_path, ORIGINAL) == read(tmp_path, TRANSFORMERS)
    assert read(tmp_path, ORIGINAL | {"model_type": "MiniMaxText01"}) == read(tmp_path, ORIGINAL)
    assert read(tmp_path, ORIGINAL | {"model_type": None}) == read(tmp_path, ORIGINAL)  # by its architecture
    assert read(tmp_path, ORIGINAL | {"shared_intermediate_size": [0] * 8}) == read(tmp_path, ORIGINAL)
    both = TRANSFORMERS | {"rotary_dim": 8, "rope_theta": 10_000_000, "attn_type_list": ORIGINAL["attn_type_list"]}
    assert read(tmp_path, both) == read(tmp_path, ORIGINAL)


def test_without_a_word_on_it_whole_heads_turn(tmp_path: Path) -> None:
    rotary = {"rope_theta": 1e7, "rope_type": "default"}
    assert read(tmp_path, TRANSFORMERS | {"rope_parameters": rotary}).rotary_width == 16
    assert read(tmp_path, ORIGINAL | {"rotary_dim": None}).rotary_width == 16
    assert read(tmp_path, TRANSFORMERS | {"rope_parameters": rotary, "rotary_dim": 8}).rotary_width == 8


def test_what_transformers_writes_can_be_read(tmp_path: Path) -> None:
    from transformers import MiniMaxConfig as Theirs

    Theirs().save_pretrained(tmp_path)
    config = MiniMaxConfig.read(tmp_path)
    assert (config.layers, config.hidden, config.head_width, config.rotary_width) == (32, 4096, 128, 128)
    assert config.attention[:2] == ("softmax", "lightning")
    assert config.lightning_residual == config.softmax_residual == config.expert_residual == Residual(1.0, 1.0)


ROTARY = TRANSFORMERS["rope_parameters"]


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        (ORIGINAL | {"attn_type_list": [0] * 7}, DamagedError, "attn_type_list does not list 8 layers"),
        (ORIGINAL | {"attn_type_list": [0] * 7 + [2]}, DamagedError, "attn_type_list has a layer of kind 2"),
        (ORIGINAL | {"attn_type_list": [0] * 7 + [[]]}, DamagedError, r"attn_type_list has a layer of kind \[\]"),
        (ORIGINAL | {"attn_type_list": None}, DamagedError, "attn_type_list and layer_types are both missing"),
        (ORIGINAL | {"layer_types": ["linear_attention"] * 8}, DamagedError, "attn_type_list and layer_types disagree"),
        (ORIGINAL | {"rope_theta": None}, DamagedError, "rope_theta is missing"),
        (TRANSFORMERS | {"rope_theta": 1e4}, DamagedError, "rope_theta is 10000.0, but rope_parameters.rope_theta is"),
        (TRANSFORMERS | {"rope_parameters": 3}, DamagedError, "rope_parameters is 3"),
        (TRANSFORMERS | {"rotary_dim": 16}, DamagedError, "rotary_dim is 16, but partial_rotary_factor makes 8 of 16"),
        (ORIGINAL | {"rotary_dim": 32}, DamagedError, "32 of a head's 16 numbers cannot turn"),
        (ORIGINAL | {"rotary_dim": 7}, DamagedError, "7 of a head's 16 numbers cannot turn"),
        (ORIGINAL | {"hidden_size": None}, DamagedError, "hidden_size is missing"),
        (ORIGINAL | {"hidden_size": "48"}, DamagedError, "hidden_size is '48'"),
        (ORIGINAL | {"hidden_size": -48}, DamagedError, "hidden_size is -48"),
        (ORIGINAL | {"hidden_size": 48.5}, DamagedError, "hidden_size is 48.5"),
        (ORIGINAL | {"num_key_value_heads": 3}, DamagedError, "4 heads cannot share 3 key-value heads"),
        (ORIGINAL | {"num_experts_per_tok": 5}, DamagedError, "a token cannot use 5 of 4 experts"),
        (ORIGINAL | {"linear_attn_alpha_factor": 3.0}, DamagedError, "layernorm_linear_attention_alpha is 3.4, but"),
        (ORIGINAL | {"shared_intermediate_size": 64}, ModelError, "a shared expert is not supported"),
        (ORIGINAL | {"postnorm": False}, ModelError, "postnorm false is not supported"),
        (ORIGINAL | {"postnorm": None}, ModelError, "postnorm false is not supported"),
        (ORIGINAL | {"sliding_window": 4096}, ModelError, "a sliding window is not supported"),
        (ORIGINAL | {"hidden_act": "gelu"}, ModelError, "the activation 'gelu' is not supported"),
        (ORIGINAL | {"quantization_config": {"bits": 4}}, ModelError, "a quantised checkpoint is not supported"),
        (TRANSFORMERS | {"rope_parameters": ROTARY | {"rope_type": "yarn"}}, ModelError, "rotary scaling 'yarn'"),
        ({"model_type": "minimax_m2"}, ModelError, "is a 'minimax_m2' model"),
        ({}, ModelError, "is a None model"),
        ({"model_type": "a\nb"}, ModelError, r"is a 'a\\nb' model"),
    ],
)
def test_every_other_config_is_refused_in_one_line(
    config: dict[str, Any], error: type[MmxError], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words) as raised:
        read(tmp_path, {name: value for name, value in config.items() if value is not None})
    assert str(tmp_path / "config.json") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_config_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        MiniMaxConfig.read(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DamagedError, match="not valid JSON"):
        MiniMaxConfig.read(tmp_path)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.integers())
    | (
        st.dictionaries(
            st.sampled_from(["rope_theta", "rope_type", "partial_rotary_factor"]), st.integers() | st.floats()
        )
    )
)


@settings(max_examples=300, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(sorted(ORIGINAL | TRANSFORMERS)), VALUES, min_size=1, max_size=3))
def test_a_changed_config_is_read_or_refused(changes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    for config in (ORIGINAL, TRANSFORMERS):
        try:
            assert read(folder, config | changes).layers == 8
        except MmxError as error:
            assert str(folder / "config.json") in str(error) and "\n" not in str(error)
