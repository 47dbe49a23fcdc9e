"""Words as directions: the nearer two of them point, the nearer the words are in meaning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmxcli.models.embedding import Embedding
from mmxcli.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    from mmxcli.models.sentence_encoder import SentenceEncoder

COMMON = 4096  # tokens whose mean is what all tokens share
MIDDLE = 256  # common words, whose mean is what all words share for the sentence encoder

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Directions:
    """`vectors` gives float32 (words, width), `middle` (width) is what all words have in common: seen from there, words
    that have nothing to do with each other are at right angles. `says`: what nearness by these directions and the
    model's gain must make together for a line to say what is asked (docs/follow.md)."""

    name: str
    says: float
    vectors: Callable[[Sequence[str]], Floats]
    middle: Floats

    def __call__(self, words: Sequence[str]) -> Floats:
        """float32 (words, width), each of length 1, or 0 for a word in the middle."""
        found = self.vectors(words) - self.middle
        directions: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
        return directions


def by_encoder(encoder: "SentenceEncoder") -> Directions:
    """Each word read by the sentence encoder, as a text of its own: it knows far more of words than an embedding."""
    middle: Floats = encoder(encoder.common_words(MIDDLE)).mean(axis=0)
    return Directions("encoder", 0.3, encoder, middle)


def by_embedding(embedding: Embedding, tokenizer: Tokenizer) -> Directions:
    """The mean of the rows that a model's embedding has for the tokens of a word."""

    def vectors(words: Sequence[str]) -> Floats:
        return np.array([embedding.rows(tokenizer.encode(f" {word}")).mean(axis=0) for word in words], np.float32)

    middle: Floats = embedding.rows(range(min(COMMON, len(embedding)))).mean(axis=0)
    return Directions("embedding", 0.2, vectors, middle)
