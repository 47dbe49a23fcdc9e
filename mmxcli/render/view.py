"""What text and JSON have in common: progress and notes on standard error, and a file written at the end."""

from collections.abc import Generator
from types import TracebackType
from typing import TypeVar

from mmxcli.render.output import Output
from mmxcli.render.progress import ProgressLine
from mmxcli.tasks.events import Answer, Event, Looking, Note, Progress, ReadingDone

Result = TypeVar("Result")


class View:
    """Shows the events of one command; a context manager. `output` is saved when the block ends well, and
    also when it fails after all that was asked for had been shown."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.finished = False
        self.in_full = False  # whether a text went through the model as a whole
        self._progress = ProgressLine(output)
        self._warned: set[str] = set()

    def show(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress.show(event)
            case Looking(citation):
                self._progress.look(citation)
            case Note():
                self._progress.clear()
                self.warn(event.text) if event.warning else self.output.note(event.text)
            case _:
                self._progress.clear()
                self.in_full = self.in_full or (
                    isinstance(event, Answer | ReadingDone) and event.coverage.mode == "full"
                )
                self.result(event)

    def through(self, events: Generator[Event, None, Result]) -> Result:
        """Shows all events, and returns what they end in."""
        while True:
            try:
                self.show(next(events))
            except StopIteration as ended:
                result: Result = ended.value
                return result

    def result(self, event: Event) -> None:
        """Shows an event that is neither progress nor a note."""
        raise NotImplementedError

    def warn(self, text: str) -> None:
        """A warning is told once, however many answers carry it."""
        if text not in self._warned:
            self._warned.add(text)
            self.output.note(f"warning: {text}", "yellow")

    def close(self) -> None:
        """Ends a line that was begun."""

    def stop(self) -> None:
        """Puts an end to what was being shown, where it will not go on."""
        self._progress.clear()
        self.close()

    def __enter__(self) -> "View":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()
        if error is None or self.finished:
            self.output.save()
