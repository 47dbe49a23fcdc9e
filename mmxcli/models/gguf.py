"""Reading a GGUF file: its metadata and where its tensors lie.

The gguf package's reader makes an array of every string, which takes 20 s for a vocabulary of 150,000;
this one takes 0.3 s. The file may come from anywhere, so every length is checked against its size.
"""

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError

_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: `shape` has the rows first, as torch has it; `kind` is ggml's number for the
    quantisation; `start` and `size` are bytes in the file."""

    shape: tuple[int, ...]
    kind: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Gguf:
    """A GGUF file's metadata, by its keys, and its tensors, by their names."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]


def read(path: Path) -> Gguf:
    """Read the header of a GGUF file. Raises DamagedError if it is none or is cut short, ModelError for a
    version or a quantisation that cannot be read."""
    if path.stat().st_size < 24:
        raise DamagedError(f"{path}: not a GGUF file, or cut short; download it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _Header(data).read(path)
        except (struct.error, OverflowError, UnicodeDecodeError, _OutOfBounds) as error:
            raise DamagedError(f"{path}: not a GGUF file, or cut short; download it again") from error


class _OutOfBounds(ValueError):
    """A length in the file points outside it."""


class _Header:
    """A cursor over the mapped file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def read(self, path: Path) -> Gguf:
        magic, version, tensor_count, pair_count = self.unpack("<4sIQQ")
        if magic != b"GGUF":
            raise _OutOfBounds
        if version not in (2, 3):
            raise ModelError(f"{path}: GGUF version {version}, and mmx reads versions 2 and 3")
        metadata = {}
        for _ in range(pair_count):
            key = self.string()
            metadata[key] = self.value(*self.unpack("<I"))
        table = [self.tensor() for _ in range(tensor_count)]
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise _OutOfBounds
        base = -(-self.at // alignment) * alignment
        tensors = {name: self.place(path, shape, kind, base + offset) for name, shape, kind, offset in table}
        return Gguf(path, metadata, tensors)

    def unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def string(self) -> str:
        (length,) = self.unpack("<Q")
        end = self.at + length
        if end > len(self.data):
            raise _OutOfBounds
        text, self.at = self.data[self.at : end].decode(), end
        return text

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.unpack("<" + _fixed(kind))[0]
        element, count = self.unpack("<IQ")
        if count > len(self.data):
            raise _OutOfBounds
        if element == _STRING:
            return [self.string() for _ in range(count)]
        return list(self.unpack(f"<{count}{_fixed(element)}"))

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self.string()
        (dimensions,) = self.unpack("<I")
        if dimensions > 4:
            raise _OutOfBounds
        shape = self.unpack(f"<{dimensions}Q")[::-1]
        kind, offset = self.unpack("<IQ")
        return name, shape, kind, offset

    def place(self, path: Path, shape: tuple[int, ...], kind: int, start: int) -> Tensor:
        import gguf

        try:
            block, block_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
        except ValueError as error:
            raise ModelError(f"{path}: holds weights in ggml's format {kind}, which mmx cannot read") from error
        size = prod(shape) // block * block_bytes
        if not shape or shape[-1] % block or start + size > len(self.data):
            raise _OutOfBounds
        return Tensor(shape, kind, start, size)


def _fixed(kind: int) -> str:
    if kind not in _FIXED:
        raise _OutOfBounds
    return _FIXED[kind]
