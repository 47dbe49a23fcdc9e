"""From prompts to texts, token by token."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.writing import Writer
from mmxcli.reading.lookup import Lookup
from mmxcli.reading.policy import FULL_CHUNK

if TYPE_CHECKING:
    from mmxcli.models.writing import Befores


def generate(
    writer: Writer,
    tokenizer: Tokenizer,
    states: "Befores | None",
    prompts: Sequence[Sequence[int]],
    limit: int,
    chunk: int = FULL_CHUNK,
) -> Iterator[tuple[int, str]]:
    """Reads each of `prompts` after its state, or as the beginning of a text where `states` is None, in pieces of
    `chunk` tokens, and then writes at most `limit` tokens to each, always the likeliest (greedy), until a stop token.

    Takes `states` over: they are not to be used any more. Yields pieces of text with the number of the prompt, as they
    come; a character that takes several tokens is held back until it is whole.

    Where the writing can try several tokens in one step, what followed the same tokens before is tried with the next
    one: what is written stays the same, and comes sooner.
    """
    writing = writer.begin(len(prompts) if states is None else states, [prompt[:-1] for prompt in prompts], chunk)
    going = [_Text(number, prompt, limit) for number, prompt in enumerate(prompts)]
    while going and limit:
        pieces = [text.piece(writing.rows // len(going)) for text in going]
        likeliest = iter(writing.step(pieces).argmax(axis=1).tolist())
        for text, piece in zip(going, pieces, strict=True):
            text.take(piece, list(islice(likeliest, len(piece))), tokenizer.stop_ids)
            if more := text.more(tokenizer):
                yield text.number, more
        writing.keep([text.taken for text in going])
        going = [text for text in going if text.taken]


class _Text:
    """One of the texts that are written. `taken`: tokens of its last piece that stay; 0 when it has ended."""

    def __init__(self, number: int, prompt: Sequence[int], limit: int) -> None:
        self.number = number
        self.taken = 0
        self._lookup = Lookup(prompt)
        self._last = prompt[-1]
        self._written: list[int] = []
        self._limit = limit
        self._given = ""

    def piece(self, size: int) -> list[int]:
        """The token that was chosen last, and others, as many as `size` allows, that may follow it."""
        return [self._last, *self._lookup.draft(max(1, min(size, self._limit - len(self._written))) - 1)]

    def take(self, piece: Sequence[int], likeliest: Sequence[int], stop_ids: Collection[int]) -> None:
        """Goes on with what is likeliest after each token of the piece, as long as the piece did so too."""
        right = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(piece[1:], likeliest, strict=False)))
        new = list(takewhile(lambda token: token not in stop_ids, likeliest[: right + 1]))
        self._written += new
        self._lookup.extend(new)
        self.taken = right + 1 if len(new) == right + 1 and len(self._written) < self._limit else 0
        self._last = new[-1] if new else self._last

    def more(self, tokenizer: Tokenizer) -> str:
        """What of its text was not given yet, if all its characters are whole."""
        text = tokenizer.decode(self._written)
        if text.endswith("\ufffd"):
            return ""
        given, self._given = self._given, text
        return text[len(given) :]
