"""Texts as directions: the nearer two of them point, the nearer the texts are in meaning. A BERT of a few layers in
NumPy, with the mean over a text's tokens (Reimers and Gurevych 2019), so that neither torch nor transformers is needed.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmxcli.models.encoded import encodable
from mmxcli.models.fields import Fields
from mmxcli.models.shards import WHOLE

LONGEST = 256  # tokens of a text that are looked at, as its publisher has it
_TOGETHER = 512  # tokens that are computed at once: more gain nothing

Floats = NDArray[np.float32]


class SentenceEncoder:
    """Of a Hugging Face folder whose files are known: they are not looked at again."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._threads = threads
        fields = Fields(folder)
        self._heads = fields.whole("num_attention_heads")
        self._layers = fields.whole("num_hidden_layers")
        self._epsilon = fields.number("layer_norm_eps", default=1e-12)
        self._weights: dict[str, Floats] = load_file(folder / WHOLE)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self.width = self._weights["embeddings.LayerNorm.weight"].shape[0]

    def __call__(self, texts: Sequence[str]) -> Floats:
        """float32 (texts, width), each of length 1: their products are cosines."""
        from threadpoolctl import threadpool_limits

        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([encodable(text) for text in texts])]
        # Threads that wait for each other within a product stand still where another program has one of the cores.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(self._directions, _pieces(tokens)))
        return np.concatenate([np.empty((0, self.width), np.float32), *found])

    def common_words(self, count: int) -> list[str]:
        """The first whole words of its vocabulary, which has the most frequent first (Devlin et al. 2019)."""
        vocabulary = self._tokenizer.get_vocab()
        words = (word for word in sorted(vocabulary, key=vocabulary.__getitem__) if len(word) > 2 and word.isalpha())
        return list(islice(words, count))

    def _directions(self, texts: Sequence[Sequence[int]]) -> Floats:
        """The tokens of all texts stand in one matrix, without padding; a text attends to itself alone."""
        ends = np.cumsum([len(text) for text in texts])
        spans = [slice(end - len(text), end) for text, end in zip(texts, ends, strict=True)]
        hidden = self._weights["embeddings.word_embeddings.weight"][np.concatenate(texts)]
        hidden = (
            hidden
            + self._weights["embeddings.position_embeddings.weight"][
                np.concatenate([np.arange(len(text)) for text in texts])
            ]
        )
        hidden = self._normed(hidden + self._weights["embeddings.token_type_embeddings.weight"][0], "embeddings")
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            mixed = self._linear(
                self._attended(hidden, spans, f"{layer}.attention.self"), f"{layer}.attention.output.dense"
            )
            hidden = self._normed(hidden + mixed, f"{layer}.attention.output")
            wide = _gelu(self._linear(hidden, f"{layer}.intermediate.dense"))
            hidden = self._normed(hidden + self._linear(wide, f"{layer}.output.dense"), f"{layer}.output")
        means = np.stack([hidden[span].mean(axis=0) for span in spans])
        lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        directions: Floats = means / lengths
        return directions

    def _attended(self, hidden: Floats, spans: Sequence[slice], name: str) -> Floats:
        tokens, width = hidden.shape
        query, key, value = (
            self._linear(hidden, f"{name}.{part}").reshape(tokens, self._heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        query /= np.float32((width / self._heads) ** 0.5)
        mixed = np.empty((self._heads, tokens, width // self._heads), np.float32)
        for span in spans:
            scores = query[:, span] @ key[:, span].swapaxes(1, 2)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            mixed[:, span] = (scores / scores.sum(axis=-1, keepdims=True)) @ value[:, span]
        return mixed.swapaxes(0, 1).reshape(tokens, width)

    def _linear(self, hidden: Floats, name: str) -> Floats:
        return hidden @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normed(self, hidden: Floats, name: str) -> Floats:
        hidden = hidden - hidden.mean(axis=-1, keepdims=True)
        hidden /= np.sqrt(np.square(hidden).mean(axis=-1, keepdims=True) + np.float32(self._epsilon))
        return hidden * self._weights[f"{name}.LayerNorm.weight"] + self._weights[f"{name}.LayerNorm.bias"]


def _pieces(texts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Of about as many tokens each."""
    piece: list[Sequence[int]] = []
    for text in texts:
        if piece and sum(map(len, piece)) + len(text) > _TOGETHER:
            yield piece
            piece = []
        piece.append(text)
    if piece:
        yield piece


def _gelu(x: Floats) -> Floats:
    """x times the normal distribution up to x, off by at most 1.5e-7 of x (Abramowitz and Stegun, 7.1.26)."""
    size = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * size)
    tail = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + np.float32(factor)) * t
    tail *= np.exp(-size * size)  # 1 - erf(|x| / sqrt(2))
    return np.where(x > 0, x - x * tail / 2, x * tail / 2)
