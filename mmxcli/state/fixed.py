"""Memories whose size does not depend on how much was read."""

from collections.abc import Mapping
from typing import ClassVar, Self

from torch import Tensor

from mmxcli.state.layer import Bounded, Facts, size


class FixedState(Bounded):
    """Named tensors that are replaced or written over as the reading goes on; none before the first token."""

    kind: ClassVar[str]

    def __init__(self, contents: Mapping[str, Tensor] | None = None) -> None:
        self.contents = dict(contents or {})

    def fork(self) -> Self:
        return type(self)({name: tensor.clone() for name, tensor in self.contents.items()})

    def fixed(self) -> dict[str, Tensor]:
        return {name: tensor.contiguous() for name, tensor in self.contents.items()}

    def facts(self) -> Facts:
        return {}

    @classmethod
    def restore(cls, fixed: Mapping[str, Tensor], facts: Facts, store: str) -> Self:  # noqa: ARG003 - the protocol's
        return cls(fixed)

    @property
    def bytes(self) -> int:
        return size(self.contents)


class RecurrentState(FixedState):
    """Sums that every token decays and adds to, in float32: over a million steps bfloat16 loses them."""

    kind = "recurrent"


class ConvolutionState(FixedState):
    """The last few inputs of a causal convolution, (channels, width) in the model's dtype."""

    kind = "convolution"
