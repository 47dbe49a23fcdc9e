"""mmx read: read now, ask later."""

from typing import Annotated

import typer

from mmxcli.cli import questions
from mmxcli.cli.count import counted
from mmxcli.cli.options import PRINTING, READING, Flags, standard_input, takes


@takes(*READING, "upto", "dry_run", "output", *PRINTING)
def read(
    flags: Flags,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", hidden=True)] = None,
) -> None:
    """Read the sources now, to ask later.

    A source is a file, a folder, or - for standard input. Prints the reading's id and how much was read.
    """
    sources = questions.sources(arguments or [], flags.listed(arguments or []))
    upto = flags.upto
    if flags["dry_run"]:
        counted(flags, sources, dry_run=True, upto=upto is not None)
        return
    from mmxcli.tasks import read as task

    with flags.running(sources) as (settings, view):
        for event in task.read(sources, settings, standard_input(sources), upto):
            view.show(event)
