"""From a folder of weights to a model that can read."""

from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.shape import Shape

if TYPE_CHECKING:
    import torch

    from mmxcli.models.softmax import SoftmaxModel


def load_model(folder: Path, dtype: "torch.dtype | None" = None) -> "SoftmaxModel":
    """The model in a folder of safetensors, in the checkpoint's own dtype (float16 becomes bfloat16) unless told.

    Weights stay mapped from their files, so loading costs no copy. Raises DamagedError when a file is cut
    short, a tensor is missing, or one has another shape than the config says, before anything is read.
    """
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
