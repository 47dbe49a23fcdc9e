"""Waiting for something that cannot be asked how far it is."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def in_background(work: Callable[[], Result], meanwhile: Callable[[], None]) -> Result:
    """What `work` returns or raises; `meanwhile` is called five times a second until then.

    `meanwhile` may raise to stop waiting. The work is then left to itself, and to end with the process.
    """
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001  nothing is swallowed: it is raised where the work was asked for
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    while not wait([outcome], 0.2).done:
        meanwhile()
    return outcome.result()
