"""What one layer remembers. Each kind tells its bytes, copies itself, and names the tensors that make it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

Facts = dict[str, Any]  # what JSON can hold


class LayerState(Protocol):
    """A layer's memory. `kind` is its name in stored states.

    What must be kept to continue from here is of two sorts: `fixed`, which every token may change, and what only
    ever grows, which can be kept piece by piece: `grown` since some token. `restore`, and then `grow` for each piece in
    order, are their inverse: the state that they give goes on bit for bit like the one that was kept.
    """

    kind: ClassVar[str]

    def fork(self) -> Self:
        """An independent copy: what either does later leaves the other as it is."""
        ...

    def fixed(self) -> dict[str, Tensor]:
        """The contents by name, contiguous, without spare room. Names hold no dot."""
        ...

    def grown(self, since: int) -> dict[str, Tensor]:
        """What the tokens from number `since` on have added, contiguous; dimension 2 of each tensor counts tokens.
        Names hold no dot. Empty for a memory that does not grow."""
        ...

    def facts(self) -> Facts:
        """What is no tensor: sizes, and choices made when the state was new."""
        ...

    @classmethod
    def restore(cls, fixed: Mapping[str, Tensor], facts: Facts, store: str) -> Self:
        """The memory without what has grown; `store` says how that will be kept (PagedState), where rounding leaves a
        choice. Raises KeyError, TypeError or ValueError for contents that `fixed` and `facts` do not give."""
        ...

    def grow(self, grown: Mapping[str, Tensor]) -> None:
        """Adds the next piece of what `grown` has given. Modifies this state; copies what it takes. Raises KeyError,
        RuntimeError or ValueError for anything else."""
        ...

    @property
    def bytes(self) -> int: ...


class Bounded:
    """The half of a LayerState that has nothing which only grows."""

    def grown(self, since: int) -> dict[str, Tensor]:  # noqa: ARG002 - as the protocol has it
        return {}

    def grow(self, grown: Mapping[str, Tensor]) -> None:
        if grown:
            raise ValueError("a memory of bounded size does not grow")


def size(tensors: Mapping[str, Tensor]) -> int:
    """Bytes of all tensors together."""
    return sum(tensor.nbytes for tensor in tensors.values())
