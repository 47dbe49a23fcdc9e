"""mmx states: the stored readings."""

from typing import Annotated

import typer

from mmxcli.cli.options import PRINTING, Command, Flags, takes
from mmxcli.render import listing

app = typer.Typer(help="The stored readings.")
Identifier = Annotated[str, typer.Argument(metavar="ID", hidden=True)]


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
@takes("verbose")
def path(flags: Flags, identifier: Identifier) -> None:
    """Print the folder of a reading."""
    from mmxcli.tasks import states

    flags.output().whole(str(states.find_state(flags.settings(), identifier).path))
