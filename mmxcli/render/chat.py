"""A conversation on a terminal, in a pipe, as JSON, and as Markdown."""

import re
from collections.abc import Iterator

from mmxcli.errors import UsageError
from mmxcli.render import json
from mmxcli.render.escape import one_line, visible
from mmxcli.render.json import JsonView
from mmxcli.render.output import Output
from mmxcli.render.terminal import TextView
from mmxcli.render.units import ago, counted
from mmxcli.sources.choice import few
from mmxcli.state.conversations import StoredConversation
from mmxcli.tasks.events import Answer, Commands, Event, ReadingDone, Sources, Transcript

# What Markdown would obey, anywhere and at the beginning of a line.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&]|^[-+=])")
_LISTED = re.compile(r"^(\d+)([.)])")


class ChatView(TextView):
    """On a terminal answers come as they are written; in a pipe each is one line. Quotes only where they are asked
    for."""

    def __init__(self, output: Output, *, verbose: bool = False) -> None:
        super().__init__(output, verbose=verbose)
        self.finished = True  # whatever was said stays said

    def result(self, event: Event) -> None:
        match event:
            case Sources():
                self.show_quotes(event.citations, found=event.found, numbered=True)
            case Commands():
                for written, does in event.lines:
                    self.output.line(written, "bold")
                    self.output.line(does, indent=4)
            case Transcript():
                write_transcript(event)
            case ReadingDone():
                self.covered(event.coverage)
                self.about(event)
            case _:
                super().result(event)

    def show_text(self, piece: str) -> None:
        if self.output.out.is_terminal:
            super().show_text(piece)

    def _answer(self, event: Answer) -> None:
        if self.output.out.is_terminal:
            self.close()
        else:
            self.output.whole(" ".join(event.text.split()))
        self.about(event)


class ChatJson(JsonView):
    """One object an answer, and one for quotes that are asked for."""

    def result(self, event: Event) -> None:
        match event:
            case Answer():
                json.write(self.output, json.answer(event))
            case Sources():
                json.write(self.output, json.sources(event))
            case Commands():
                json.write(self.output, {"commands": dict(event.lines)})
            case Transcript():
                write_transcript(event)


def write_transcript(event: Transcript) -> None:
    """Raises UsageError where the file cannot be written."""
    output = Output(file=event.file)
    output.raw("\n".join(markdown(event.conversation)) + "\n")
    try:
        output.save()
    except OSError as error:
        raise UsageError(f"{event.file} cannot be written: {error.strerror}") from error


def markdown(conversation: StoredConversation) -> Iterator[str]:
    """Its lines: questions as headings, answers, and quotes with their places."""
    yield f"# {_plain(conversation.name)}"
    until = f", up to {conversation.upto}" if conversation.upto else ""
    yield f"\n{_plain(', '.join(conversation.sources))}{until}"
    for turn in conversation.turns:
        yield f"\n## {_plain(turn.question)}\n\n{_plain(turn.answer)}"
        if turn.quotes and not turn.found:
            yield "\nNearest passages:"
        for said in turn.quotes:
            page = f", page {said.page}" if said.page else f", {_plain(said.place)}" if said.place else f":{said.line}"
            doubt = "" if said.verified else " (not verified)"
            yield f"\n> {_plain(said.quote)}\n>\n> {_plain(said.source)}{page}{doubt}"


def _plain(text: str) -> str:
    """Text that others wrote, as one line that Markdown leaves as it is."""
    return _LISTED.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", " ".join(visible(text).split())))


def conversation(output: Output, item: StoredConversation) -> None:
    if not item.readable:
        output.line(f"{item.name}  is damaged: `mmx chat --rm {item.name}` removes it", "bold")
        return
    until = f", up to {item.upto}" if item.upto else ""
    output.line(item.name, "bold")
    about = f"{one_line(few(item.sources))}{until}"
    output.line(f"{about}: {counted(len(item.turns), 'answer')}, {ago(item.updated)}", indent=2)
    if item.turns:
        output.line(one_line(item.turns[0].question)[:200], "dim", indent=2)
