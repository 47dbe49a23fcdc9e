"""Keys and values of a softmax layer that sees the first few tokens and a window of the last."""

from collections.abc import Mapping
from typing import ClassVar, Self

import torch
from torch import Tensor

from mmxcli.state.layer import Bounded, Facts, size
from mmxcli.state.sizes import SINKS

GROWTH = 1024  # tokens by which the room for keys and values grows at least


class WindowState(Bounded):
    """Keys and values shaped (2, key-value heads, tokens, head width); keys turned by their position.

    Holds the first `sinks` tokens for ever and at least the last `window` - 1, which is what the next token
    may see besides itself. `sinks` is 0 for a layer that was trained with a window of its own.
    """

    kind: ClassVar[str] = "window"

    def __init__(self, window: int, sinks: int = SINKS) -> None:
        self.window = window
        self.sinks = sinks
        self.read = 0  # tokens appended in all
        self.length = 0  # tokens in the room, from its start
        self.room: Tensor | None = None
        self.first: Tensor | None = None  # of the sinks

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Adds n tokens, each (key-value heads, n, head width). Modifies this state in place."""
        pairs = torch.stack((keys, values))
        count = keys.shape[1]
        if self.read < self.sinks:
            new = pairs[:, :, : self.sinks - self.read]
            self.first = new.clone() if self.first is None else torch.cat((self.first, new), dim=2)
        if self.room is None or self.length + count > self.room.shape[2]:
            self._make_room(pairs)
        assert self.room is not None
        self.room[:, :, self.length : self.length + count] = pairs
        self.length += count
        self.read += count

    def _make_room(self, pairs: Tensor) -> None:
        """Drops what has left the window and leaves room for `pairs` and a reserve, so that copies are rare."""
        heads, count, width = pairs.shape[1:]
        kept = self._kept()
        length = 0 if kept is None else kept.shape[2]
        reserve = max(GROWTH, self.window // 2)
        room = pairs.new_empty(2, heads, length + count + reserve, width)
        if kept is not None:
            room[:, :, :length] = kept
        self.room, self.length = room, length

    def _kept(self) -> Tensor | None:
        """What must stay in the room: until the window is full of others, the sinks are among it."""
        if self.room is None:
            return None
        return self.room[:, :, max(0, self.length - (self.window - 1 + self.sinks)) : self.length]

    def last(self, count: int) -> tuple[Tensor, Tensor]:
        """Keys and values of the last `count` tokens, as views (key-value heads, count, head width)."""
        assert self.room is not None
        pairs = self.room[:, :, self.length - count : self.length]
        return pairs[0], pairs[1]

    @property
    def sliding(self) -> bool:
        """Whether the next token can no longer see everything before it."""
        return self.read >= self.window + self.sinks

    def fork(self) -> Self:
        return self.restore({name: tensor.clone() for name, tensor in self.fixed().items()}, self.facts())

    def fixed(self) -> dict[str, Tensor]:
        kept = self._kept()
        found = {} if kept is None else {"recent": kept.contiguous()}
        return found if self.first is None else found | {"sinks": self.first.contiguous()}

    def facts(self) -> Facts:
        return {"window": self.window, "sinks": self.sinks, "read": self.read}

    @classmethod
    def restore(cls, fixed: Mapping[str, Tensor], facts: Facts, store: str = "memory") -> Self:  # noqa: ARG003
        state = cls(int(facts["window"]), int(facts["sinks"]))
        state.read = int(facts["read"])
        state.first = fixed.get("sinks")
        if state.read:
            state.room = fixed["recent"]
            state.length = state.room.shape[2]
        return state

    @property
    def bytes(self) -> int:
        return size({name: t for name, t in (("room", self.room), ("first", self.first)) if t is not None})
