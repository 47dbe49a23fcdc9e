"""From a folder of weights to a model that can read."""

from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.models.anatomy import Anatomy, Quant
from mmxcli.models.fields import Fields
from mmxcli.models.minimax.config import MiniMaxConfig, is_minimax
from mmxcli.models.shape import Shape, foreign
from mmxcli.models.shards import (
    EMBEDDING,
    HEAD,
    Header,
    check_copies,
    check_used,
    fitting,
    lacking,
    mapped,
    read_headers,
)

if TYPE_CHECKING:
    import torch

    from mmxcli.models.runner import Model
    from mmxcli.models.softmax import SoftmaxModel


def anatomy_of(folder: Path) -> Anatomy:
    """What the model in a folder costs and remembers, from its config alone: no weights are needed.

    Raises ModelError for a family that mmx does not run, DamagedError for a config that makes no sense.
    """
    fields = Fields(folder)
    if foreign(fields) is None:
        return Shape.read(folder).anatomy()
    if is_minimax(fields):
        return MiniMaxConfig.read(folder).anatomy()
    from mmxcli.models.library.load import anatomy_of as library_anatomy

    return library_anatomy(folder)


def check_weights(folder: Path) -> bool:
    """Holds what the headers of the weights say against config.json; no contents are read, and torch is not needed.
    False where only transformers could: it does when it loads them. Raises what `load_model` raises."""
    fields = Fields(folder)
    if foreign(fields) is None:
        _find_weights(folder, Shape.read(folder))
    elif is_minimax(fields):
        from mmxcli.models.minimax.weights import find_weights

        find_weights(folder, MiniMaxConfig.read(folder))
    else:
        return False
    return True


def prefers_float32(fields: Fields) -> bool:
    """Whether a model is computed sooner in float32 than in the dtype that its config names: by transformers' classes
    on a processor that multiplies bfloat16 slowly. Our own widen one matrix at a time (models/products.py)."""
    if foreign(fields) is None or is_minimax(fields) or fields.dtype == "float32":
        return False
    from mmxcli.models.products import prefers_bfloat16

    return not prefers_bfloat16()


def load_model(folder: Path, dtype: "torch.dtype | None" = None, quant: Quant = "none", device: str = "cpu") -> "Model":
    """The model in a folder of safetensors, in the checkpoint's own dtype (float16 becomes bfloat16) unless told.
    `quant`: "float32" is a dtype, the others but "none" what its matrices are packed into. `device`: "cpu" or "cuda"
    (models/gpu.py).

    Llama-like models and MiniMax are computed by our own code, all others by transformers' classes. Raises
    ModelError for a family that mmx does not run and where there is no such device, DamagedError for weights that are
    not what the config says, before anything is read.
    """
    from mmxcli.models.computing import prepare
    from mmxcli.models.gpu import device_named

    prepare()
    place = device_named(device)
    if quant == "float32":
        import torch

        dtype = torch.float32
    model = _loaded(folder, dtype)
    if quant in {"int8", "nf4"}:
        model.pack(quant, place)
    if place.type != "cpu":
        model.move(place)
    return model


def _loaded(folder: Path, dtype: "torch.dtype | None") -> "Model":
    fields = Fields(folder)
    if foreign(fields) is None:
        return load_softmax(folder, dtype)
    if is_minimax(fields):
        from mmxcli.models.minimax.model import load as load_minimax

        return load_minimax(folder, dtype)
    from mmxcli.models.library.load import load as load_library

    return load_library(folder, dtype)


def load_softmax(folder: Path, dtype: "torch.dtype | None" = None) -> "SoftmaxModel":
    """The llama-like model in a folder. Weights stay mapped from their files, so loading costs no copy.

    Raises what `load_model` raises.
    """
    import torch

    from mmxcli.models.softmax import SoftmaxModel

    shape = Shape.read(folder)
    headers, expected = _find_weights(folder, shape)
    check_copies(headers, expected)
    weights = mapped(headers, expected)
    if dtype is None and weights[EMBEDDING].dtype == torch.float16:
        dtype = torch.bfloat16  # the same bytes, without the overflow; this processor multiplies it faster
    if dtype is not None:
        weights = {name: tensor.to(dtype) for name, tensor in weights.items()}
    return SoftmaxModel(shape, weights)


def _find_weights(folder: Path, shape: Shape) -> tuple[dict[str, Header], dict[str, tuple[int, ...]]]:
    """Every tensor in the folder, and the shapes of those that the model needs. Raises what `load_model` raises."""
    headers, expected = read_headers(folder), expected_shapes(shape)
    for name, wanted in expected.items():
        if fitting(headers, name, wanted) is None:
            raise lacking(folder, name)
    check_used(headers, expected, shape.family)
    return headers, expected


def embedding_of(shape: Shape, folder: Path) -> Header:
    """Where the embedding of a llama-like model lies. Raises what `load_model` raises."""
    found = fitting(read_headers(folder), EMBEDDING, (shape.vocabulary, shape.hidden))
    if found is None:
        raise lacking(folder, EMBEDDING)
    return found


def expected_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Every tensor of the model, with its shape."""
    hidden, queries = shape.hidden, shape.heads * shape.head_width
    pairs = shape.key_heads * shape.head_width
    shapes: dict[str, tuple[int, ...]] = {
        EMBEDDING: (shape.vocabulary, hidden),
        "model.norm.weight": (hidden,),
    }
    if not shape.tied_head:
        shapes[HEAD] = (shape.vocabulary, hidden)
    # qwen2 has three biases whatever its config says, mistral none.
    biased = {"qwen2": "qkv", "mistral": ""}.get(shape.family, "qkvo" if shape.attention_bias else "")
    for number in range(shape.layers):
        name = f"model.layers.{number}."
        shapes[name + "input_layernorm.weight"] = (hidden,)
        shapes[name + "post_attention_layernorm.weight"] = (hidden,)
        for letter, rows, columns in (
            ("q", queries, hidden),
            ("k", pairs, hidden),
            ("v", pairs, hidden),
            ("o", hidden, queries),
        ):
            shapes[f"{name}self_attn.{letter}_proj.weight"] = (rows, columns)
            if letter in biased:
                shapes[f"{name}self_attn.{letter}_proj.bias"] = (rows,)
        if shape.family == "qwen3":
            shapes[name + "self_attn.q_norm.weight"] = (shape.head_width,)
            shapes[name + "self_attn.k_norm.weight"] = (shape.head_width,)
        for part, rows, columns in (
            ("gate", shape.mlp, hidden),
            ("up", shape.mlp, hidden),
            ("down", hidden, shape.mlp),
        ):
            shapes[f"{name}mlp.{part}_proj.weight"] = (rows, columns)
            if shape.mlp_bias and shape.family == "llama":
                shapes[f"{name}mlp.{part}_proj.bias"] = (rows,)
    return shapes
