"""What one layer remembers. Each kind tells its bytes, copies itself, and names the tensors that make it up."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

Facts = dict[str, Any]  # what JSON can hold


class LayerState(Protocol):
    """A layer's memory. `kind` is its name in stored states.

    `tensors` and `facts` together are all that must be kept to continue from here, and `restore` is their
    inverse: the state that it gives goes on bit for bit like the one that was kept.
    """

    kind: ClassVar[str]

    def fork(self) -> Self:
        """An independent copy: what either does later leaves the other as it is."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """The contents by name, contiguous, without spare room. Names hold no dot."""
        ...

    def facts(self) -> Facts:
        """What is no tensor: sizes and choices made when the state was new."""
        ...

    @classmethod
    def restore(cls, tensors: Mapping[str, Tensor], facts: Facts) -> Self:
        """Raises KeyError, TypeError or ValueError for contents that `tensors` and `facts` do not give."""
        ...

    @property
    def bytes(self) -> int: ...


def size(tensors: Mapping[str, Tensor]) -> int:
    """Bytes of all tensors together."""
    return sum(tensor.nbytes for tensor in tensors.values())
