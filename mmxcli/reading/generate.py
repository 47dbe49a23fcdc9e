"""From a state to text, token by token."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.state.model_state import ModelState


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of generated text and the natural logarithm of the probability of the token that ended it."""

    text: str
    log_probability: float


def generate(
    model: SoftmaxModel, tokenizer: Tokenizer, state: ModelState, prompt: Sequence[int], limit: int
) -> Iterator[Written]:
    """Reads `prompt`, then writes at most `limit` tokens, always the likeliest (greedy), until a stop token.

    Modifies `state`. A character that takes several tokens is held back until it is whole.
    """
    logits = model.advance(state, prompt, logits="last")
    written: list[int] = []
    given = ""
    for _ in range(limit):
        assert logits is not None
        distribution = logits[0].log_softmax(dim=-1)
        token = int(distribution.argmax())
        if token in tokenizer.stop_ids:
            return
        written.append(token)
        text = tokenizer.decode(written)
        if not text.endswith("\ufffd"):
            yield Written(text[len(given) :], float(distribution[token]))
            given = text
        logits = model.advance(state, [token], logits="last")


def likelihood(model: SoftmaxModel, state: ModelState, prompt: Sequence[int], target: Sequence[int]) -> torch.Tensor:
    """Natural log-probabilities (len(target),) of `target` after `prompt`. Modifies `state`."""
    logits = model.advance(state, [*prompt, *target], logits="all")
    assert logits is not None
    rows = logits[len(prompt) - 1 : len(prompt) + len(target) - 1].log_softmax(dim=-1)
    return rows.gather(1, torch.tensor(target)[:, None])[:, 0]
