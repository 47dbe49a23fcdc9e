"""Summaries as text, for a person, or as Markdown."""

from collections import Counter
from collections.abc import Iterator

from mmxcli.render.escape import one_line
from mmxcli.render.output import Output
from mmxcli.render.terminal import TextView
from mmxcli.render.where import where
from mmxcli.tasks.events import Event, PartSummary, SummaryDone

ORIGINS = {
    "extract": "{} of the text's own sentences",
    "found": "{} read off the files",
    "written": "{} in the words of {}",
}


class SummaryView(TextView):
    """With `markdown`, headings and lists are marked; with `sources`, each line has the place that bears it out."""

    def __init__(self, output: Output, *, verbose: bool, markdown: bool, sources: bool) -> None:
        super().__init__(output, verbose=verbose)
        self._markdown = markdown
        self._sources = sources

    def result(self, event: Event) -> None:
        if not isinstance(event, SummaryDone):
            super().result(event)
            return
        self.finished = True
        if event.found:
            self._part(event.summary, 0)
        else:
            about = f"anything about: {one_line(event.focus)}" if event.focus else "anything in sentences"
            self.output.line(f"The text does not seem to say {about}")
        self.covered(event.coverage)
        if origins := "; ".join(_origins(event)):
            self.output.note(origins)
        self.about(event)

    def _part(self, part: PartSummary, level: int) -> None:
        words = f" ({part.words:,} words)" if part.words else ""
        title = one_line(part.title)
        # A part of which a line is all that is told shares that line.
        if level > 1 and len(part.told) == 1 and not part.parts and not self._sources:
            (one,) = part.told
            self._line(f"**{title}**: {one.text}" if self._markdown else f"{title}: {one.text}", level)
            return
        if level and not self._markdown:
            self.output.line()
        if self._markdown:
            self.output.whole(f"{'#' * min(6, level + 1)} {title}{words}")
            self.output.raw("\n")
        else:
            self.output.line(f"{title}{words}", "bold", indent=2 * max(0, level - 1))
        for one in part.told:
            places = dict.fromkeys(where(citation) for citation in (one.citation, *one.also))
            place = f" ({'; '.join(places)})" if self._sources else ""
            self._line(f"{one.text}{place}", level + 1)
        if self._markdown and part.told:
            self.output.raw("\n")
        for inner in part.parts:
            if inner.told or inner.parts:
                self._part(inner, level + 1)

    def _line(self, text: str, level: int) -> None:
        if self._markdown:
            self.output.whole(f"- {text}")
        else:
            self.output.line(f"• {text}", indent=2 * max(0, level - 1))


def _origins(event: SummaryDone) -> Iterator[str]:
    """Whose words they are."""
    counts = Counter(one.origin for part in _all(event.summary) for one in part.told)
    for origin, words in ORIGINS.items():
        if counts[origin]:
            yield words.format(f"{counts[origin]:,}", event.model.name)


def _all(part: PartSummary) -> Iterator[PartSummary]:
    yield part
    for inner in part.parts:
        yield from _all(inner)
