"""What every model can do, whoever computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor

    from mmxcli.models.packed import Packing
    from mmxcli.state.model_state import ModelState

Logits = Literal["none", "last", "all"]


class Model(Protocol):
    """Reads chunk after chunk into a state. What a token sees depends on its place in the text alone, never on how
    the text was cut; positions are counted in the state, and nothing is padded."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the weights are, and its states."""
        ...

    def new_state(self, window: int | None = None, store: str = "memory") -> ModelState:
        """The state before the first token.

        `window`: tokens that softmax layers keep beside the sinks; None: all, in pages kept in `store`
        (mmxcli/state/pages.py). Raises ModelError where the model's attention cannot be given a window.
        """
        ...

    def advance(self, state: ModelState, ids: Sequence[int], logits: Logits = "none") -> Tensor | None:
        """Reads `ids` (at least one). Modifies `state` in place.

        Returns None, or float32 logits (1, vocabulary) after the last token, or (len(ids), vocabulary).
        """
        ...

    def pack(self, quant: Packing, device: torch.device) -> None:
        """Keeps the matrices, all but embedding and head, in 8 or 4 bits on `device` from now on. Modifies the
        model."""
        ...

    def move(self, device: torch.device) -> None:
        """Keeps what is not packed on `device` from now on. Modifies the model; its states stay where they are."""
        ...

    def widened(self) -> Model:
        """The same model with weights in float32, packed ones unpacked: what it is to be compared with. Costs its
        weights again, twice as large."""
        ...

    def one_pass(self, ids: Sequence[int]) -> Tensor:
        """Float32 logits (len(ids), vocabulary) of a text read at once from nothing, by the most independent way
        there is: the library's own attention and no state where the library computes the layers."""
        ...
