"""What a family of transformers' classes needs so that a text read in pieces continues exactly."""

import inspect
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from mmxcli.models.library.attention import Capped, reading
from mmxcli.models.library.cache import StreamCache
from mmxcli.models.library.layers import Layer, layers_of
from mmxcli.state.model_state import ModelState


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens that all see in one way: `ids` and `positions` (1, n)."""

    ids: Tensor
    positions: Tensor
    capped: Capped


class Family:
    """The plain case: the library continues rightly when positions are given and the state is carried.

    A family that it continues wrongly overrides what is wrong.
    """

    def prepare(self, network: PreTrainedModel) -> None:
        """Repairs `network`, which it modifies, once after loading."""

    def layers(self, config: Any) -> list[Layer]:
        """What each layer remembers. Raises ModelError for a kind of memory that mmx cannot carry."""
        return layers_of(config)

    def run(self, forward: nn.Module, piece: Piece, state: ModelState) -> Any:
        """One pass over `piece`, from `state` on. `forward` is the network, or its body without the head.

        Modifies the layers of `state`, and not its position. Returns the library's output.
        """
        cache = StreamCache(state)
        named: dict[str, Any] = {"use_cache": True, cache_name(forward): cache}
        if "position_ids" in inspect.signature(forward.forward).parameters:
            named["position_ids"] = piece.positions
        with reading(cache, piece.capped):
            output = forward(piece.ids, **named)
        cache.write_to(state)
        return output


def cache_name(forward: nn.Module) -> str:
    """What a network calls its cache. Since transformers 5.24 all do the same."""
    accepted = inspect.signature(forward.forward).parameters
    return next((name for name in ("cache", "cache_params") if name in accepted), "past_key_values")
