"""A model of transformers' own classes, one chunk at a time with the state carried."""

import copy
from collections.abc import Iterator, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mmxcli.models.attention import AttentionState, room
from mmxcli.models.computing import without_denormals
from mmxcli.models.families.family import Family, Piece
from mmxcli.models.library.attention import NAME
from mmxcli.models.library.cache import ATTENTION
from mmxcli.models.library.pack import pack, packed
from mmxcli.models.library.turn import turn_of
from mmxcli.models.packed import Packing
from mmxcli.state.mixed import MixedState
from mmxcli.state.model_state import ModelState
from mmxcli.state.sizes import SINKS
from mmxcli.state.window import WindowState


class LibraryModel:
    """Runs `network`, a causal language model of transformers whose attention is mmx's own.

    The library's classes compute; positions, states and what each token sees are ours. Nothing is padded, and
    positions are always given, because some classes start again at 0 on every call.
    """

    def __init__(self, network: PreTrainedModel, family: Family) -> None:
        self.network = network.eval()
        self.family = family
        family.prepare(network)
        self.layers = family.layers(network.config)
        self._head = cast(nn.Linear, network.get_output_embeddings())
        self._rows = slice(None)  # of the chunk, that the head is asked for
        self._head.register_forward_pre_hook(lambda _, inputs: (inputs[0][:, self._rows], *inputs[1:]))

    @property
    def dtype(self) -> torch.dtype:
        return self._head.weight.dtype

    @property
    def device(self) -> torch.device:
        return self._head.weight.device

    def new_state(self, window: int | None = None, store: str = "memory") -> ModelState:
        """The state before the first token. `window`: tokens that softmax layers keep beside the sinks, where they
        have no shorter window of their own; None: all, in pages kept in `store`.

        Raises ModelError where the model's attention cannot be given a window.
        """
        if window is not None:
            turn_of(self.network)
        return ModelState([layer.new_state(window, store) for layer in self.layers])

    @torch.inference_mode()
    @without_denormals()
    def advance(
        self, state: ModelState, ids: Sequence[int], logits: Literal["none", "last", "all"] = "none"
    ) -> Tensor | None:
        """Reads `ids` (at least one). Modifies `state` in place.

        Returns None, or float32 logits (1, vocabulary) after the last token, or (len(ids), vocabulary).
        """
        found = []
        start = 0
        while start < len(ids):
            stop = min([len(ids), *(start + room(attention) for attention in _attentions(state))])
            if logits == "all" or (logits == "last" and stop == len(ids)):
                self._rows = slice(None) if logits == "all" else slice(-1, None)
                found.append(self._read(state, ids[start:stop], self.network).logits[0].float())
            else:
                self._read(state, ids[start:stop], self.network.base_model)
            state.position += stop - start
            start = stop
        state.chain.extend(ids)
        return torch.cat(found) if found else None

    def pack(self, quant: Packing, device: torch.device) -> None:
        pack(self.network, quant, device)

    def move(self, device: torch.device) -> None:
        self.network.to(device)

    def widened(self) -> "LibraryModel":
        network = type(self.network)(copy.deepcopy(self.network.config)).float()
        wide = {name: stack.unpacked(torch.float32) for name, stack in packed(self.network).items()}
        network.load_state_dict(self.network.state_dict() | wide, strict=False)  # without what is tied
        network.set_attn_implementation(NAME)
        return LibraryModel(network.to(self.device), self.family)

    @torch.inference_mode()
    def one_pass(self, ids: Sequence[int]) -> Tensor:
        """By the library's own attention, and no cache."""
        self._rows = slice(None)
        self.network.set_attn_implementation("eager")
        try:
            logits: Tensor = self.network(torch.tensor(ids, device=self.device)[None], use_cache=False).logits[0]
        finally:
            self.network.set_attn_implementation(NAME)
        return logits.float()

    def _read(self, state: ModelState, ids: Sequence[int], forward: nn.Module):  # type: ignore[no-untyped-def]
        """The library's output for tokens that all see in one way. Modifies the layers of `state`."""
        positions = torch.arange(state.position, state.position + len(ids), device=self.device)[None]

        def capped(queries: Tensor) -> Tensor:
            window = next(part.window for part in _attentions(state) if isinstance(part, WindowState) and part.sinks)
            return turn_of(self.network)(queries, SINKS + window - 1 - positions)

        return self.family.run(forward, Piece(torch.tensor(ids, device=self.device)[None], positions, capped), state)


def _attentions(state: ModelState) -> Iterator[AttentionState]:
    for layer in state.layers:
        part = cast(MixedState, layer).parts.get(ATTENTION)
        if part is not None:
            yield cast(AttentionState, part)
