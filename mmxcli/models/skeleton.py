"""Models whose weights have shapes and no contents, on torch's meta device: the code that reads, at no cost."""

from typing import Any

import torch

from mmxcli.models.load import expected_shapes
from mmxcli.models.minimax.config import MiniMaxConfig
from mmxcli.models.minimax.names import expected
from mmxcli.models.runner import Model
from mmxcli.models.shape import Shape
from mmxcli.models.softmax import SoftmaxModel


def skeleton(config: Any, dtype: torch.dtype) -> Model:
    """`config`: a Shape, a MiniMaxConfig, or transformers' own object. Raises ModelError for a family that mmx does
    not run."""
    with torch.device("meta"):
        if isinstance(config, Shape):
            shapes = expected_shapes(config).items()
            return SoftmaxModel(config, {name: torch.empty(shape, dtype=dtype) for name, shape in shapes})
        if isinstance(config, MiniMaxConfig):
            from mmxcli.models.minimax.model import MiniMaxModel

            return MiniMaxModel(config, {name: torch.empty(shape, dtype=dtype) for name, shape in expected(config)})
        from mmxcli.models.library.measure import unfilled

        return unfilled(config, dtype)
