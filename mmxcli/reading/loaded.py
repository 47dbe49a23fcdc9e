"""The parts of a model that a process has loaded: each at its first use, and once."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.models.anatomy import Quant
from mmxcli.models.chat import ChatTemplate
from mmxcli.models.fields import Fields
from mmxcli.models.load import anatomy_of, check_weights, embedding_of, load_model, prefers_float32
from mmxcli.models.shape import Shape, foreign
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import WeightsFolder

if TYPE_CHECKING:
    from mmxcli.models.embedding import Embedding
    from mmxcli.models.near_words import NearWords
    from mmxcli.models.runner import Model
    from mmxcli.models.writing import FastWriter

_held: dict[WeightsFolder, "Loaded"] = {}


class Loaded:
    """Raises what is raised where a part is loaded: see there."""

    def __init__(self, weights: WeightsFolder) -> None:
        self.weights = weights
        self.anatomy = anatomy_of(weights.path)
        self.widens = prefers_float32(Fields(weights.path))
        self.checked = check_weights(weights.path)  # else whether they fit shows when the model is loaded
        self.tokenizer = Tokenizer(weights.path)
        self._models: dict[tuple[Quant, str], Model] = {}
        self._writers: dict[tuple[Path, int], FastWriter | None] = {}

    @cached_property
    def template(self) -> ChatTemplate:
        return ChatTemplate(self.tokenizer)

    @cached_property
    def embedding(self) -> "Embedding | None":
        """That of a llama-like model; None of others."""
        from mmxcli.models.embedding import Embedding

        if foreign(Fields(self.weights.path)) is not None:
            return None
        return Embedding(embedding_of(Shape.read(self.weights.path), self.weights.path))

    @cached_property
    def near_words(self) -> "NearWords | None":
        """None for a network whose embedding we do not know."""
        if self.embedding is None:
            return None
        from mmxcli.models.near_words import NearWords

        return NearWords(self.tokenizer.words(), self.embedding)

    def model(self, quant: Quant, device: str) -> "Model":
        """`device`: "cpu" or "cuda" (models/gpu.py)."""
        if (quant, device) not in self._models:
            self._models[quant, device] = load_model(self.weights.path, quant=quant, device=device)
        return self._models[quant, device]

    def let_go(self) -> None:
        """Of the models: who needs one again loads it again."""
        self._models.clear()

    def writer(self, file: Path, threads: int, model: "Callable[[], Model]") -> "FastWriter | None":
        """models/writing.py: `model` is asked for where `file` has to be made."""
        from mmxcli.models.writing import fast_writer

        if (file, threads) not in self._writers:
            self._writers[file, threads] = fast_writer(model, self.weights.path, file, threads)
        return self._writers[file, threads]


def loaded(weights: WeightsFolder) -> Loaded:
    """What this process holds of the model, or nothing yet. Who changes the model's files gets another one: what
    `weights` says of them tells."""
    return _held.get(weights) or Loaded(weights)


def hold(weights: WeightsFolder) -> Loaded:
    """As `loaded`, and kept until this process ends."""
    return _held.setdefault(weights, loaded(weights))
