"""mmx states: the stored readings."""

from pathlib import Path
from typing import Annotated

import typer

from mmxcli.cli.options import PRINTING, Command, Flags, takes
from mmxcli.errors import DamagedError
from mmxcli.render import listing

app = typer.Typer(help="The stored readings.")
Identifier = Annotated[str, typer.Argument(metavar="ID", hidden=True)]
File = Annotated[Path, typer.Argument(metavar="FILE", hidden=True)]


@app.command("list", cls=Command)
@takes(*PRINTING)
def list_all(flags: Flags) -> None:
    """List the stored readings, the latest first."""
    from mmxcli.tasks import states

    flags.listing(states.list_states(flags.settings()), listing.reading, empty="no reading is stored yet")


@app.command(cls=Command)
@takes(*PRINTING)
def show(flags: Flags, identifier: Identifier) -> None:
    """Show one reading. ID may be the beginning of its id."""
    from mmxcli.tasks import states

    flags.listing([states.find_state(flags.settings(), identifier)], listing.reading)


@app.command("rm", cls=Command)
@takes(*PRINTING)
def remove(
    flags: Flags,
    identifiers: Annotated[list[str], typer.Argument(metavar="ID...", hidden=True)],
) -> None:
    """Remove readings for good. ID may be the beginning of an id."""
    from mmxcli.tasks import states

    settings = flags.settings()
    for identifier in identifiers:
        flags.listing([states.remove_state(settings, identifier)], listing.reading)


@app.command(cls=Command)
@takes("size_limit", *PRINTING)
def prune(flags: Flags) -> None:
    """Remove the readings that were not used for longest, until the others fit. What is in use stays."""
    from mmxcli.tasks import states

    removed = states.prune_states(flags.settings())
    flags.listing(removed, listing.reading, empty="nothing had to go")


@app.command(cls=Command)
@takes(*PRINTING)
def verify(
    flags: Flags,
    identifiers: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", hidden=True)] = None,
) -> None:
    """Read every byte of the named readings, or of all, and report damage (exit code 5)."""
    from mmxcli.tasks import states

    verdicts = list(states.verify_states(flags.settings(), identifiers or []))
    flags.listing(verdicts, listing.verdict, empty="no reading is stored yet")
    if not all(verdict.whole for verdict in verdicts):
        raise typer.Exit(DamagedError.exit_code)


@app.command(cls=Command)
@takes(*PRINTING)
def export(flags: Flags, identifier: Identifier, file: File) -> None:
    """Write a reading into one file, to be imported on another machine. It holds the whole text."""
    from mmxcli.tasks import states

    flags.listing([states.export_state(flags.settings(), identifier, file)], listing.reading)


@app.command("import", cls=Command)
@takes("model", *PRINTING)
def import_(flags: Flags, file: File) -> None:
    """Take in a reading that was exported, if it was made by the same model and version of mmx."""
    from mmxcli.tasks import states

    flags.listing([states.import_state(flags.settings(), file, flags["model"])], listing.reading)


@app.command(cls=Command)
@takes("verbose")
def path(flags: Flags, identifier: Identifier) -> None:
    """Print the folder of a reading."""
    from mmxcli.tasks import states

    flags.output().whole(str(states.find_state(flags.settings(), identifier).path))
