"""Writing with a SoftmaxModel: a token a step, for one text or for several at once."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from mmxcli.models.kernels import GROUP, Floats, Numbers, Texts, Weights, step
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.state.model_state import ModelState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import SINKS, WindowState

AttentionState = PagedState | WindowState
ROOM = 256  # tokens by which the room for keys and values grows


class SoftmaxWriting:
    """Texts that go on from states of a SoftmaxModel.

    Computed by models/kernels.py from weights in 8 bits, which differ from the model's own by their rounding. So it
    writes answers, and reads no text: what a text leaves in a state must not depend on how it was cut.
    """

    def __init__(self, model: SoftmaxModel, weights: Weights, states: Sequence[ModelState]) -> None:
        self._model = model
        self._weights = weights
        layers = [cast(list[AttentionState], state.layers) for state in states]
        first, shape = layers[0][0], model.shape
        self._window = first.window if isinstance(first, WindowState) else 1 << 62
        self._positions = np.array([state.position for state in states])
        lengths = np.array([_seen(of[0]).shape[2] for of in layers])
        size = (len(states), shape.layers, 2, shape.key_heads, int(lengths.max()) + ROOM, shape.head_width)
        pairs, sinks = torch.empty(size), torch.zeros((*size[:4], SINKS, shape.head_width))
        for text, of in enumerate(layers):
            for number, layer in enumerate(of):
                pairs[text, number, :, :, : lengths[text]] = _seen(layer)
                if isinstance(layer, WindowState) and layer.first is not None:
                    sinks[text, number, :, :, : layer.first.shape[2]] = layer.first
        count = len(states)
        numbers, slides = np.arange(count), np.zeros(count, np.bool_)
        self._texts = Texts(pairs.numpy(), sinks.numpy(), numbers, np.zeros(count, np.int64), lengths, slides)

    def step(self, ids: Sequence[int]) -> Tensor:
        """Adds a token to each text; float32 logits (texts, vocabulary) for the next ones."""
        if self._texts.lengths.max() == self._texts.pairs.shape[4]:
            self._grow()
        texts = self._texts
        going = texts.numbers
        table = self._table(self._positions[going])
        texts.slides[:] = self._positions >= self._window + SINKS
        sink_table = self._table(np.array([SINKS + self._window - 1 if texts.slides.any() else 0]))[0]
        self._positions[going] += 1
        texts.lengths[going] += 1
        texts.firsts[:] = np.where(texts.slides, np.maximum(0, texts.lengths - self._window), 0)
        hidden = self._model.embedding[torch.tensor(ids)].float().numpy()
        logits = np.empty((len(ids), self._model.shape.vocabulary), np.float32)
        step(self._weights, texts, hidden, table, sink_table, logits)
        return torch.from_numpy(logits)

    def keep(self, rows: Sequence[int]) -> None:
        """Only these of the texts that still go on do so from now on."""
        self._texts = self._texts._replace(numbers=self._texts.numbers[list(rows)])

    def _grow(self) -> None:
        pairs = self._texts.pairs
        more = np.empty((*pairs.shape[:4], ROOM, pairs.shape[5]), np.float32)
        self._texts = self._texts._replace(pairs=np.concatenate((pairs, more), axis=4))

    def _table(self, positions: Numbers) -> Floats:
        """cos and sin, (n, 2, head width / 2)."""
        return torch.stack(self._model.rotary.table(torch.from_numpy(positions)), dim=1).numpy()


def compile_step(weights: Weights) -> None:
    """Compiles the step, or loads what was compiled: a token through no layers at all. Raises whatever goes wrong."""
    width, size = weights.head_norms.shape[2], weights.norms.shape[1]
    vocabulary = (len(weights.codes) - int(weights.places[-1, 0])) // (-(-size // GROUP) * GROUP)
    pairs, numbers = np.zeros((1, 0, 2, 1, 1, width), np.float32), np.zeros(1, np.int64)
    texts = Texts(pairs, pairs, numbers, numbers, numbers + 1, np.zeros(1, np.bool_))
    table = np.zeros((1, 2, width // 2), np.float32)
    step(weights, texts, np.ones((1, size), np.float32), table, table[0], np.empty((1, vocabulary), np.float32))


def _seen(layer: AttentionState) -> Tensor:
    """Keys and values that the next token sees beside the sinks: (2, key-value heads, tokens, width)."""
    if isinstance(layer, WindowState):
        return torch.stack(layer.last(min(layer.length, layer.window - 1) if layer.sliding else layer.length))
    return torch.cat([torch.stack(piece) for piece in layer.pieces()], dim=2)
