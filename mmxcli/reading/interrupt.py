"""Signals: Ctrl-C between two chunks instead of inside one, what takes too long ended, and handlers for a while."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """`asked` turns True when the person has asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler. Asked twice, it no longer waits for the chunk to end."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def between_chunks() -> Iterator[Interrupt]:
    """While inside, SIGINT and SIGTERM only take note. Outside the main thread, where Python allows no
    handlers, they work as ever."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {number: signal.signal(number, interrupt.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def handled(handler: Callable[[int, FrameType | None], None], *signals: signal.Signals) -> Iterator[None]:
    """While inside, `handler` hears of these signals, but for those that are ignored, as nohup has it."""
    heeded = [number for number in signals if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises TimeoutError where the block takes longer; not outside the main thread, where Python allows no handlers.
    For what never comes back to Python by itself but heeds signals, as the matching of a regular expression does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
