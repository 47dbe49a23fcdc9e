"""What a stored reading was made by: all that another reading of the same text would have to share with it."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

WORDS = {
    "mmx": "version of mmx",
    "numerics": "version of its numerics",
    "weights": "weights",
    "mode": "way of reading",
    "window": "window",
    "rounded": "rounding of keys and values",
    "quant": "quantisation",
    "chunk": "chunk size",
}


@dataclass(frozen=True, slots=True)
class Maker:
    """`weights` names the files of the model and its tokenizer. The last four matter to a reading in full alone:
    `window` as it was asked for, `rounded` for keys and values in 8 bits, `chunk` in tokens."""

    mmx: str
    numerics: int
    weights: str
    mode: str
    window: int | None = None
    rounded: bool = False
    quant: str = "none"
    chunk: int = 0

    @property
    def identity(self) -> str:
        """A sha256 in hex."""
        return hashlib.sha256(repr(list(asdict(self).items())).encode()).hexdigest()

    def identifier(self, text: str) -> str:
        """That of the reading of a text with this digest."""
        return hashlib.sha256(f"{self.identity} {text}".encode()).hexdigest()[:16]

    def differences(self, other: "Maker") -> Iterator[str]:
        """In words, what of this is another thing there."""
        for field in fields(self):
            own, there = getattr(self, field.name), getattr(other, field.name)
            if own != there:
                values = "" if field.name == "weights" else f" ({there}, here {own})"
                yield f"another {WORDS[field.name]}{values}"
