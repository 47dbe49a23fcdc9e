"""The chained hash of the tokens read."""

import hashlib
from array import array
from collections.abc import Sequence


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
