"""The smallest sensible config of each family that transformers computes for mmx, for AutoConfig.for_model."""

from typing import Any

SOFTMAX: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
MAMBA: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "state_size": 8,
    "time_step_rank": 4,
    "intermediate_size": 64,
}
MAMBA2_IN_HYBRID: dict[str, Any] = {
    "mamba_n_heads": 8,
    "mamba_d_head": 16,
    "mamba_n_groups": 2,
    "mamba_d_state": 16,
    "mamba_chunk_size": 16,
}
DELTA: dict[str, Any] = {
    "head_dim": 16,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "layer_types": ["linear_attention", "linear_attention", "full_attention", "linear_attention"],
}
EXPERTS: dict[str, Any] = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32,
}
LIBRARY_FAMILIES: dict[str, dict[str, Any]] = {
    "mamba": MAMBA,
    "falcon_mamba": MAMBA,
    "mamba2": {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "state_size": 16,
        "num_heads": 4,
        "head_dim": 16,
        "n_groups": 2,
        "chunk_size": 16,
    },
    "falcon_h1": SOFTMAX | MAMBA2_IN_HYBRID | {"mamba_d_ssm": 128},
    "granitemoehybrid": SOFTMAX
    | MAMBA2_IN_HYBRID
    | {"layer_types": ["mamba", "mamba", "attention", "mamba"], "num_local_experts": 4, "shared_intermediate_size": 32},
    "bamba": SOFTMAX | MAMBA2_IN_HYBRID | {"attn_layer_indices": [2]},
    "jamba": SOFTMAX
    | {"mamba_d_state": 8, "mamba_dt_rank": 4, "attn_layer_period": 4, "attn_layer_offset": 2, "num_experts": 4},
    "nemotron_h": SOFTMAX
    | {
        "layers_block_type": ["mamba", "moe", "attention", "mlp", "mamba"],
        "head_dim": 16,
        "ssm_state_size": 16,
        "mamba_num_heads": 8,
        "mamba_head_dim": 16,
        "n_groups": 2,
        "chunk_size": 16,
        "n_routed_experts": 4,
        "time_step_min": 0.5,  # high enough to matter
        "moe_intermediate_size": 32,
        "moe_shared_expert_intermediate_size": 32,
    },
    "zamba": SOFTMAX
    | {
        "num_hidden_layers": 6,
        "attn_layer_period": 3,
        "attn_layer_offset": 2,
        "layers_block_type": None,
        "mamba_d_state": 8,
        "mamba_dt_rank": 4,
        "num_key_value_heads": 4,
        "attention_head_dim": 32,
        "attention_hidden_size": 128,
        "n_mamba_heads": 2,
    },
    "zamba2": SOFTMAX
    | {
        "num_hidden_layers": 5,
        "num_key_value_heads": 4,
        "layers_block_type": ["mamba", "mamba", "hybrid", "mamba", "hybrid"],
        "mamba_d_state": 16,
        "n_mamba_heads": 4,
        "mamba_ngroups": 2,
        "chunk_size": 16,
        "use_mem_rope": True,
        "time_step_min": 0.5,
    },
    "recurrent_gemma": {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "lru_width": 64,
        "attention_window_size": 24,
        "head_dim": 16,
        "block_types": ["recurrent", "recurrent", "attention"],
    },
    "qwen3_next": SOFTMAX | DELTA | EXPERTS,
    "qwen3_5_text": SOFTMAX | DELTA,
    "qwen3_5_moe_text": SOFTMAX | DELTA | EXPERTS,
    "olmo_hybrid": SOFTMAX | DELTA | {"pad_token_id": 0},
    "kimi_linear": SOFTMAX
    | DELTA
    | EXPERTS
    | {
        "pad_token_id": 0,
        "num_key_value_heads": 4,
        "kv_lora_rank": 16,
        "qk_nope_head_dim": 16,
        "qk_rope_head_dim": 8,
        "v_head_dim": 16,
        "linear_num_heads": 4,
        "linear_head_dim": 16,
    },
    "bailing_hybrid": SOFTMAX
    | {
        "pad_token_id": 0,
        "num_key_value_heads": 4,
        "layer_group_size": 2,
        "first_k_dense_replace": 1,
        "num_experts": 4,
        "num_experts_per_token": 2,
        "num_expert_group": 2,
        "topk_group": 1,
        "moe_intermediate_size": 32,
        "kv_lora_rank": 16,
        "qk_nope_head_dim": 16,
        "qk_rope_head_dim": 8,
        "v_head_dim": 16,
        "head_dim": 8,
        "linear_num_heads": 4,
        "linear_head_dim": 16,
    },
    "lara_mini": SOFTMAX
    | EXPERTS
    | {
        "pad_token_id": 0,
        "head_dim": 16,
        "layer_types": ["linear_attention", "sliding_attention", "linear_attention", "full_attention"],
        "sliding_window": 24,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
    },
    "lfm2": SOFTMAX | {"layer_types": ["conv", "conv", "full_attention", "conv"]},
    "lfm2_moe": SOFTMAX
    | {
        "layer_types": ["conv", "conv", "full_attention", "conv"],
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 32,
        "num_dense_layers": 1,
    },
    "lfm3": SOFTMAX | {"pad_token_id": 0},
    "rwkv": {
        "hidden_size": 32,
        "attention_hidden_size": 32,
        "num_hidden_layers": 3,
        "intermediate_size": 64,
        "context_length": 512,
    },
    "xlstm": {"hidden_size": 128, "num_heads": 4, "num_hidden_layers": 3, "num_blocks": 3, "embedding_dim": 128},
    "zaya": SOFTMAX,
    "gemma3_text": SOFTMAX
    | {
        "head_dim": 16,
        "sliding_window": 24,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
    },
    "phi3": SOFTMAX | {"pad_token_id": 0},
}
