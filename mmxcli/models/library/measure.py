"""What a network of transformers costs and remembers, by running it on tensors without data.

On torch's meta device a pass computes shapes and nothing else, so that a model of any size is measured in seconds, by
the code that will run, and no family has to be described twice.
"""

from typing import Any, cast

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from mmxcli.models.anatomy import Anatomy, Memory
from mmxcli.models.families.registry import family_named
from mmxcli.models.library.attention import NAME
from mmxcli.models.library.cache import ATTENTION
from mmxcli.models.library.model import LibraryModel
from mmxcli.state.mixed import MixedState
from mmxcli.state.pages import PagedState
from mmxcli.state.window import WindowState

TOKENS = 16  # of the pass that is measured


def anatomy_of(config: Any) -> Anatomy:
    """`config`: transformers' own object. Keys and values are counted in bfloat16.

    Raises ModelError for a family that mmx does not run.
    """
    text = config.get_text_config()
    model = unfilled(config, torch.bfloat16)
    network = model.network
    with torch.device("meta"):
        state = model.new_state()
        model.advance(state, [0] * TOKENS)
    fixed, growing = 0, 0
    softmax, recurrent = 0, 0
    for layer in cast(list[MixedState], state.layers):
        for name, part in layer.parts.items():
            if isinstance(part, PagedState):
                growing += sum(tensor.nbytes for tensor in part.grown(0).values()) // TOKENS
            elif isinstance(part, WindowState):
                fixed += sum(tensor.nbytes for tensor in part.fixed().values()) // TOKENS * part.window
            else:
                fixed += part.bytes
                recurrent += bool(part.bytes)
            softmax += name == ATTENTION
    memory: Memory = "softmax" if not recurrent else "hybrid" if softmax else "recurrent"
    matrices = _matrices(model)
    return Anatomy(
        family=text.model_type,
        memory=memory,
        trained_window=getattr(text, "max_position_embeddings", None) if softmax else None,
        parameters=sum(weight.numel() for weight in network.parameters()),
        parameters_per_token=int(sum(weight.numel() * share for weight, share in matrices)),
        embedding_parameters=sum(_embeddings(model).values()),
        state_bytes_fixed=fixed,
        state_bytes_per_token=growing,
    )


def unfilled(config: Any, dtype: torch.dtype) -> LibraryModel:
    """The model of a config, its weights without contents. Raises ModelError for a family that mmx does not run."""
    family = family_named(config)
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=NAME)
        return LibraryModel(network, family)


def _matrices(model: LibraryModel) -> list[tuple[nn.Parameter, float]]:
    """The weights that a token is multiplied with while reading, and which share of each: experts by their number."""
    text = model.network.config.get_text_config()
    outside = _embeddings(model)
    experts = next((getattr(text, name) for name in EXPERTS if getattr(text, name, None)), 0)
    chosen = next((getattr(text, name) for name in CHOSEN if getattr(text, name, None)), experts)
    found = []
    for weight in model.network.parameters():
        if weight.dim() < 2 or id(weight) in outside:
            continue
        found.append((weight, chosen / experts if weight.dim() == 3 and weight.shape[0] == experts else 1.0))
    return found


def _embeddings(model: LibraryModel) -> dict[int, int]:
    """Sizes of the input embedding and the head, which may be one, by the identity of the tensor."""
    both = (model.network.get_input_embeddings().weight, model.network.get_output_embeddings().weight)
    return {id(weight): weight.numel() for weight in both}


EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
CHOSEN = ("num_experts_per_tok", "num_experts_per_token")
