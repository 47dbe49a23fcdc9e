"""From states to texts, token by token."""

from collections.abc import Iterator, Sequence

from mmxcli.models.runner import Model
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.writing import Writer
from mmxcli.reading.cuts import chunks
from mmxcli.reading.policy import FULL_CHUNK
from mmxcli.state.model_state import ModelState


def generate(
    model: Model,
    writer: Writer,
    tokenizer: Tokenizer,
    states: Sequence[ModelState],
    prompts: Sequence[Sequence[int]],
    limit: int,
    chunk: int = FULL_CHUNK,
) -> Iterator[tuple[int, str]]:
    """Reads each of `prompts` into its state in pieces of `chunk` tokens, all but its last token, and then writes at
    most `limit` tokens to each, always the likeliest (greedy), until a stop token.

    Takes `states` over: they are not to be used any more. Yields pieces of text with the number of the prompt, as they
    come; a character that takes several tokens is held back until it is whole.
    """
    for state, prompt in zip(states, prompts, strict=True):
        for piece in chunks(prompt[:-1], chunk):
            model.advance(state, piece)
    writing = writer.begin(states)
    going, ids = list(range(len(prompts))), [prompt[-1] for prompt in prompts]
    written: list[list[int]] = [[] for _ in prompts]
    given = [""] * len(prompts)
    for _ in range(limit):
        found = writing.step(ids).argmax(dim=1).tolist()
        left = [row for row, token in enumerate(found) if token not in tokenizer.stop_ids]
        if len(left) < len(going):
            writing.keep(left)
        going, ids = [going[row] for row in left], [found[row] for row in left]
        for number, token in zip(going, ids, strict=True):
            written[number].append(token)
            text = tokenizer.decode(written[number])
            if not text.endswith("\ufffd"):
                yield number, text[len(given[number]) :]
                given[number] = text
        if not going:
            return
