"""A state that is stored: what it has read, and which files hold it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """Keys and values of the tokens up to `end`, from where the stretch before it ends. `sha256` is over all of it.
    Raises ValueError for what cannot be one."""

    end: int
    sha256: str

    def __post_init__(self) -> None:
        _check(self.end, self.sha256)

    @property
    def file(self) -> str:
        return f"pages-{self.sha256[:32]}.safetensors"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state that is stored. `position` and `chain` tell what it has read (ModelState), `sha256` is over its content,
    `stretches` are shared with others. Raises ValueError for what cannot be one."""

    position: int
    chain: str
    sha256: str
    stretches: tuple[Stretch, ...] = ()

    def __post_init__(self) -> None:
        _check(self.position, self.chain)
        _check(self.position, self.sha256)
        ends = [stretch.end for stretch in self.stretches]
        if ends != sorted(set(ends)) or ends[-1:] > [self.position]:
            raise ValueError("no stretches that follow one another")

    @property
    def file(self) -> str:
        return f"state-{self.sha256[:32]}.safetensors"

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that it needs."""
        return (self.file, *(stretch.file for stretch in self.stretches))


def _check(tokens: int, sha256: str) -> None:
    """It may come from a stranger, and a file's name is made of it."""
    if not (isinstance(tokens, int) and 0 <= tokens < 2**62 and isinstance(sha256, str)):
        raise ValueError("no number of tokens, or no text")
    if not re.fullmatch("[0-9a-f]{64}", sha256, re.ASCII):
        raise ValueError("no sha256 in hex")
