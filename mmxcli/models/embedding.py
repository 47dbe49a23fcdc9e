"""The rows of an embedding, read from the checkpoint's file where they are needed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmxcli.models.shards import Header

_KINDS = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}  # numpy knows no bfloat16: the upper half of float32


class Embedding:
    """(vocabulary, hidden), mapped: a page of it is in memory when one of its rows was asked for."""

    def __init__(self, header: Header) -> None:
        self._kind = header.dtype
        self._table = np.memmap(header.path, _KINDS[header.dtype], "r", header.start, header.shape)

    def __len__(self) -> int:
        """Tokens of the vocabulary."""
        return len(self._table)

    def rows(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """float32 (n, hidden). Raises IndexError for a token that the vocabulary does not have."""
        rows = self._table[list(ids)]
        if self._kind == "BF16":
            return (rows.astype(np.uint32) << 16).view(np.float32)
        return rows.astype(np.float32)
