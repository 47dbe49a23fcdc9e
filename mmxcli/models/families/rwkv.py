"""rwkv (version 4): the library keeps one tensor for all layers, and names its argument `state`."""

from typing import Any, cast

import torch
from torch import nn

from mmxcli.models.families.family import Family, Piece
from mmxcli.models.library.cache import CONVOLUTION, RECURRENCE
from mmxcli.models.library.layers import Layer
from mmxcli.state.fixed import FixedState
from mmxcli.state.mixed import MixedState
from mmxcli.state.model_state import ModelState

# RWKV, arXiv 2305.13048: the last inputs, which the token shift mixes in (section 3.1), and the numerator, the
# denominator and the exponent that both are scaled by (appendix D).
SHIFTED = ("feed-forward", "time-mixing")
SUMS = ("numerator", "denominator", "exponent")
PARTS = [(CONVOLUTION, name) for name in SHIFTED] + [(RECURRENCE, name) for name in SUMS]


class Rwkv(Family):
    def layers(self, config: Any) -> list[Layer]:
        return [Layer(attention=False, own_window=None, linear=True)] * int(config.num_hidden_layers)

    def run(self, forward: nn.Module, piece: Piece, state: ModelState) -> Any:
        layers_parts = [cast(MixedState, layer).parts for layer in state.layers]
        carried = None
        if cast(FixedState, layers_parts[0][RECURRENCE]).contents:
            carried = [
                torch.stack([cast(FixedState, parts[kind]).contents[name] for parts in layers_parts], dim=-1)
                for kind, name in PARTS
            ]
        output = forward(piece.ids, state=carried, use_cache=True)
        for number, parts in enumerate(layers_parts):
            for (kind, name), kept in zip(PARTS, output.state, strict=True):
                cast(FixedState, parts[kind]).contents[name] = kept[:, :, number].clone()
        return output
