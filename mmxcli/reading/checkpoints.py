"""When a reading is stored while it goes on: where the text divides, as often as that costs next to nothing."""

import time
from collections.abc import Callable

SHARE = 20  # a checkpoint where the text divides may cost one part in so many of the time
SHORTEST, LONGEST = 3.0, 60.0  # seconds of work: that are worth a checkpoint, that nobody should lose
APART = 32  # one part in so many of the text; what is closer would be thinned out again (state/thinning.py)
QUARTER = 4  # of `every`; what is closer is read again sooner than it is worth its room on the disk


class Pace:
    """Says when a checkpoint is due. `every` is how many tokens may go unstored at most."""

    def __init__(self, every: int, read: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`read`: tokens that are stored already."""
        self.every = every
        self.read = read
        self._tried = read  # when it was last stored, or could not be
        self._clock = clock
        self._stored = clock()
        self._cost = 0.0  # seconds that the last one took

    def due(self, read: int, divides: bool) -> bool:
        """Whether to store now, after so many tokens; `divides`: where a part of the text ends."""
        passed, new = self._clock() - self._stored, read - self._tried
        worth = divides and new * APART >= read and new * QUARTER >= self.every
        return (
            new >= self.every
            or passed >= LONGEST + SHARE * self._cost
            or (worth and passed >= SHORTEST + SHARE * self._cost)
        )

    def store(self, read: int, save: Callable[[], bool]) -> None:
        """Calls `save` and takes its time. Where it says that it could not, the next one is due as if it had."""
        start = self._clock()
        if save():
            self.read = read
        self._tried = read
        self._stored = self._clock()
        self._cost = self._stored - start
