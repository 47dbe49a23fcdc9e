"""mmx summarize: what a text says, in few words."""

import re
from typing import Annotated

import typer

from mmxcli.cli import questions
from mmxcli.cli.count import counted
from mmxcli.cli.options import PRINTING, READING, Flags, standard_input, takes
from mmxcli.errors import UsageError
from mmxcli.render.json import JsonView
from mmxcli.render.output import Output
from mmxcli.render.summary import SummaryView
from mmxcli.render.view import View

LENGTHS = {"short": 60, "medium": 150, "long": 400}
SHORTEST, LONGEST, DEEPEST = 10, 20_000, 20
FORMATS = ("text", "markdown", "json")


@takes(*READING, "upto", "dry_run", "output", *PRINTING)
def summarize(
    flags: Flags,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", hidden=True)] = None,
    length: Annotated[
        str,
        typer.Option("--length", metavar="short|medium|long|N", help="In words: 60, 150, 400 or N"),
    ] = "medium",
    depth: Annotated[
        int | None,
        typer.Option("--depth", metavar="N", help="Also the parts, so many levels down (default: as suits the text)"),
    ] = None,
    focus: Annotated[
        str | None, typer.Option("--focus", metavar="WORDS", help="Only what the text says about this")
    ] = None,
    sources_shown: Annotated[bool | None, typer.Option("--sources", help="Tell for each line where it stands")] = None,
    form: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How it is printed")] = "text",
) -> None:
    """Tell in few words what the sources say.

    A source is a file, a folder, or - for standard input. A book is told by its chapters, a repository by what it is
    for, its modules, and how it is built and tested.

    Example: mmx summarize repo/
    """
    from mmxcli.reading.summary import Wanted
    from mmxcli.tasks import summarize as task

    wanted = Wanted(_words(length), _depth(depth), _focus(focus))
    if form not in FORMATS:
        raise UsageError(f"--format {form} is none of {', '.join(FORMATS)}")
    sources = questions.sources(arguments or [], flags.listed(arguments or []))
    upto = flags.upto
    if flags["dry_run"]:
        counted(flags, sources, dry_run=True, upto=upto is not None)
        return

    def shown(output: Output) -> View:
        if flags["json"] or form == "json":
            return JsonView(output)
        markdown, verbose = form == "markdown", bool(flags["verbose"])
        return SummaryView(output, verbose=verbose, markdown=markdown, sources=bool(sources_shown))

    with flags.running(sources, shown=shown) as (settings, view):
        for event in task.summarize(sources, settings, wanted, standard_input(sources), upto):
            view.show(event)


def _words(length: str) -> int:
    if length in LENGTHS:
        return LENGTHS[length]
    if not re.fullmatch(r"\d{1,6}", length) or not SHORTEST <= int(length) <= LONGEST:
        raise UsageError(f"--length {length} is not short, medium, long, or a number from {SHORTEST} to {LONGEST}")
    return int(length)


def _depth(depth: int | None) -> int | None:
    if depth is not None and not 0 <= depth <= DEEPEST:
        raise UsageError(f"--depth {depth} is not a number from 0 to {DEEPEST}")
    return depth


def _focus(focus: str | None) -> str | None:
    if focus is not None and not focus.strip():
        raise UsageError("--focus is empty: name what the summary is to be about")
    return focus
