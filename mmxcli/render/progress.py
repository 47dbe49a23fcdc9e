"""Long work on standard error: a line that moves on a terminal, one plain line a stage elsewhere."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mmxcli.render.escape import one_line
from mmxcli.render.output import Output
from mmxcli.render.units import amount, duration, size
from mmxcli.render.where import where
from mmxcli.tasks.events import Citation, Progress

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

ECHO = len("^C^C")  # columns: what a terminal shows of Ctrl-C must not wrap, else the line that moves stays behind


class ProgressLine:
    """Shows the stage at hand. `clear` takes the line away, before anything else is printed."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._animated = output.err.is_terminal and not output.err.is_dumb_terminal
        self._stage: _Stage | None = None
        self._told: set[str] = set()
        self._live: Live | None = None

    def show(self, event: Progress) -> None:
        if self._output.quiet:
            return
        if self._stage is None or self._stage.latest.stage != event.stage or event.done < self._stage.latest.done:
            self._stage = _Stage(event)
        self._stage.update(event)
        if event.done == event.total:
            self.clear()
        elif self._animated and self._live is None:
            # Four times a second: what the line shows changes slowly, and the processor is needed elsewhere.
            self._live = self._moving(self._stage, refresh_per_second=4)
            self._live.start()
        elif self._live:
            self._live.update(self._narrow(self._stage))
        if event.done == event.total and not self._animated and event.stage not in self._told:
            self._told.add(event.stage)
            self._output.note(self._stage.summary())

    def look(self, citation: Citation) -> None:
        """Shows on a terminal where the model looks, until there is an answer."""
        if self._output.quiet or not self._animated:
            return
        from rich.text import Text

        self.clear()
        said = f"looking at {where(citation)}: {one_line(' '.join(citation.quote.split()))}"
        text = Text(said, style="dim", no_wrap=True, overflow="ellipsis")
        self._live = self._moving(text, auto_refresh=False)
        self._live.start(refresh=True)

    def _moving(self, shown: "RenderableType", **how: Any) -> "Live":
        from rich.live import Live

        return Live(self._narrow(shown), console=self._output.err, transient=True, **how)

    def _narrow(self, shown: "RenderableType") -> "RenderableType":
        from rich.constrain import Constrain

        return Constrain(shown, max(1, self._output.err.width - ECHO))

    def clear(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None


class _Stage:
    """One stage from its first event on. Renders itself as two lines: how far, and the figures."""

    def __init__(self, first: Progress) -> None:
        self.first = self.latest = first
        self.began = time.monotonic()
        self.seconds = 0.0  # until the latest event: what has happened since is not known

    def update(self, event: Progress) -> None:
        self.latest = event
        self.seconds = time.monotonic() - self.began

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        event = self.latest
        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column()
        bar.add_column(ratio=1)
        bar.add_column(justify="right")
        share = f"{event.done / event.total:.0%}" if event.total else ""
        bar.add_row(event.stage, ProgressBar(total=event.total, completed=event.done), share)
        return Group(bar, Text(" · ".join(self.figures()), style="dim"))

    def figures(self) -> Iterator[str]:
        """What was done, how fast, how long still, in how much memory and where."""
        event = self.latest
        of = f" of {amount(event.total, event.unit)}" if event.total else ""
        yield (size(event.done) if event.unit == "bytes" else f"{event.done:,}") + (of or f" {event.unit}")
        if speed := self._speed():
            yield f"{size(int(speed)) if event.unit == 'bytes' else f'{speed:,.0f}'}/s"
            if event.total:
                yield f"{duration((event.total - event.done) / speed)} left"
        yield f"memory {size(_resident_memory())}"
        if event.where:
            where = one_line(event.where)
            yield where if len(where) <= 40 else f"…{where[-39:]}"

    def _speed(self) -> float:
        """Units a second since this stage began; 0 while it is too early to say. What an earlier run had
        done already was done in no time and does not count."""
        return (self.latest.done - self.first.done) / self.seconds if self.seconds > 0.2 else 0.0

    def summary(self) -> str:
        return f"{self.latest.stage}: {amount(self.latest.done, self.latest.unit)} in {duration(self.seconds)}"


def _resident_memory() -> int:
    import psutil

    resident: int = psutil.Process().memory_info().rss
    return resident
