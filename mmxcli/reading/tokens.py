"""A stream of text as a stream of tokens: the ids are those of the whole text tokenised at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mmxcli.models.tokenizer import Tokenizer

BUFFER = 65_536  # code points encoded at a time
LOOKAHEAD = 1_024  # code points after a cut that must be known before it is believed


@dataclass(frozen=True, slots=True)
class TokenChunk:
    """Token ids and the span of each in the stream, in code points from its start, end exclusive."""

    ids: list[int]
    spans: list[tuple[int, int]]


class TokenStream:
    """Encodes a text that arrives in pieces, in bounded memory, without knowing its end.

    Two facts make the pieces add up. A byte-pair encoding splits first by a regular expression, left to
    right, then merges within each split; and where the encoding of a whole has a token border, the parts on
    both sides encode to the same tokens alone, because no merge crossed it. So it is enough to cut at a
    border of the whole. A line break before a visible character is one, whatever follows. In a text without
    such line breaks, a blank between two letters is one; in a text without those, a token border that is
    followed by `LOOKAHEAD` known characters is taken: what comes later could move it only through a chain of
    merges longer than that.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.buffer = ""
        self.start = 0  # of the buffer in the stream
        # Tokenizers in the manner of SentencePiece put a blank before a text: a line break takes it for them.
        self.guard = "" if _is_seamless(tokenizer) else "\n"

    def feed(self, texts: Iterable[str]) -> Iterator[TokenChunk]:
        """The tokens of all texts joined. Yields as soon as a token can no longer change."""
        for text in texts:
            for offset in range(0, len(text), BUFFER):
                self.buffer += text[offset : offset + BUFFER]
                if len(self.buffer) >= BUFFER + LOOKAHEAD:
                    yield self._take(final=False)
        if self.buffer:
            yield self._take(final=True)

    def _take(self, final: bool) -> TokenChunk:
        ids, spans = self.tokenizer.encode_with_spans(self.guard + self.buffer)
        if self.guard:
            skipped = sum(1 for _, end in spans if end <= len(self.guard))
            ids = ids[skipped:]
            spans = [(max(0, start - 1), end - 1) for start, end in spans[skipped:]]
        cut = len(self.buffer) if final else self._cut(spans)
        count = len(ids)
        while not final and count and spans[count - 1][1] > cut:
            count -= 1
        chunk = TokenChunk(ids[:count], [(self.start + a, self.start + b) for a, b in spans[:count]])
        self.buffer, self.start = self.buffer[cut:], self.start + cut
        return chunk

    def _cut(self, spans: list[tuple[int, int]]) -> int:
        """The last sure border that leaves the lookahead; the buffer is longer than that."""
        limit = len(self.buffer) - LOOKAHEAD
        borders = {start for start, _ in spans} & {end for _, end in spans}
        for before, after in (("\n", str.isalpha), (str.isalpha, " ")):
            for place in range(limit, limit // 2, -1):
                if self._matches(place, before, after) and place in borders:
                    return place
        return max((place for place in borders if 0 < place <= limit), default=limit)

    def _matches(self, place: int, before: object, after: object) -> bool:
        left, right = self.buffer[place - 1], self.buffer[place]
        fits_left = before(left) if callable(before) else left == before
        fits_right = after(right) if callable(after) else right == after
        return bool(fits_left and fits_right)


def _is_seamless(tokenizer: Tokenizer) -> bool:
    return tokenizer.encode("a\nb") == tokenizer.encode("a\n") + tokenizer.encode("b")
