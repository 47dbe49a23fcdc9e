"""mmx follow: watch a stream that does not end."""

import re
from typing import Annotated

import typer

from mmxcli.cli.options import PRINTING, Flags, standard_input, takes
from mmxcli.cli.questions import Question
from mmxcli.errors import UsageError

EXAMPLE = 'tail -f app.log | mmx follow "anything unusual?"'


@takes("model", "quant", "memory", "threads", "offline", "encoding", *PRINTING)
def follow(
    flags: Flags,
    arguments: Annotated[list[str] | None, typer.Argument(metavar='"QUESTION" [FILE|-]', hidden=True)] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="N",
            help="Ask after so many tokens (2000), lines (500lines) or so much time (30s) (default: 2000)",
        ),
    ] = None,
    when: Annotated[
        str | None,
        typer.Option("--when", metavar="REGEX", help="Ask when a line matches; without --every, only then"),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="CHECKPOINT", help="Keep a checkpoint of this name, and go on from it"),
    ] = None,
) -> None:
    """Watch a stream for what a question asks.

    Reads standard input, or FILE as it grows, is replaced or cut, and prints each line that says what is asked, with
    its number. The signal USR1 asks at once. Ends with the stream, or with Ctrl-C.

    Example: tail -f app.log | mmx follow "anything unusual?" --every 2000
    """
    from mmxcli.reading.every import parse_every

    question, source = _split(arguments or [])
    pattern = None if when is None else _pattern(when)
    if every is None and when is None:
        every = "2000"
    interval = None if every is None else parse_every(every)
    from mmxcli.tasks import follow as task

    with flags.running([source], [Question(question)]) as (settings, view):
        events = task.follow(question, source, settings, standard_input([source]), interval, pattern, resume)
        for event in events:
            view.output.check_heard()
            view.show(event)


def _split(arguments: list[str]) -> tuple[str, str]:
    """The question, and what to follow."""
    if len(arguments) not in (1, 2) or not arguments[0].strip() or not all(arguments):
        raise UsageError(f"`mmx follow` takes a question and perhaps a file: {EXAMPLE}")
    question, *source = arguments
    return question, source[0] if source else "-"


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"--when {text}: no regular expression: {error}") from error
