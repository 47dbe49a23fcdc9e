"""A layer with several memories, as hybrids have; and the kinds that a stored state may name."""

from collections.abc import Mapping
from typing import ClassVar, Self

from torch import Tensor

from mmxcli.state.fixed import ConvolutionState, RecurrentState
from mmxcli.state.layer import Facts, LayerState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState


class MixedState:
    """Memories of one layer by name, such as its convolution's, its recurrence's and its attention's."""

    kind: ClassVar[str] = "mixed"

    def __init__(self, parts: Mapping[str, LayerState]) -> None:
        self.parts = dict(parts)

    def fork(self) -> Self:
        return type(self)({name: part.fork() for name, part in self.parts.items()})

    def tensors(self) -> dict[str, Tensor]:
        return {f"{name}-{inner}": t for name, part in self.parts.items() for inner, t in part.tensors().items()}

    def facts(self) -> Facts:
        return {name: {"kind": part.kind, "facts": part.facts()} for name, part in self.parts.items()}

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], facts: Facts) -> Self:
        parts = {}
        for name, part in facts.items():
            own = {key.removeprefix(f"{name}-"): t for key, t in tensors.items() if key.startswith(f"{name}-")}
            parts[name] = KINDS[part["kind"]].restore(own, part["facts"])
        return cls(parts)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts.values())


KINDS: dict[str, type[LayerState]] = {
    kind.kind: kind for kind in (RecurrentState, ConvolutionState, WindowState, PagedState, MixedState)
}
