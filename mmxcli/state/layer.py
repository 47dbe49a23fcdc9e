"""What one layer remembers. Each kind tells its bytes, copies itself, and names the tensors that make it up."""

from typing import ClassVar, Protocol, Self

import torch
from torch import Tensor

GROWTH = 1024  # tokens by which the room for keys and values grows at least


class LayerState(Protocol):
    """A layer's memory. `kind` is its name in stored states; `tensors` and `restore` are each other's inverse."""

    kind: ClassVar[str]

    def fork(self) -> Self:
        """An independent copy: what either does later leaves the other as it is."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Everything that must be kept to continue from here, contiguous, without spare room."""
        ...

    @classmethod
    def restore(cls, tensors: dict[str, Tensor], window: int | None) -> Self: ...

    @property
    def bytes(self) -> int: ...


class AttentionState:
    """Keys and values of one softmax layer, shaped (key-value heads, tokens, head width), keys rotated.

    Without a window it holds every token. With a window of W it holds the first `SINKS` tokens for ever,
    because a softmax model falls apart without them (attention sinks, arXiv 2309.17453), and at least the
    last W - 1 others, which is what the next token may see besides itself.
    """

    kind: ClassVar[str] = "attention"
    SINKS: ClassVar[int] = 4

    def __init__(self, heads: int, width: int, dtype: torch.dtype, window: int | None = None) -> None:
        self.window = window
        self.length = 0  # tokens in the room, from its start
        self.room = torch.empty(2, heads, 0, width, dtype=dtype)
        self.sinks = torch.empty(2, heads, 0, width, dtype=dtype)

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Adds n tokens, each (key-value heads, n, head width). Modifies this state in place."""
        count = keys.shape[1]
        missing = self.SINKS - self.sinks.shape[2]
        if self.window is not None and missing > 0:
            first = torch.stack((keys[:, :missing], values[:, :missing]))
            self.sinks = torch.cat((self.sinks, first), dim=2)
        if self.length + count > self.room.shape[2]:
            self._make_room(count)
        self.room[0, :, self.length : self.length + count] = keys
        self.room[1, :, self.length : self.length + count] = values
        self.length += count

    def _make_room(self, count: int) -> None:
        """Drops what has left the window and leaves room for `count` tokens and a reserve, so that copies are rare."""
        limit = self.length if self.window is None else self.window - 1 + self.SINKS
        kept = self.room[:, :, max(0, self.length - limit) : self.length]
        reserve = max(GROWTH, kept.shape[2] // 2)
        if self.window is not None:
            reserve = max(GROWTH, self.window // 2)
        heads, width = self.room.shape[1], self.room.shape[3]
        room = self.room.new_empty(2, heads, kept.shape[2] + count + reserve, width)
        room[:, :, : kept.shape[2]] = kept
        self.room, self.length = room, kept.shape[2]

    def last(self, count: int) -> tuple[Tensor, Tensor]:
        """Keys and values of the last `count` tokens, as views (key-value heads, count, head width)."""
        start = self.length - count
        return self.room[0, :, start : self.length], self.room[1, :, start : self.length]

    def fork(self) -> "AttentionState":
        twin = object.__new__(AttentionState)
        twin.window = self.window
        twin.length = self.length
        twin.room = self.room[:, :, : self.length].clone()
        twin.sinks = self.sinks.clone()
        return twin

    def tensors(self) -> dict[str, Tensor]:
        limit = self.length if self.window is None else min(self.length, self.window - 1 + self.SINKS)
        recent = self.room[:, :, self.length - limit : self.length]
        return {"recent": recent.contiguous(), "sinks": self.sinks.contiguous()}

    @classmethod
    def restore(cls, tensors: dict[str, Tensor], window: int | None) -> "AttentionState":
        recent, sinks = tensors["recent"], tensors["sinks"]
        state = cls(recent.shape[1], recent.shape[3], recent.dtype, window)
        state.room, state.length, state.sinks = recent, recent.shape[2], sinks
        return state

    @property
    def bytes(self) -> int:
        return sum(tensor.numel() * tensor.element_size() for tensor in (self.room, self.sinks))


KINDS: dict[str, type[AttentionState]] = {AttentionState.kind: AttentionState}
