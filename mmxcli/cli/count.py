"""mmx count: how much there is to read, before it is read."""

from collections.abc import Sequence
from typing import Annotated

import typer

from mmxcli.cli import questions
from mmxcli.cli.options import PRINTING, Flags, standard_input, takes
from mmxcli.errors import UsageError
from mmxcli.tasks.events import Note


@takes(
    *("model", "read", "window", "threads", "strict", "offline", "encoding", "max_file_size", "max_files"),
    *("include", "exclude", "drop_running_heads", "password_file"),
    *("files_from", "null", "output", *PRINTING),
)
def count(
    flags: Flags,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", hidden=True)] = None,
) -> None:
    """Count what there is to read.

    Tells the tokens of each document, what would be skipped, and about how long reading would take. A source
    is a file, a folder, or - for standard input. Nothing is read through the model.
    """
    counted(flags, questions.sources(arguments or [], flags.listed(arguments or [])))


def counted(flags: Flags, sources: Sequence[str], *, dry_run: bool = False, upto: bool = False) -> None:
    """Counts `sources`; as a dry run it also says how they would be read. Raises UsageError where only a part is meant:
    documents are counted whole."""
    if upto:
        raise UsageError("--dry-run counts whole documents: leave --upto out")
    from mmxcli.tasks import count as task

    with flags.running(sources) as (settings, view):
        if dry_run:
            view.show(Note(f"dry run: nothing is read; {settings.model} would, with --read {settings.read}"))
        for event in task.count(sources, settings, standard_input(sources)):
            view.show(event)
