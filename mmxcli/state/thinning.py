"""Which snapshots of a text to keep: dense ones would cost more disk than the text is worth."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 24  # snapshots of one text
MOST_BYTES = 512 << 20  # that they take together, what they share not counted
EVENLY = 8  # a gap counts as if the end of the text were at least an eighth of it away


@dataclass(frozen=True, slots=True)
class Place:
    """A snapshot as far as it matters here: after how many tokens, and how many bytes it alone takes."""

    position: int
    bytes: int


def surplus(places: Sequence[Place], most: int = MOST, most_bytes: int = MOST_BYTES) -> list[int]:
    """The indexes of what should go, so that few enough are left. `places` ascend.

    Goes first whose absence costs least. A text that changes somewhere is read again from the snapshot before that
    place to its end: what is lost without a snapshot is at most the gap that it leaves, beside what must be read again
    anyway, the distance from there to the end. So gaps may be wide at the front and must be narrow at the end, where
    logs and conversations grow; and since someone may also ask as of a place near the front, not wider than if every
    place were at least an eighth of the text from its end. The last two always stay: one may have read a last
    token that an appended text changes.
    """
    left = list(range(len(places)))
    gone = []
    while len(left) > 2 and (len(left) > most or sum(places[i].bytes for i in left) > most_bytes):
        end = places[left[-1]].position

        def cost(at: int, end: int = end) -> float:
            before = places[left[at - 1]].position if at else 0
            return (places[left[at + 1]].position - before) / (end - before + end / EVENLY)

        gone.append(left.pop(min(range(len(left) - 2), key=cost)))
    return sorted(gone)
