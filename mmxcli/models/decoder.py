"""What the models of our own share: from token ids to logits, one chunk at a time, with the state carried."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional

from mmxcli.models import attention
from mmxcli.models.packed import PackedWeight, Packing, pack
from mmxcli.models.products import Products
from mmxcli.models.rotary import Rotary
from mmxcli.models.shards import EMBEDDING, HEAD
from mmxcli.state.layer import LayerState
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState

NORM = "model.norm.weight"
HEAD_BLOCK = 16_384  # words of the vocabulary scored at a time, so that a widened copy of the head stays small


class Sizes(Protocol):
    """What every model's config tells."""

    @property
    def vocabulary(self) -> int: ...
    @property
    def tied_head(self) -> bool: ...
    @property
    def norm_epsilon(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tokens of one piece stand: the rotary table of all and, where the window slides, of the capped
    distance from the sinks to a query."""

    table: tuple[Tensor, Tensor]
    sink_table: tuple[Tensor, Tensor] | None


class Decoder(ABC):
    """Blocks one after the other over `weights`, a mapping of a checkpoint's names to tensors.

    The state's window decides what a token sees in softmax layers: without one, everything before it; with a window of
    W, the first S tokens (the sinks) and the W tokens that end with itself. Distances to the sinks are capped at
    what they were when the window filled, so they stay in the trained range (StreamingLLM, arXiv 2309.17453,
    section 3.2), and all others are less than W. What a token sees depends on its position alone, never on
    how the text was cut into chunks.
    """

    def __init__(self, sizes: Sizes, weights: dict[str, Tensor], rotary: Rotary) -> None:
        self.weights = weights
        self.packed: dict[str, PackedWeight] = {}
        self.products = Products(self.dtype, self.device)
        self.rotary = rotary
        self._sizes = sizes

    @property
    def embedding(self) -> Tensor:
        return self.weights[EMBEDDING]

    @property
    def head(self) -> Tensor:
        return self.embedding if self._sizes.tied_head else self.weights[HEAD]

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.dtype

    @property
    def device(self) -> torch.device:
        return self.embedding.device

    @abstractmethod
    def new_state(self, window: int | None = None, store: str = "memory") -> ModelState:
        """The state before the first token. `window`: tokens that softmax layers see beside the sinks; None: all,
        in pages kept in `store`."""

    @abstractmethod
    def _block(self, number: int, hidden: Tensor, state: LayerState, place: Place, *, for_output: bool) -> Tensor:
        """What block `number` makes of hidden (n, hidden), or where that is not wanted anything. Modifies `state`, that
        of the block."""

    @torch.inference_mode()
    def advance(
        self, state: ModelState, ids: Sequence[int], logits: Literal["none", "last", "all"] = "none"
    ) -> Tensor | None:
        """Reads `ids` (at least one). Modifies `state` in place.

        Returns None, or float32 logits (1, vocabulary) after the last token, or (len(ids), vocabulary).
        """
        outputs = []
        start = 0
        while start < len(ids):
            stop = min(len(ids), start + _room(state.layers))
            wanted = logits == "all" or (logits == "last" and stop == len(ids))
            outputs.append(self._hidden(state.layers, state.position, ids[start:stop], for_output=wanted))
            state.position += stop - start
            start = stop
        state.chain.extend(ids)
        if logits == "none":
            return None
        hidden = torch.cat(outputs) if logits == "all" else outputs[-1][-1:]
        normed = self._norm(hidden, NORM)
        starts = range(0, self._sizes.vocabulary, HEAD_BLOCK)
        blocks = [self.products.linear(normed, self.head[start : start + HEAD_BLOCK]) for start in starts]
        return torch.cat(blocks, dim=1).float()

    def one_pass(self, ids: Sequence[int]) -> Tensor:
        return cast(Tensor, self.advance(self.new_state(), ids, "all"))

    def pack(self, quant: Packing, device: torch.device) -> None:
        self.packed |= pack(self.weights, quant, device, kept=self._unpacked())

    def move(self, device: torch.device) -> None:
        self.weights = {name: tensor.to(device) for name, tensor in self.weights.items()}
        self.products = Products(self.dtype, device)

    def _unpacked(self) -> set[str]:
        """The matrices that stay as they are when the others are packed."""
        return {EMBEDDING, HEAD}

    def _wide(self) -> dict[str, Tensor]:
        """All weights in float32, packed ones unpacked."""
        wide = {name: tensor.float() for name, tensor in self.weights.items()}
        return wide | {name: packed.unpacked(torch.float32) for name, packed in self.packed.items()}

    def _hidden(self, layers: Sequence[LayerState], position: int, ids: Sequence[int], *, for_output: bool) -> Tensor:
        """The last block's output (n, hidden) for n tokens read in one piece, or anything where it is not wanted: then
        that block computes no more than what its state keeps. Modifies `layers`."""
        place = self._place(layers, position, len(ids))
        tokens = torch.tensor(ids, device=self.device)
        hidden = functional.embedding(tokens, self.embedding).to(self.products.dtype)
        for number, state in enumerate(layers):
            hidden = self._block(number, hidden, state, place, for_output=for_output or number < len(layers) - 1)
        return hidden

    def _place(self, layers: Sequence[LayerState], position: int, count: int) -> Place:
        table = self.rotary.table(torch.arange(position, position + count, device=self.device))
        first = _first_softmax(layers)
        if isinstance(first, WindowState) and first.sliding:
            farthest = torch.tensor([first.sinks + first.window - 1], device=self.device)
            return Place(table, self.rotary.table(farthest))
        return Place(table, None)

    def _linear(self, inputs: Tensor, name: str) -> Tensor:
        matrices = self.packed if name + ".weight" in self.packed else self.weights
        return self.products.linear(inputs, matrices[name + ".weight"], self.weights.get(name + ".bias"))

    def _norm(self, inputs: Tensor, name: str, epsilon: float | None = None) -> Tensor:
        """In the dtype of the activations; float32 `inputs` are normed before they are rounded to it."""
        weight = self.weights[name].to(inputs.dtype)
        epsilon = self._sizes.norm_epsilon if epsilon is None else epsilon
        return functional.rms_norm(inputs, inputs.shape[-1:], weight, epsilon).to(self.products.dtype)


def _first_softmax(layers: Sequence[LayerState]) -> attention.AttentionState | None:
    """A state of a softmax layer, all of which have read and see the same tokens; None where there is none."""
    return next((layer for layer in layers if isinstance(layer, WindowState | PagedState)), None)


def _room(layers: Sequence[LayerState]) -> int:
    """How many tokens may be read in one piece: recurrences take any number."""
    first = _first_softmax(layers)
    return 1 << 62 if first is None else attention.room(first)
