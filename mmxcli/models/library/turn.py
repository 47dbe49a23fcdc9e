"""Turning queries of a transformers network by a difference of positions, by its own rotary embedding."""

import inspect
import sys
from collections.abc import Callable

from torch import Tensor
from transformers import PreTrainedModel

from mmxcli.errors import ModelError

Turn = Callable[[Tensor, Tensor], Tensor]
"""queries (1, heads, n, width), turned already, and integers (1, n) by which to turn them further."""


def turn_of(network: PreTrainedModel) -> Turn:
    """For a network whose attention knows no positions, what gives the queries back.

    Raises ModelError where the rotary embedding is not of the plain kind: turning twice would not be turning once
    by the sum.
    """
    rotaries = [module for module in network.modules() if type(module).__name__.endswith("RotaryEmbedding")]
    if not rotaries:
        return lambda queries, _: queries
    rotary = rotaries[0]
    family = network.config.model_type
    apply = getattr(sys.modules[type(network).__module__], "apply_rotary_pos_emb", None)
    named = {}
    if "layer_type" in inspect.signature(type(rotary).forward).parameters:
        named["layer_type"] = next(kind for kind in network.config.layer_types if kind in ("full_attention", "hybrid"))
    if apply is None or family in INTERLEAVED:
        raise ModelError(f"{family} turns its keys in a way of its own: a window (--window) cannot be asked for")
    scaling = getattr(rotary, "attention_scaling", 1.0)
    if scaling != 1.0:
        raise ModelError(f"{family} scales its rotary embedding by {scaling}: a window (--window) cannot be asked for")

    def turn(queries: Tensor, by: Tensor) -> Tensor:
        cos, sin = rotary(queries, position_ids=by, **named)
        turned: Tensor = apply(queries, queries, cos, sin)[0]
        return turned

    return turn


INTERLEAVED = frozenset({"bailing_hybrid"})  # latent attention: only a part of each head turns, and not in halves
