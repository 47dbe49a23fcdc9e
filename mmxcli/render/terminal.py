"""Answers, readings and counts as text for a person, on a terminal or in a pipe."""

from collections.abc import Sequence

from mmxcli.render.escape import one_line, visible
from mmxcli.render.output import Output
from mmxcli.render.tree import tree
from mmxcli.render.units import counted, duration, size
from mmxcli.render.view import View
from mmxcli.render.where import where
from mmxcli.render.wrap import WordWrap
from mmxcli.tasks.events import (
    Answer,
    AnswerText,
    Citation,
    CountDone,
    Coverage,
    Event,
    Finding,
    Followed,
    Gap,
    MoreFound,
    ReadingDone,
    Remark,
    SummaryDone,
    Timing,
)

GAPS_SHOWN = 5


class TextView(View):
    """`questions` are what the command asks, in order; none when it only reads or counts."""

    def __init__(self, output: Output, questions: Sequence[str] = (), *, verbose: bool = False) -> None:
        super().__init__(output)
        self._questions = questions
        self._answered = 0
        self._writing: WordWrap | None = None
        self._verbose = verbose
        self._told: Coverage | None = None

    def result(self, event: Event) -> None:
        match event:
            case AnswerText(text):
                self.show_text(text)
            case Answer():
                self._answer(event)
            case ReadingDone():
                self._reading(event)
            case CountDone():
                self._count(event)
            case Finding():
                self._finding(event)
            case MoreFound(line, more, last):
                self.output.line(f"{line}: and {more:,} more like it, the last on line {last}")
            case Followed():
                self._followed(event)

    def close(self) -> None:
        if self._writing:
            self.output.raw(self._writing.rest() + "\n")
            self._writing = None

    def show_text(self, piece: str) -> None:
        """A piece of an answer, as it comes."""
        if self._writing is None:
            if len(self._questions) > 1:
                if self._answered:
                    self.output.line()
                self.output.line(f"Q: {one_line(self._questions[self._answered])}", "bold")
            console = self.output.out
            self._writing = WordWrap(console.width if console.is_terminal else None)
        self.output.raw(self._writing.fed(visible(piece)))

    def _answer(self, event: Answer) -> None:
        self.show_answer(event)
        self._answered += 1
        self.finished = self._answered == len(self._questions)
        if self.output.quiet:
            return
        if self.finished:
            self.covered(event.coverage)
        self.about(event)

    def show_answer(self, event: Answer) -> None:
        """What of it was not shown piece by piece, then the quotes."""
        if self._writing is None:
            self.show_text(event.text)
        self.close()
        quotes = event.citations if event.found else event.nearest
        if self.output.quiet or not quotes:
            return
        self.output.line()
        self.show_quotes(quotes, found=event.found, numbered=event.numbered, said=event.text)

    def show_quotes(self, quotes: Sequence[Citation], *, found: bool, numbered: bool = False, said: str = "") -> None:
        """Of what is `said` word by word, beside its number, only the place."""
        if quotes and not found:
            self.output.line("Nearest passages:")
        for number, citation in enumerate(quotes, 1):
            self._citation(citation, f"[{number}] " if numbered else "", said if numbered else "")

    def _citation(self, citation: Citation, number: str, said: str) -> None:
        place = number + where(citation)
        place += "" if citation.verified else " (not verified)"
        quote = " ".join(citation.quote.split())  # told in one piece, however the source breaks its lines
        around = citation.before or citation.after
        if quote in said and not around:
            self.output.line(place, "cyan", indent=2 if self.output.out.is_terminal else 0)
            return
        if not (around or self.output.out.is_terminal):
            self.output.line(f"{place}: {quote}")
            return
        self.output.line(place, "cyan", indent=2)
        if around:
            self.output.within(citation.before, citation.quote, citation.after, citation.matched, indent=4)
        else:
            self.output.line(quote, "italic", indent=4, marked=citation.matched)

    def _finding(self, event: Finding) -> None:
        answer = f"{one_line(event.answer)}: " if event.answer else ""
        quote = event.quote.replace("\r", r"\r")  # elsewhere a new line, and this is one
        self.output.line(f"{event.line}: {answer}{quote}")

    def _followed(self, event: Followed) -> None:
        self.output.note(
            f"read {counted(event.lines, 'line')} ({size(event.bytes)}), asked {counted(event.askings, 'time')}: "
            f"{counted(event.findings, 'finding')}"
        )
        skipped = event.skipped
        for count, noun, what in (
            (skipped.cut_lines, "line", f"cut, being too long: {size(skipped.cut_bytes)} not looked at"),
            (skipped.binary_lines, "line", "not looked at, being no text"),
            (skipped.undecoded_bytes, "byte", "not in the encoding (--encoding names another)"),
            (skipped.unasked_lines, "line", "not asked about, for want of room: ask more often (--every)"),
            (skipped.unmatched_lines, "line", "for which --when took too long, taken for no match: simplify it"),
        ):
            if count:
                self.warn(f"{counted(count, noun)} {what}")

    def _reading(self, event: ReadingDone) -> None:
        if not self._questions:
            self.finished = True
            self.output.line(event.state.id)
        self.covered(event.coverage)
        self.about(event)

    def covered(self, coverage: Coverage) -> None:
        """What was read and what was not; told once."""
        if coverage != self._told:
            self._told = coverage
            verb = "read" if coverage.mode == "full" else "indexed"
            whole = coverage.read >= coverage.tokens
            amount = f"all {coverage.tokens:,}" if whole else f"{coverage.read:,} of {coverage.tokens:,}"
            until = f", up to {coverage.upto}" if coverage.upto else ""
            self.output.note(f"{verb} {amount} tokens{until}")
            self._remarks(coverage.remarks)
            self._gaps(coverage.skipped)

    def about(self, event: Answer | ReadingDone | SummaryDone) -> None:
        for warning in event.warnings:
            self.warn(warning)
        if self._verbose:
            self.output.note(f"{event.model.name}, memory {event.model.memory}, state {event.state.id}")
            self.output.note(_times(event.timing))

    def _count(self, event: CountDone) -> None:
        self.finished = True
        for line in tree(event.documents):
            self.output.line(line)
        self.output.line(f"{event.tokens:>11,}  tokens in {counted(len(event.documents), 'document')}")
        for mode in {**event.read_s, **event.memory_bytes}:
            cost = [f"about {duration(event.read_s[mode])}"] if mode in event.read_s else []
            cost += [f"{size(event.memory_bytes[mode])} of memory"] if mode in event.memory_bytes else []
            self.output.line(f"{mode + ':':>11}  {', '.join(cost)} with {event.model.name}")
        self._remarks(event.remarks)
        self._gaps(event.skipped)

    def _remarks(self, remarks: Sequence[Remark]) -> None:
        for remark in remarks[:GAPS_SHOWN]:
            self.output.note(f"{remark.source}: {remark.text}")
        if len(remarks) > GAPS_SHOWN:
            self.output.note(f"{len(remarks) - GAPS_SHOWN:,} more remarks; --json lists all")

    def _gaps(self, gaps: Sequence[Gap]) -> None:
        for gap in gaps[:GAPS_SHOWN]:
            page = f", page {gap.page}" if gap.page else ""
            self.warn(f"skipped {gap.source}{page}: {gap.reason}")
        if len(gaps) > GAPS_SHOWN:
            self.warn(f"skipped {len(gaps) - GAPS_SHOWN:,} more; --json lists all")


def _times(timing: Timing) -> str:
    return (
        f"loading {duration(timing.load_s)}, reading {duration(timing.read_s)},"
        f" recall {duration(timing.recall_s)},"
        f" first word after {duration(timing.first_token_s)}, {duration(timing.total_s)} in all"
    )
