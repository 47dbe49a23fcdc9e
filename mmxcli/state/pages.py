"""Keys and values of a softmax layer that sees everything: pages that only ever grow."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from mmxcli.state.layer import Facts
from mmxcli.state.sizes import PAGE

FIRST = 512  # tokens that an open page has room for at first
STORES = ("memory", "disk", "int8")


class PagedState:
    """Keys and values of every token, keys turned by their position, in pages of `PAGE` tokens.

    A full page never changes again, so forks share it; the open page is copied. `store` says how pages are kept:

    - "memory": as they are;
    - "disk": as they are, full ones in a file of their own that is mapped into memory and has no name, so that
      the system can take the memory back, and nothing is left when the process ends;
    - "int8": rounded to 8 bits with a scale for each token and head, once, when the token arrives; what is
      seen is the rounded value from the first moment, so that it does not matter where the text was cut.

    A page is a tuple of tensors whose dimension 2 counts tokens: (pairs,), or (codes, scales) for "int8";
    pairs and codes are (2, key-value heads, tokens, head width), scales (2, key-value heads, tokens, 1) in float32.
    Values may be narrower than keys: they are then kept as wide, filled with zeros.
    """

    kind: ClassVar[str] = "pages"

    def __init__(self, store: str = "memory", folder: Path | None = None) -> None:
        """`folder`: where "disk" keeps its pages. It holds people's text: it must be private."""
        if store not in STORES:
            raise ValueError(f"no way to keep pages is called {store}")
        self.store = store
        self.folder = folder
        self.dtype = torch.float32
        self.full: list[tuple[Tensor, ...]] = []
        self.open: tuple[Tensor, ...] = ()
        self.length = 0  # tokens in the open page

    @property
    def read(self) -> int:
        """Tokens appended in all."""
        return len(self.full) * PAGE + self.length

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Adds n tokens, each (key-value heads, n, head width). Modifies this state in place. Raises OSError where
        pages are kept on a disk that has no room."""
        self.dtype = keys.dtype
        self._append(self._encoded(torch.stack((keys, values))))

    def _append(self, arriving: tuple[Tensor, ...]) -> None:
        start, count = 0, arriving[0].shape[2]
        while start < count:
            taken = min(count - start, PAGE - self.length)
            self._make_room(arriving, self.length + taken)
            for tensor, new in zip(self.open, arriving, strict=True):
                tensor[:, :, self.length : self.length + taken] = new[:, :, start : start + taken]
            self.length += taken
            start += taken
            if self.length == PAGE:
                self._turn()

    def _make_room(self, like: tuple[Tensor, ...], needed: int) -> None:
        """The open page grows by doubling up to `PAGE`, so that a short text costs little."""
        room = self.open[0].shape[2] if self.open else 0
        if needed <= room:
            return
        room = min(PAGE, max(FIRST, 2 * room, needed))
        grown = tuple(new.new_empty(2, new.shape[1], room, new.shape[3]) for new in like)
        for tensor, old in zip(grown, self.open, strict=False):
            tensor[:, :, : self.length] = old[:, :, : self.length]
        self.open = grown

    def _turn(self) -> None:
        """The open page is full: keeps it for good."""
        if self.store == "disk":
            self.open = tuple(self._on_disk(tensor) for tensor in self.open)
        self.full.append(self.open)
        self.open, self.length = (), 0

    def _on_disk(self, tensor: Tensor) -> Tensor:
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="page-") as file:
            os.posix_fallocate(file.fileno(), 0, tensor.nbytes)  # a full disk fails here, and not where it is mapped
            mapped = torch.from_file(file.name, shared=True, size=tensor.numel(), dtype=tensor.dtype)
        # The mapping keeps the file, which has no name any more.
        return mapped.view(tensor.shape).copy_(tensor)

    def pieces(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Keys and values of everything so far, page by page, each (key-value heads, tokens, head width)."""
        for page in self.full:
            yield self._decoded(page)
        if self.length:
            yield self._decoded(tuple(tensor[:, :, : self.length] for tensor in self.open))

    def seen(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """`keys` and `values` as they will be seen once they are appended."""
        if self.store != "int8":
            return keys, values
        pairs = _rounded_back(*_rounded(torch.stack((keys, values))), keys.dtype)
        return pairs[0], pairs[1]

    def _encoded(self, pairs: Tensor) -> tuple[Tensor, ...]:
        return _rounded(pairs) if self.store == "int8" else (pairs,)

    def _decoded(self, page: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        pairs = _rounded_back(page[0], page[1], self.dtype) if self.store == "int8" else page[0]
        return pairs[0], pairs[1]

    def fork(self) -> Self:
        twin = type(self)(self.store, self.folder)
        twin.dtype, twin.full, twin.length = self.dtype, list(self.full), self.length
        twin.open = tuple(tensor[:, :, : self.length].clone() for tensor in self.open)
        return twin

    def fixed(self) -> dict[str, Tensor]:
        return {}

    def grown(self, since: int) -> dict[str, Tensor]:
        pages = [*self.full]
        if self.length:
            pages.append(tuple(tensor[:, :, : self.length] for tensor in self.open))
        first, offset = divmod(since, PAGE)
        parts = [[t[:, :, offset if not i else 0 :] for t in page] for i, page in enumerate(pages[first:])]
        joined = [torch.cat(list(map(_gathered, part)), dim=2) for part in zip(*parts, strict=True)]
        return dict(zip(self._names, joined, strict=False))

    def facts(self) -> Facts:
        rounded = self.store == "int8"
        return {"rounded": rounded, "read": self.read, "dtype": str(self.dtype).removeprefix("torch.")}

    @classmethod
    def restore(cls, fixed: Mapping[str, Tensor], facts: Facts, store: str) -> Self:  # noqa: ARG003 - all of it grows
        state = cls("int8" if facts["rounded"] else "memory" if store == "int8" else store)
        state.dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}[facts["dtype"]]
        return state

    def grow(self, grown: Mapping[str, Tensor]) -> None:
        if grown:
            self._append(tuple(grown[name] for name in self._names))

    @property
    def _names(self) -> tuple[str, ...]:
        return ("codes", "scales") if self.store == "int8" else ("pairs",)

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for page in (*self.full, self.open) for tensor in page)


def _gathered(tensor: Tensor) -> Tensor:
    """In the processor's memory: full pages of a GPU may be on disk, and the open one is not."""
    return tensor.cpu() if tensor.is_cuda else tensor


def _rounded(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """(2, heads, n, width) as int8 codes and a float32 scale for each token and head: value = code * scale."""
    scales = pairs.float().abs().amax(dim=-1, keepdim=True) / 127
    codes = (pairs.float() / scales.clamp_min(1e-30)).round_().to(torch.int8)
    return codes, scales


def _rounded_back(codes: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    return (codes.float() * scales).to(dtype)
