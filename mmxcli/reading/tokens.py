"""A stream of text as a stream of tokens: the ids are those of the whole text tokenised at once."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from mmxcli.models.encoded import Encoded
from mmxcli.models.tokenizer import Tokenizer

BUFFER = 65_536  # code points encoded as one piece
PIECES = 4  # encoded together, on all cores
LOOKAHEAD = 1_024  # code points after a cut that must be known before it is believed


@dataclass(frozen=True)
class TokenChunk:
    """Token ids and the span of each in the stream, in code points from its start, end exclusive; those of the whole
    chunk are `start` and `end`."""

    ids: list[int]
    encoded: Encoded
    start: int
    end: int

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Made when they are asked for: most readers only want the ids."""
        return [(self.start + a, self.start + b) for a, b in self.encoded.spans(len(self.ids))]


@dataclass(frozen=True)
class _Batch:
    """Pieces that are being encoded: they end at `ends` of what was held, `size` code points, when they were begun;
    `final`: nothing follows that."""

    ends: list[int]
    size: int
    final: bool
    encoded: "Future[list[Encoded]]"


class TokenStream:
    """Encodes a text that arrives in pieces, in bounded memory, without knowing its end.

    Two facts make the pieces add up. A byte-pair encoding splits first by a regular expression, left to
    right, then merges within each split; and where the encoding of a whole has a token border, the parts on
    both sides encode to the same tokens alone, because no merge crossed it. So it is enough to cut at a
    border of the whole. A line break before a visible character is one, whatever follows. In a text without
    such line breaks, a blank between two letters is one; in a text without those, a token border that is
    followed by `LOOKAHEAD` known characters is taken: what comes later could move it only through a chain of
    merges longer than that.

    Pieces are encoded together, each from where the one before is likely to end, and taken as far as that turns
    out to be a border; while that goes on, what follows is fetched (and indexed, by who gives it).
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.start = 0  # of what is held, in the stream
        self._held: list[str] = []
        self._size = 0  # code points that are held
        # Tokenizers in the manner of SentencePiece put a blank before a text: a line break takes it for them.
        self._guard = "" if _is_seamless(tokenizer) else "\n"

    def feed(self, texts: Iterable[str]) -> Iterator[TokenChunk]:
        """The tokens of all texts joined. Yields soon after a token can no longer change."""
        with ThreadPoolExecutor(1) as pool:
            batch: _Batch | None = None
            for text in texts:
                for offset in range(0, len(text), BUFFER):
                    self._hold(text[offset : offset + BUFFER])
                    if self._size - (batch.size if batch else 0) >= _full():
                        if batch:
                            yield from self._taken(batch)
                        while self._size >= 2 * _full():  # borders were not where they were likely
                            yield from self._taken(self._begun(pool, final=False))
                        batch = self._begun(pool, final=False)
            if batch:
                yield from self._taken(batch)
            while self._size:
                yield from self._taken(self._begun(pool, final=True))

    def _hold(self, text: str) -> None:
        self._held.append(text)
        self._size += len(text)

    def _begun(self, pool: ThreadPoolExecutor, *, final: bool) -> _Batch:
        """The encoding of what is held; unless it is final, of all but so much that a cut could not yet be believed."""
        text = "".join(self._held)
        self._held = [text]
        ends = _likely_ends(text, 0, final=final)
        parts = [text[start : end + LOOKAHEAD] for start, end in pairwise([0, *ends])]
        return _Batch(ends, len(text), final, pool.submit(self.tokenizer.encode_together, parts, self._guard))

    def _taken(self, batch: _Batch) -> Iterator[TokenChunk]:
        """The tokens of a batch, as far as its pieces end at borders; what is left is held."""
        done = 0
        for end, encoded in zip(batch.ends, batch.encoded.result(), strict=True):
            ends_there = (batch.final and end == batch.size) or encoded.is_border(end - done)
            cut = end - done if ends_there else encoded.last_border(BUFFER)
            yield TokenChunk(encoded.ids(cut), encoded, self.start, self.start + cut)
            done, self.start = done + cut, self.start + cut
            if not ends_there:  # what follows was encoded from another place
                break
        left = "".join(self._held)[done:]
        self._held, self._size = [left] if left else [], len(left)


def _full() -> int:
    """Code points from which on a batch of pieces is begun."""
    return PIECES * BUFFER + LOOKAHEAD


def _likely_ends(text: str, start: int, *, final: bool) -> list[int]:
    """Where the next pieces from `start` on may end. The last end is a guess where nothing speaks for any."""
    ends: list[int] = []
    while len(ends) < PIECES and len(text) - start > (0 if final else BUFFER + LOOKAHEAD - 1):
        if final and len(text) - start <= BUFFER + LOOKAHEAD:
            return [*ends, len(text)]
        likely = _likely_border(text, start + BUFFER // 2, start + BUFFER)
        ends.append(likely or start + BUFFER)
        if not likely:
            break
        start = likely
    return ends


def _likely_border(text: str, low: int, high: int) -> int | None:
    """The last place in (low, high] where a line begins with a letter, else where a blank follows a letter."""
    place = high
    while (place := text.rfind("\n", low, place)) >= 0:
        if text[place + 1].isalpha():
            return place + 1
    place = high + 1
    while (place := text.rfind(" ", low + 1, place)) >= 0:
        if text[place - 1].isalpha():
            return place
    return None


def _is_seamless(tokenizer: Tokenizer) -> bool:
    return tokenizer.encode("a\nb") == tokenizer.encode("a\n") + tokenizer.encode("b")
