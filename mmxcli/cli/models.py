"""mmx models: what can read and answer."""

from typing import Annotated

import typer

from mmxcli.cli.options import PRINTING, Command, Flags, takes
from mmxcli.errors import ModelError
from mmxcli.render import listing

app = typer.Typer(help="The models.")
Name = Annotated[str | None, typer.Argument(metavar="[NAME]", hidden=True)]  # by default the one that is set


@app.command("list", cls=Command)
@takes(*PRINTING)
def list_all(flags: Flags) -> None:
    """List the models that mmx knows by name."""
    from mmxcli.tasks import models

    flags.listing(models.list_models(flags.settings()), listing.model)


@app.command(cls=Command)
@takes(*PRINTING)
def show(flags: Flags, name: Name = None) -> None:
    """Show one model: its licence, its size, and what its memory costs."""
    from mmxcli.tasks import models

    settings = flags.settings()
    flags.listing([models.show_model(settings, name or settings.model)], listing.model)


@app.command(cls=Command)
@takes("offline", *PRINTING)
def pull(flags: Flags, name: Name = None) -> None:
    """Fetch a model now, so that it is there without a network later."""
    from mmxcli.tasks import models

    with flags.running() as (settings, view):
        for event in models.pull_model(settings, name or settings.model):
            view.show(event)
        card = models.show_model(settings, name or settings.model)
    flags.listing([card], listing.model)


@app.command(cls=Command)
@takes("quant", "device", "offline", *PRINTING)
def check(flags: Flags, name: Name = None) -> None:
    """Try whether a model, read in pieces, is where one pass would have left it.

    Prints its certificate. A model that fails is not used, and the exit code is 1.
    """
    from mmxcli.tasks import models

    with flags.running() as (settings, view):
        certificate = view.through(models.check_model(settings, name or settings.model))
    flags.listing([certificate], listing.certificate)
    if not certificate.good:
        raise typer.Exit(1)


@app.command(cls=Command)
@takes("verbose")
def path(flags: Flags, name: Name = None) -> None:
    """Print where a model's files are."""
    from mmxcli.tasks import models

    settings = flags.settings()
    card = models.show_model(settings, name or settings.model)
    if card.path is None:
        raise ModelError(f"the model {card.name} is not here yet: run `mmx models pull {card.name}`")
    flags.output().whole(str(card.path))
