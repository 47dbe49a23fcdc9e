"""The published models: what is known of them without their weights."""

from mmxcli.models.minimax.config import Attention, MiniMaxConfig, Residual

LAYERS = 80
ATTENTION: tuple[Attention, ...] = (("lightning",) * 7 + ("softmax",)) * (LAYERS // 8)
RESIDUAL = Residual(alpha=(2 * LAYERS) ** 0.25, beta=1.0)  # DeepNorm's factor (arXiv 2203.00555) for 80 layers

TEXT_01 = MiniMaxConfig(
    family="minimax",
    attention=ATTENTION,
    hidden=6_144,
    heads=64,
    key_heads=8,
    head_width=128,
    rotary_width=64,
    rotary_theta=1e7,
    experts=32,
    experts_per_token=2,
    mlp=9_216,
    vocabulary=200_064,
    trained_window=10_240_000,
    norm_epsilon=1e-5,
    tied_head=False,
    lightning_residual=RESIDUAL,
    softmax_residual=RESIDUAL,
    expert_residual=RESIDUAL,
)

KNOWN = {"minimax-text-01": TEXT_01, "minimax-m1": TEXT_01}  # M1 is Text-01, trained further
