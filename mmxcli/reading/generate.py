"""From a state to text, token by token."""

from collections.abc import Iterator, Sequence

from mmxcli.models.runner import Model
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading.cuts import chunks
from mmxcli.reading.policy import FULL_CHUNK
from mmxcli.state.model_state import ModelState


def generate(
    model: Model, tokenizer: Tokenizer, state: ModelState, prompt: Sequence[int], limit: int, chunk: int = FULL_CHUNK
) -> Iterator[str]:
    """Reads `prompt` in pieces of `chunk` tokens, then writes at most `limit` tokens, always the likeliest (greedy),
    until a stop token.

    Modifies `state`. A character that takes several tokens is held back until it is whole.
    """
    pieces = list(chunks(prompt, chunk))
    for piece in pieces[:-1]:
        model.advance(state, piece)
    logits = model.advance(state, pieces[-1], logits="last")
    written: list[int] = []
    given = ""
    for _ in range(limit):
        assert logits is not None
        token = int(logits[0].argmax())
        if token in tokenizer.stop_ids:
            return
        written.append(token)
        text = tokenizer.decode(written)
        if not text.endswith("\ufffd"):
            yield text[len(given) :]
            given = text
        logits = model.advance(state, [token], logits="last")
