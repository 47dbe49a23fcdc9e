"""Whether a model, read in pieces, is where one pass would have left it: tried on the very weights that will read."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from mmxcli.models.anatomy import Anatomy
from mmxcli.models.runner import Model
from mmxcli.state.model_state import ModelState
from mmxcli.state.saving import load_snapshot, save_snapshot

FLOAT32_TOLERANCE = 1e-4  # of the scale of the logits
# The same in narrower dtypes, at the median token: rounding alone was measured at 0.004 and less over all families, a
# state that is lost between chunks at 0.1 and more. Only the long form compares with float32, and is as sharp there.
NARROW_TOLERANCE = 0.02
SPREAD = 1.5  # how many times further from float32 pieces may be than one pass in the same dtype
# Where a token chooses its experts by a hair, the last bit of a sum decides, and the token is another. That happens in
# one text and not in the next; a state that is not carried on rightly is wrong in all.
TEXTS = 3
TOKENS, FEW_TOKENS = 200, 80  # of the long and the short form
WINDOW = 24  # of the trial with a window
FAR = 1_000_003  # a position that no window reaches
VOCABULARY = 256  # ids are taken from the first: every vocabulary has them


@dataclass(frozen=True, slots=True)
class Certificate:
    """The verdict on one checkpoint in one dtype and quantisation.

    `max_logit_diff` is the largest difference of a logit between pieces and one pass, as a share of the scale of the
    logits, with the weights in float32 (in the short form as they are, at the median token), and `tolerance` what is
    allowed. Narrower weights are compared too, with one pass in float32: `spread` is how many times further from it
    pieces are than one pass in the narrow dtype is, at the median token and chunking, because single ones are far
    off where rounding lets one expert win over another; None for float32 and in the short form. `chunkings` are the
    pieces that were tried, as sizes, the last one repeated. `resume_bitwise`: a state that was saved and loaded goes
    on with the same bits. `finite`: no logit was infinite or not a number.
    """

    family: str
    checkpoint: str
    dtype: str
    quant: str
    exact: bool
    max_logit_diff: float
    tolerance: float
    spread: float | None
    resume_bitwise: bool
    finite: bool
    chunkings: tuple[tuple[int, ...], ...]
    memory: str
    state_bytes_fixed: int
    state_bytes_per_token: int

    @property
    def good(self) -> bool:
        return self.exact and self.resume_bitwise and self.finite


def certify(
    model: Model, anatomy: Anatomy, checkpoint: str, quant: str = "none", *, short: bool = False
) -> Certificate:
    """Tries `model`, whose weights stay as they are. `short`: fewer tokens and pieces, and nothing is widened.

    The long form widens narrow weights to float32, which takes their memory three times over for the while.
    """
    count = FEW_TOKENS if short else TOKENS
    chunkings = tuple(_chunkings(count, short))
    narrow = model.dtype != torch.float32
    wide = model.widened() if narrow and not short else model
    rough = narrow and short
    distance, tolerance = (_median, NARROW_TOLERANCE) if rough else (_largest, FLOAT32_TOLERANCE)
    for text in range(TEXTS if anatomy.idle_share else 1):
        ids = random.Random(count + text).choices(range(VOCABULARY), k=count)
        one = model.one_pass(ids)
        reference = one if wide is model else wide.one_pass(ids)
        worst = max(distance(_pieces(wide, ids, sizes), reference) for sizes in chunkings)
        if not short:
            worst = max(worst, *_far_and_windowed(wide, ids))
        if worst <= tolerance:
            break
    spread = None
    if narrow and not short:
        off = median(_median(_pieces(model, ids, sizes), reference) for sizes in chunkings)
        spread = off / max(_median(one, reference), FLOAT32_TOLERANCE)
    bitwise = all(_resumes(model, ids, at) for at in ((count // 2,) if short else (1, 3, count // 2, count - 1)))
    finite = bool(torch.isfinite(one).all())
    return Certificate(
        family=anatomy.family,
        checkpoint=checkpoint,
        dtype=str(model.dtype).removeprefix("torch."),
        quant=quant,
        exact=worst <= tolerance and (spread is None or spread <= SPREAD),
        max_logit_diff=worst,
        tolerance=tolerance,
        spread=spread,
        resume_bitwise=bitwise,
        finite=finite,
        chunkings=chunkings,
        memory="full" if anatomy.memory == "softmax" else anatomy.memory,
        state_bytes_fixed=anatomy.state_bytes_fixed,
        state_bytes_per_token=anatomy.state_bytes_per_token,
    )


def _chunkings(count: int, short: bool) -> Iterator[tuple[int, ...]]:
    """Sizes that are known to go wrong elsewhere: 1, 2, around the width of a convolution and the blocks of a scan, a
    tiny last chunk; and random ones."""
    yield (count - 1, 1)
    yield (1, 2, 3, 4, 5, 7)
    if short:
        return
    yield (1,)
    yield (2,)
    yield (63, 64, 65, 1)
    yield (count - 2, 2)
    for seed in range(3):
        yield tuple(random.Random(seed).choices((1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33), k=12))


def _pieces(
    model: Model, ids: Sequence[int], sizes: Sequence[int], position: int = 0, window: int | None = None
) -> Tensor:
    """All logits, read in pieces of these sizes, the last one again and again, from `position` on."""
    state, start, found = model.new_state(window), 0, []
    state.position = position
    for size in _repeated(sizes):
        found.append(_logits(model, state, ids[start : start + size]))
        start += size
        if start >= len(ids):
            return torch.cat(found)
    raise AssertionError("the sizes never end")


def _repeated(sizes: Sequence[int]) -> Iterator[int]:
    yield from sizes
    while True:
        yield sizes[-1]


def _logits(model: Model, state: ModelState, ids: Sequence[int]) -> Tensor:
    logits = model.advance(state, ids, "all")
    assert logits is not None
    return logits


def _far_and_windowed(model: Model, ids: Sequence[int]) -> Iterator[float]:
    """Pieces against one piece where no text begins, and where the window has slid. What turning by far positions
    costs in precision is the same for both."""
    sizes = (63, 1, 2, 64, 65, 3)
    yield _largest(_pieces(model, ids, sizes, FAR), _pieces(model, ids, (len(ids),), FAR))
    try:
        model.new_state(WINDOW)
    except Exception:  # noqa: BLE001 - a model that cannot be given a window says so when it is asked to
        return
    yield _largest(_pieces(model, ids, sizes, 0, WINDOW), _pieces(model, ids, (len(ids),), 0, WINDOW))


def _resumes(model: Model, ids: Sequence[int], at: int) -> bool:
    """Whether a state that was stored, once and again after one token more, goes on with the same bits from either."""
    state = model.new_state()
    model.advance(state, ids[:at])
    with tempfile.TemporaryDirectory(prefix="mmx-") as folder:
        first = save_snapshot(state, Path(folder), "certificate")
        model.advance(state, ids[at : at + 1])
        second = save_snapshot(state, Path(folder), "certificate", first.stretches)
        restored = [
            load_snapshot(snapshot, Path(folder), "certificate", device=model.device) for snapshot in (first, second)
        ]
    model.advance(restored[0], ids[at : at + 1])
    rest = ids[at + 1 :] or ids  # what follows does not matter
    expected = _logits(model, state, rest)
    return all(torch.equal(expected, _logits(model, other, rest)) for other in restored)


def _largest(found: Tensor, reference: Tensor) -> float:
    return float((found - reference).abs().max() / reference.abs().max())


def _median(found: Tensor, reference: Tensor) -> float:
    """Over tokens, of the root mean square over the vocabulary."""
    return float((found - reference).pow(2).mean(dim=1).sqrt().median() / reference.abs().max())
