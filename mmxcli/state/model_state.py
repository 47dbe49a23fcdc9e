"""What a model remembers: one LayerState a layer, the position, and the chained hash of the tokens read."""

import hashlib
from array import array
from collections.abc import Sequence

from mmxcli.state.layer import LayerState


class TokenChain:
    """A hash of all tokens so far that does not depend on how they were cut into chunks.

    Tokens are taken in blocks of `BLOCK`; each block's digest covers the digest before it, so a common
    prefix of two texts has common digests.
    """

    BLOCK = 256

    def __init__(self, digest: bytes = b"", pending: Sequence[int] = ()) -> None:
        self.digest = digest
        self.pending = array("I", pending)

    def extend(self, ids: Sequence[int]) -> None:
        self.pending.extend(ids)
        while len(self.pending) >= self.BLOCK:
            block, self.pending = self.pending[: self.BLOCK], self.pending[self.BLOCK :]
            self.digest = hashlib.sha256(self.digest + block.tobytes()).digest()

    def hexdigest(self) -> str:
        return hashlib.sha256(self.digest + b"end" + self.pending.tobytes()).hexdigest()

    def fork(self) -> "TokenChain":
        return TokenChain(self.digest, self.pending)


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
