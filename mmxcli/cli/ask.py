"""mmx ask: read, or find already read, and answer."""

from pathlib import Path
from typing import Annotated

import typer

from mmxcli.cli import questions
from mmxcli.cli.count import counted
from mmxcli.cli.options import PRINTING, READING, Flags, standard_input, takes


@takes(*READING, "upto", "max_tokens", "context", "dry_run", "output", *PRINTING)
def ask(
    flags: Flags,
    arguments: Annotated[list[str] | None, typer.Argument(metavar='SOURCE... "QUESTION"', hidden=True)] = None,
    question: Annotated[
        list[str] | None,
        typer.Option(
            "-q",
            "--question",
            metavar="TEXT",
            help="Ask this; repeat for more",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--questions",
            metavar="FILE",
            help='Ask these: one a line, or JSON objects with "question" and "id"',
        ),
    ] = None,
    whole: Annotated[
        bool | None,
        typer.Option("--whole", help="Collect what every sentence that bears on the question says, not only the best"),
    ] = None,
    places: Annotated[
        bool | None,
        typer.Option("--open", help="Print only where the quotes stand, as path:line, for an editor"),
    ] = None,
) -> None:
    """Answer a question about the sources.

    The sources are read, unless they were read before, and the answer comes with quotes that can be checked.
    A source is a file, a folder, or - for standard input. The last argument is the question, unless -q or
    --questions asks: then every argument is a source.

    Example: mmx ask book.pdf "Who built the bridge?"
    """
    listed = flags.listed(arguments or [], file)
    sources, asked = questions.split(arguments or [], listed, questions.asked(question or [], file))
    upto = flags.upto
    if flags["dry_run"]:
        counted(flags, sources, dry_run=True, upto=upto is not None)
        return
    from mmxcli.tasks import ask as task

    with flags.running(sources, asked, only_places=bool(places)) as (settings, view):
        texts = [one.text for one in asked]
        for event in task.ask(sources, texts, settings, standard_input(sources), upto, whole=bool(whole)):
            view.show(event)
