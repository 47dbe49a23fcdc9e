"""What a model remembers: one LayerState a layer, the position, and the chained hash of the tokens read."""

from collections.abc import Sequence

from mmxcli.state.chain import TokenChain
from mmxcli.state.layer import LayerState


class ModelState:
    """Everything needed to continue reading. `position` is the number of tokens read, and the next one's position."""

    def __init__(self, layers: Sequence[LayerState], position: int = 0, chain: TokenChain | None = None) -> None:
        self.layers = list(layers)
        self.position = position
        self.chain = chain or TokenChain()

    def fork(self) -> "ModelState":
        """An independent copy, for a question that must not change what was read."""
        return ModelState([layer.fork() for layer in self.layers], self.position, self.chain.fork())

    @property
    def bytes(self) -> int:
        return sum(layer.bytes for layer in self.layers)
