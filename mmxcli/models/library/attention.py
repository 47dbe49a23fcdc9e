"""mmx's attention behind transformers' interface, so that its classes read a state that is ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface

from mmxcli.errors import ModelError
from mmxcli.models import attention
from mmxcli.models.library.cache import StreamCache
from mmxcli.state.window import WindowState

NAME = "mmx"
# What the interface may be handed that changes nothing here: what a token sees is decided by the layer's state.
HARMLESS = frozenset({"is_causal", "position_ids", "use_cache", "position_embeddings", "output_router_logits"})

Capped = Callable[[Tensor], Tensor]
"""Queries (1, heads, n, width) turned so that the sinks are as far as they were when the window filled."""

_current: ContextVar[tuple[StreamCache, Capped]] = ContextVar("pass")


@contextmanager
def reading(cache: StreamCache, capped: Capped) -> Iterator[None]:
    """While inside, attention reads and appends to the states behind `cache`."""
    token = _current.set((cache, capped))
    try:
        yield
    finally:
        _current.reset(token)


def current_cache() -> StreamCache | None:
    """The cache of the pass that is under way; None in a pass without one."""
    current = _current.get(None)
    return current[0] if current else None


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,  # noqa: ARG001 - nothing is dropped outside training
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """query (1, heads, n, width), key and value (1, key-value heads, n, width) of the new tokens alone.

    Returns (1, n, heads, value width). Raises ModelError when the model asks for an attention that this is not:
    better no answer than a wrong one.
    """
    cache, capped = _current.get()
    state = cache.attending
    if state is None:
        raise ModelError(f"{type(module).__name__} attends to keys that it has not handed over: mmx cannot run it")
    cache.attending = None
    odd = {name for name, given in others.items() if given is not None and name not in HARMLESS}
    if attention_mask is not None:
        odd.add("attention_mask")
    if odd:
        raise ModelError(f"{type(module).__name__} asks for attention with {', '.join(sorted(odd))}: mmx has none such")
    if sliding_window is not None and not (isinstance(state, WindowState) and state.window <= sliding_window):
        raise ModelError(f"{type(module).__name__} has a window of {sliding_window} that its config does not tell of")
    sinks = isinstance(state, WindowState) and state.sliding and state.sinks > 0
    output = attention.read(state, query[0], key[0], value[0], capped(query)[0] if sinks else None, scaling)
    return output.transpose(0, 1)[None], None


AttentionInterface.register(NAME, attend)
