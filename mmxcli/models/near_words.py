"""Words that mean nearly the same, as a model's own embedding has them: no other model is needed."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmxcli.models.embedding import Embedding

MOST = 20  # words near one
LEAST = 0.25  # cosine from which on two words are near
_PIECE = 4096  # rows that are in memory at once


class NearWords:
    """Looks among `words`, which have one token each: word to token."""

    def __init__(self, words: Mapping[str, int], embedding: Embedding) -> None:
        self._words = list(words)
        self._tokens = list(words.values())
        self._places = {word: place for place, word in enumerate(self._words)}
        self._embedding = embedding

    def __call__(self, asked: Sequence[str]) -> dict[str, dict[str, float]]:
        """For each word that is known, in any case, at most MOST others, nearest first: LEAST to 1."""
        places = {word: self._places[word.lower()] for word in asked if word.lower() in self._places}
        if not places:
            return {}
        wanted = self._directions([self._tokens[place] for place in places.values()])
        alike = np.concatenate([piece @ wanted.T for piece in self._pieces()])
        found = {}
        for column, (word, own) in enumerate(places.items()):
            nearest = np.argsort(-alike[:, column])[: MOST + 1]
            found[word] = {
                self._words[place]: float(alike[place, column])
                for place in nearest
                if place != own and alike[place, column] >= LEAST
            }
        return found

    def _pieces(self) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(self._tokens), _PIECE):
            yield self._directions(self._tokens[start : start + _PIECE])

    def _directions(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Of length 1, from where all words have their middle: else all are near to all."""
        rows = self._embedding.rows(tokens) - self._middle
        directions: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        return directions

    @cached_property
    def _middle(self) -> NDArray[np.float32]:
        pieces = range(0, len(self._tokens), _PIECE)
        rows = (self._embedding.rows(self._tokens[start : start + _PIECE]) for start in pieces)
        sums = np.sum([piece.sum(axis=0) for piece in rows], axis=0)
        return np.asarray(sums / len(self._tokens), np.float32)
