"""The core loop: a stream of tokens becomes a state, piece by piece, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from mmxcli.errors import Interrupted
from mmxcli.models.runner import Model
from mmxcli.reading.checkpoints import Pace
from mmxcli.reading.cuts import Piece
from mmxcli.reading.interrupt import between_chunks
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.stops import Stops
from mmxcli.state.model_state import ModelState


def prefill(
    model: Model,
    state: ModelState,
    prompt: Sequence[int],
    pieces: Iterable[Piece],
    total: int,
    save: Callable[[ModelState], bool],
    every: int,
    stops: Stops,
) -> Iterator[Progress | Note]:
    """Reads `prompt`, unless `state` has read it, and then all of `pieces`, into `state`, which it modifies.

    `pieces` are what the state has not read yet of a text of `total` tokens. Calls `save`, which says whether it could,
    after `every` tokens at the latest (reading/checkpoints.py), and at the end. Pauses at `stops`.

    Raises Interrupted, after saving, when the person asks to stop.
    """
    if state.position == 0:
        model.advance(state, prompt)
    read = state.position - len(prompt)
    pace = Pace(every, read)
    with between_chunks() as interrupt:
        for piece in pieces:
            yield from stops.within(model, state, piece)
            model.advance(state, piece.ids)
            read += len(piece.ids)
            if interrupt.asked or pace.due(read, piece.divides):
                pace.store(read, lambda: save(state))
            yield Progress("read", read, total, "tokens")
            if interrupt.asked:
                raise Interrupted(
                    f"stopped after {read:,} of {total:,} tokens; the same command goes on after {pace.read:,}"
                )
        if pace.read < read:
            pace.store(read, lambda: save(state))
        yield from stops.rest(state)
    yield Progress("read", total, total, "tokens")
