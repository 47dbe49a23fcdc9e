"""A layer with several memories, as hybrids have; and the kinds that a stored state may name."""

from collections.abc import Mapping
from typing import ClassVar, Self

from torch import Tensor

from mmxcli.state.fixed import ConvolutionState, RecurrentState
from mmxcli.state.layer import Facts, LayerState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState


def named(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, under the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


class MixedState:
    """Memories of one layer by name, such as its convolution's, its recurrence's and its attention's."""

    kind: ClassVar[str] = "mixed"

    def __init__(self, parts: Mapping[str, LayerState]) -> None:
        self.parts = dict(parts)

    def fork(self) -> Self:
        return type(self)({name: part.fork() for name, part in self.parts.items()})

    def fixed(self) -> dict[str, Tensor]:
        return {f"{name}-{inner}": t for name, part in self.parts.items() for inner, t in part.fixed().items()}

    def grown(self, since: int) -> dict[str, Tensor]:
        return {f"{name}-{inner}": t for name, part in self.parts.items() for inner, t in part.grown(since).items()}

    def facts(self) -> Facts:
        return {name: {"kind": part.kind, "facts": part.facts()} for name, part in self.parts.items()}

    @classmethod
    def restore(cls, fixed: Mapping[str, Tensor], facts: Facts, store: str) -> Self:
        return cls(
            {
                name: KINDS[part["kind"]].restore(named(fixed, f"{name}-"), part["facts"], store)
                for name, part in facts.items()
            }
        )

    def grow(self, grown: Mapping[str, Tensor]) -> None:
        for name, part in self.parts.items():
            part.grow(named(grown, f"{name}-"))

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts.values())


KINDS: dict[str, type[LayerState]] = {
    kind.kind: kind for kind in (RecurrentState, ConvolutionState, WindowState, PagedState, MixedState)
}
