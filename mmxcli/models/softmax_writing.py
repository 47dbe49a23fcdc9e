"""Writing with a llama-like model, without torch: a few tokens a step, of one text or of several."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmxcli.models.embedding import Embedding
from mmxcli.models.kernels import GROUP, Weights, read, score
from mmxcli.models.shape import Shape
from mmxcli.models.step_attention import Floats, Numbers, Texts
from mmxcli.state.sizes import SINKS

ROWS = 4  # tokens a step: with more, products are bound by computing and no longer by memory
PIECE = 128  # tokens that are read at once
ROOM = 256  # tokens by which the room for keys and values grows
ENDLESS = 1 << 62


class Past(NamedTuple):
    """What texts go on from. `pairs` (texts, layers, 2, key-value heads, tokens, head width), the keys turned, of which
    `lengths` (texts,) are there; those of the first tokens beside a `window` in `sinks`; `positions` (texts,) are those
    of the next tokens."""

    pairs: Floats
    sinks: Floats
    lengths: Numbers
    positions: Numbers
    window: int


def nothing(shape: Shape, texts: int, window: int = ENDLESS) -> Past:
    """Where texts begin. With a window, the sinks are to be kept when they were read."""
    size = (texts, shape.layers, 2, shape.key_heads)
    pairs = np.empty((*size, 0, shape.head_width), np.float32)
    sinks = np.empty((*size, SINKS, shape.head_width), np.float32)
    return Past(pairs, sinks, np.zeros(texts, np.int64), np.zeros(texts, np.int64), window)


def beginning(past: Past, tokens: int) -> Past:
    """The first tokens of a text that has all of its tokens in sight. A copy."""
    there = np.minimum(past.lengths, tokens)
    return past._replace(pairs=past.pairs[:, :, :, :, :tokens].copy(), lengths=there, positions=there.copy())


def times(past: Past, texts: int) -> Past:
    """So many texts that all go on from the one of `past`. A copy."""
    return past._replace(
        pairs=np.repeat(past.pairs, texts, axis=0),
        sinks=np.repeat(past.sinks, texts, axis=0),
        lengths=np.repeat(past.lengths, texts),
        positions=np.repeat(past.positions, texts),
    )


class SoftmaxWriting:
    """Computed by models/kernels.py from weights in 8 bits, which differ from the model's own by their rounding. So it
    reads questions and writes answers, and leaves no state that is kept."""

    rows = ROWS

    def __init__(self, shape: Shape, weights: Weights, embedding: Embedding, past: Past) -> None:
        self._shape = shape
        self._weights = weights
        self._embedding = embedding
        self._pairs, self._sinks, self._lengths, self._positions, self._window = past
        self._going = np.arange(len(self._lengths))

    def read(self, pieces: Sequence[Sequence[int]]) -> None:
        for text, piece in enumerate(pieces):
            for start in range(0, len(piece), PIECE):
                part = piece[start : start + PIECE]
                self._advance([part if other == text else [] for other in range(len(pieces))], for_output=False)

    def step(self, pieces: Sequence[Sequence[int]]) -> Floats:
        self._added = np.array([len(piece) for piece in pieces])
        hidden = self._advance(pieces, for_output=True)
        logits: Floats = np.empty((len(hidden), self._shape.vocabulary), np.float32)
        score(self._weights, hidden, logits)
        return logits

    def keep(self, counts: Sequence[int]) -> None:
        too_many = self._added - np.array(counts)
        self._positions[self._going] -= too_many
        self._lengths[self._going] -= too_many
        self._going = self._going[np.array(counts) > 0]

    def fork(self) -> "SoftmaxWriting":
        past = Past(self._pairs.copy(), self._sinks, self._lengths.copy(), self._positions.copy(), self._window)
        other = SoftmaxWriting(self._shape, self._weights, self._embedding, past)
        other._going = self._going
        return other

    def keep_sinks(self) -> None:
        """Comes when a text has read so many tokens: the first ones stay in sight, whatever the window is."""
        self._sinks = self._pairs[:, :, :, :, :SINKS].copy()

    def past(self, most: int = ENDLESS) -> Past:
        """Of a text by itself: what it has read, and what of that the next token may see, `most` tokens at most beside
        the sinks. A copy."""
        length = int(self._lengths[0])
        start = max(0, length - min(self._window - 1, most))
        if length == self._positions[0] and start <= SINKS:  # the sinks are among them
            start = 0
        pairs = self._pairs[:, :, :, :, start:length].copy()
        return Past(pairs, self._sinks, self._lengths - start, self._positions.copy(), self._window)

    def _advance(self, pieces: Sequence[Sequence[int]], *, for_output: bool) -> Floats:
        """Adds tokens to the texts; the output of the last layer for each, if that is wanted."""
        counts = np.array([len(piece) for piece in pieces])
        numbers = np.repeat(self._going, counts)
        before = np.concatenate([np.arange(count) for count in counts])  # so many new ones of the same text
        positions, lengths = self._positions[numbers] + before, self._lengths[numbers] + before + 1
        if lengths.max() > self._pairs.shape[4]:
            self._grow(int(lengths.max()))
        slides = (positions >= self._window + SINKS) | (
            positions >= lengths
        )  # the latter: some were left behind before
        firsts = np.where(slides, np.maximum(0, lengths - self._window), 0)
        texts = Texts(self._pairs, self._sinks, numbers, firsts, lengths, slides)
        self._positions[self._going] += counts
        self._lengths[self._going] += counts
        farthest = min(SINKS + self._window - 1, int(positions.max())) if slides.any() else 0
        sink_table = self._table(np.array([farthest]))[0]
        hidden = self._embedding.rows([token for piece in pieces for token in piece])
        read(self._weights, texts, hidden, self._table(positions), sink_table, for_output)
        return hidden

    def _grow(self, length: int) -> None:
        """To room for texts of this length and some more."""
        more = length + ROOM - self._pairs.shape[4]
        room = np.empty((*self._pairs.shape[:4], more, self._pairs.shape[5]), np.float32)
        self._pairs = np.concatenate((self._pairs, room), axis=4)

    def _table(self, positions: Numbers) -> Floats:
        """cos and sin, (n, 2, head width / 2): models/rotary.py."""
        width = self._shape.head_width
        angles = positions[:, None] * self._shape.rotary_theta ** (-np.arange(0, width, 2) / width)
        return np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)


def compile_step(weights: Weights) -> None:
    """Compiles what computes, or loads what was compiled: a token through no layers at all. Raises whatever goes
    wrong."""
    width, size = weights.head_norms.shape[2], weights.norms.shape[1]
    vocabulary = (len(weights.codes) - int(weights.places[-1, 0])) // (-(-size // GROUP) * GROUP)
    pairs, numbers = np.zeros((1, 0, 2, 1, 1, width), np.float32), np.zeros(1, np.int64)
    texts = Texts(pairs, pairs, numbers, numbers, numbers + 1, np.zeros(1, np.bool_))
    table, hidden = np.zeros((1, 2, width // 2), np.float32), np.ones((1, size), np.float32)
    read(weights, texts, hidden, table, table[0], True)
    score(weights, hidden, np.empty((1, vocabulary), np.float32))
