"""From a folder of weights to a model that can read."""

from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.anatomy import Anatomy, Quant
from mmxcli.models.shape import Shape, is_llama_like, read_config

if TYPE_CHECKING:
    import torch

    from mmxcli.models.runner import Model
    from mmxcli.models.softmax import SoftmaxModel

MINIMAX = ("minimax", "minimax_text_01", "minimax_m1")


def anatomy_of(folder: Path) -> Anatomy:
    """What the model in a folder costs and remembers, from its config alone: no weights are needed.

    Raises ModelError for a family that mmx does not run, DamagedError for a config that makes no sense.
    """
    config = read_config(folder)
    if is_llama_like(config):
        return Shape.read(folder).anatomy()
    if config.get("model_type") in MINIMAX:
        from mmxcli.models.minimax.config import MiniMaxConfig

        return MiniMaxConfig.read(folder).anatomy()
    from mmxcli.models.library.load import read_config as library_config
    from mmxcli.models.library.measure import anatomy_of as measured

    return measured(library_config(folder))


def load_model(folder: Path, dtype: "torch.dtype | None" = None, quant: Quant = "none") -> "Model":
    """The model in a folder of safetensors, in the checkpoint's own dtype (float16 becomes bfloat16) unless told.
    `quant` is one of anatomy.QUANTS: what its matrices are packed into.

    Llama-like models and MiniMax are computed by our own code, all others by transformers' classes. Raises
    ModelError for a family that mmx does not run, DamagedError for weights that are not what the config says,
    before anything is read.
    """
    model = _loaded(folder, dtype)
    if quant != "none":
        model.pack(quant)
    return model


def _loaded(folder: Path, dtype: "torch.dtype | None") -> "Model":
    config = read_config(folder)
    if is_llama_like(config):
        return load_softmax(folder, dtype)
    if config.get("model_type") in MINIMAX:
        from mmxcli.models.minimax.model import load as load_minimax

        return load_minimax(folder, dtype)
    from mmxcli.models.library.load import load as load_library

    return load_library(folder, dtype)


def load_softmax(folder: Path, dtype: "torch.dtype | None" = None) -> "SoftmaxModel":
    """The llama-like model in a folder. Weights stay mapped from their files, so loading costs no copy."""
    import torch
    from safetensors import SafetensorError, safe_open

    from mmxcli.models.softmax import SoftmaxModel

    shape = Shape.read(folder)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder} has no safetensors weights")
    weights: dict[str, torch.Tensor] = {}
    for path in files:
        try:
            with safe_open(path, framework="pt") as shard:
                for name in shard.keys():  # noqa: SIM118 - a safetensors handle is not a mapping
                    weights[name] = shard.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise DamagedError(f"{path} is damaged ({error}): get the model again") from None
    for name, expected in expected_shapes(shape).items():
        if name not in weights:
            raise DamagedError(f"{folder} lacks the tensor {name}: get the model again")
        if tuple(weights[name].shape) != expected:
            found = tuple(weights[name].shape)
            raise DamagedError(f"{folder}: {name} is {found}, but config.json says {expected}")
    if dtype is None and weights["model.embed_tokens.weight"].dtype == torch.float16:
        dtype = torch.bfloat16  # the same bytes, without the overflow; this processor multiplies it faster
    if dtype is not None:
        weights = {name: tensor.to(dtype) for name, tensor in weights.items()}
    return SoftmaxModel(shape, weights)


def expected_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Every tensor that the model cannot do without, but for biases and head norms that a family may lack."""
    hidden, queries = shape.hidden, shape.heads * shape.head_width
    pairs = shape.key_heads * shape.head_width
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (shape.vocabulary, hidden),
        "model.norm.weight": (hidden,),
    }
    if not shape.tied_head:
        shapes["lm_head.weight"] = (shape.vocabulary, hidden)
    for number in range(shape.layers):
        name = f"model.layers.{number}."
        shapes[name + "input_layernorm.weight"] = (hidden,)
        shapes[name + "post_attention_layernorm.weight"] = (hidden,)
        shapes[name + "self_attn.q_proj.weight"] = (queries, hidden)
        shapes[name + "self_attn.k_proj.weight"] = (pairs, hidden)
        shapes[name + "self_attn.v_proj.weight"] = (pairs, hidden)
        shapes[name + "self_attn.o_proj.weight"] = (hidden, queries)
        shapes[name + "mlp.gate_proj.weight"] = (shape.mlp, hidden)
        shapes[name + "mlp.up_proj.weight"] = (shape.mlp, hidden)
        shapes[name + "mlp.down_proj.weight"] = (hidden, shape.mlp)
        if shape.family == "qwen2":
            shapes[name + "self_attn.q_proj.bias"] = (queries,)
            shapes[name + "self_attn.k_proj.bias"] = (pairs,)
            shapes[name + "self_attn.v_proj.bias"] = (pairs,)
        if shape.family == "qwen3":
            shapes[name + "self_attn.q_norm.weight"] = (shape.head_width,)
            shapes[name + "self_attn.k_norm.weight"] = (shape.head_width,)
    return shapes
