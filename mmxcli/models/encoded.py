"""The tokens of a piece of text, as the tokenizer library holds them: what is asked for is copied, and nothing else."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding


def encodable(text: str) -> str:
    """The text with "?" for lone surrogates, which the library does not take: they stand for bytes of a command line
    that are no text, and JSON can spell them."""
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Encoded:
    """Of a text that was encoded behind `guard` code points, which do not count. Parts of one character share its
    span."""

    encoding: "Encoding"
    guard: int = 0

    def is_border(self, place: int) -> bool:
        """Whether one token ends at this code point and the next begins there."""
        return self.before(place) is not None

    def before(self, place: int) -> int | None:
        """How many tokens there are before this code point, where one ends there and the next begins; else None."""
        at = self.encoding.char_to_token(place + self.guard)
        if not at or not self._span(at)[0] == place == self._span(at - 1)[1]:
            return None
        return int(at) - self._skipped

    def last_border(self, most: int) -> int:
        """The last one up to `most`; `most` where there is none."""
        spans = self.spans(len(self.encoding) - self._skipped)
        borders = {start for start, _ in spans} & {end for _, end in spans}
        return max((place for place in borders if 0 < place <= most), default=most)

    def ids(self, end: int) -> list[int]:
        """Of all tokens that end at this code point or before."""
        ids: list[int] = self.encoding.ids
        count = len(ids)
        while count and self._span(count - 1)[1] > end:
            count -= 1
        return ids[self._skipped : count]

    def spans(self, count: int) -> list[tuple[int, int]]:
        """Of the first tokens, in code points."""
        spans = self.encoding.offsets[self._skipped : self._skipped + count]
        return [(max(0, a - self.guard), b - self.guard) for a, b in spans] if self.guard else spans

    def _span(self, token: int) -> tuple[int, int]:
        span = self.encoding.token_to_chars(token)
        return (span[0] - self.guard, span[1] - self.guard) if span else (0, 0)

    @property
    def _skipped(self) -> int:
        """The tokens of the guard."""
        count = 0
        while self.guard and count < len(self.encoding) and self._span(count)[1] <= 0:
            count += 1
        return count
