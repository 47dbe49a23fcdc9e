"""What kinds of lines a stream has, and which words are common in them, in tables of bounded size."""

import hashlib
import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from mmxcli.recall.words import STOP_WORDS, uncontracted

WORDS = 65_536  # words that are counted; beyond, the rarest are forgotten
HORIZON = 30_000  # lines: what comes once in so many stays as rare as it was, however long the stream goes on
LOOKED_AT = 96  # words of a line
_VALUE = re.compile(r"\b[^\W\d]*+\d\w*+")  # whatever has a figure in it: numbers, times, addresses, identifiers
_VALUES = re.compile(r"#(?:[^\w\s]{0,2}#)+")
_WORD = re.compile(r"[^\W\d_]{2,40}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What makes a line of a log stand out by itself.
_SEVERE = re.compile(
    r"\b(?:error|err|fatal|critical|crit|alert|emerg|emergency|panic|severe|fail(?:ed|ure|s)?|crash\w*|exception|abort\w*"
    r"|corrupt\w*|denied|refused|unreachable|killed|segfault|lost|overflow|exhausted|attack\w*|violation)\b",
    re.I,
)

Value = TypeVar("Value")


def shape(text: str) -> str:
    """A line without its values: lines of one kind have the same."""
    return _VALUES.sub("#", _VALUE.sub("#", text))


def kind(text: str, matter: Iterable[str] = ()) -> str:
    """The name of a line's shape, and of those values in it that `matter`, in 16 hexadecimal digits."""
    whole = f"{shape(text)}\n{' '.join(matter)}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(whole, digest_size=8).hexdigest()


def line_words(text: str) -> list[str]:
    """The telling words of a line in lower case, each once, names in camel case apart; no more than LOOKED_AT."""
    return telling_words(text)[:LOOKED_AT]


def telling_words(text: str) -> list[str]:
    """All of them, of many lines as well."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(_CAMEL.sub(" ", uncontracted(text))))
    return [word for word in found if word not in STOP_WORDS]


def severe(text: str) -> bool:
    """Whether a line calls itself an error, or the like."""
    return _SEVERE.search(text) is not None


class WordCounts:
    """In how many lines each word stood. When there are too many, all counts are halved, and those of none go."""

    def __init__(self, lines: int = 0, counts: Mapping[str, int] | None = None) -> None:
        self.lines = lines
        self.counts = dict(counts or {})

    def add(self, words: Iterable[str]) -> None:
        """Counts the words of one line."""
        self.lines += 1
        counts = self.counts
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        if len(counts) > WORDS:
            self.counts = {word: count // 2 for word, count in counts.items() if count > 1}
            self.lines //= 2

    def weight(self, word: str) -> float:
        """1 for a word that no line had, less the more have it: of HORIZON, once there were more."""
        return self._weight(self.counts.get(word, 0))

    def weight_elsewhere(self, word: str) -> float:
        """The same, of a word of a line that was counted: in the others."""
        return self._weight(max(0, self.counts.get(word, 0) - 1))

    def _weight(self, count: int) -> float:
        return 1 / (1 + math.log1p(count * min(1.0, HORIZON / self.lines) if count else 0))

    def novelty(self, words: Sequence[str]) -> float:
        """The weight of a line's words, on average; 0 where it has none."""
        return sum(map(self.weight, words)) / len(words) if words else 0.0


class Recent(OrderedDict[str, Value], Generic[Value]):
    """The `most` entries that were set or asked for last."""

    def __init__(self, most: int, entries: Mapping[str, Value] | None = None) -> None:
        self._most = most
        super().__init__()
        for key, value in (entries or {}).items():
            self[key] = value

    def __setitem__(self, key: str, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)

    def known(self, key: str) -> Value | None:
        """The value, which is then the latest; None where there is none."""
        if key in self:
            self.move_to_end(key)
            return self[key]
        return None


class Ranks:
    """How many values, from 0 to 1, were at least as high as one: a histogram that forgets slowly."""

    def __init__(self, counts: Iterable[int] = ()) -> None:
        self.counts = list(counts) or [0] * 200

    def add(self, value: float) -> None:
        self.counts[self._place(value)] += 1
        if sum(self.counts) > 20_000:
            self.counts = [count // 2 for count in self.counts]

    def above(self, value: float) -> int:
        """That were clearly higher."""
        return sum(self.counts[self._place(value) + 1 :])

    @property
    def total(self) -> int:
        return sum(self.counts)

    def _place(self, value: float) -> int:
        return max(0, min(len(self.counts) - 1, int(value * len(self.counts))))
