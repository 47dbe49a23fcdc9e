"""The core loop: a stream of tokens becomes a state, chunk by chunk, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from mmxcli.errors import DamagedError, Interrupted
from mmxcli.models.runner import Model
from mmxcli.reading.interrupt import between_chunks
from mmxcli.reading.progress import Progress
from mmxcli.state.model_state import ModelState, TokenChain


def chunks(ids: Iterable[list[int]], size: int) -> Iterator[list[int]]:
    """The same ids in lists of `size`, the last one shorter."""
    waiting: list[int] = []
    for piece in ids:
        waiting.extend(piece)
        start = 0
        while len(waiting) - start >= size:
            yield waiting[start : start + size]
            start += size
        del waiting[:start]
    if waiting:
        yield waiting


def prefill(
    model: Model,
    state: ModelState,
    prompt: Sequence[int],
    ids: Iterable[list[int]],
    total: int,
    chunk: int,
    save: Callable[[ModelState], None],
    every: int,
) -> Iterator[Progress]:
    """Reads `prompt` and then all of `ids`, `total` in number, into `state`, which it modifies.

    It goes on after what the state has read already: chunks are cut at the same places, and so every rounding
    is that of an uninterrupted reading. Calls `save` every `every` tokens and at the end.

    Raises Interrupted, after saving, when the person asks to stop, and DamagedError when the tokens that the
    state has read are not the ones that `ids` begins with.
    """
    if state.position == 0:
        model.advance(state, prompt)
    read, resumed, seen = 0, state.position - len(prompt), TokenChain()
    saved = resumed
    seen.extend(prompt)
    another = DamagedError("the stored state has read another text: see `mmx states list`, and remove it")
    with between_chunks() as interrupt:
        for piece in chunks(ids, chunk):
            read += len(piece)
            if read <= resumed:
                seen.extend(piece)
                if read == resumed and seen.hexdigest() != state.chain.hexdigest():
                    raise another
                continue
            if read - len(piece) < resumed:  # a cut where no reading of this text has one
                raise another
            model.advance(state, piece)
            if interrupt.asked or read - saved >= every:
                save(state)
                saved = read
            yield Progress("read", read, total, "tokens")
            if interrupt.asked:
                raise Interrupted(f"stopped after {read:,} of {total:,} tokens; the same command goes on from there")
    if read < resumed:
        raise another
    if saved < read or resumed == read:  # the record of a reading that was killed at its end may say less
        save(state)
    yield Progress("read", total, total, "tokens")
