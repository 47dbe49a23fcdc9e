"""What long work tells while it goes on, and how a function that reports by callback becomes a generator."""

import queue
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")
Report = Callable[[str, int, int | None, str], None]  # stage, done, total, unit


@dataclass(frozen=True, slots=True)
class Progress:
    """Work that takes a while. `stage` is one word, a verb.

    `done` and `total` count `unit` ("bytes", "tokens", "characters", "tensors"); `total` is None while
    unknown. `where` is the file or page at hand. The stage is over when `done == total`.
    """

    stage: str
    done: int
    total: int | None
    unit: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the person at the terminal; `warning` when something may need their attention."""

    text: str
    warning: bool = False


def relay(work: Callable[[Report], Result]) -> Generator[Progress, None, Result]:
    """Runs `work(report)` in a thread of its own and yields what it reports; returns its result or raises its
    error. When the generator is closed early the thread is left to end with the process: work that is given
    here keeps what it has done so far in a sound state at every moment."""
    reports: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(lambda stage, done, total, unit: reports.put(Progress(stage, done, total, unit))))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            failure.append(error)
        finally:
            reports.put(None)

    threading.Thread(target=run, daemon=True).start()
    while (report := reports.get()) is not None:
        yield report
    if failure:
        raise failure[0]
    return outcome[0]
