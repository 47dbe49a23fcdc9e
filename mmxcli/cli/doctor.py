"""mmx doctor: what this machine has."""

import typer

from mmxcli.cli.options import PRINTING, Flags, takes
from mmxcli.render import listing


@takes("offline", *PRINTING)
def doctor(flags: Flags) -> None:
    """Tell what this machine has and lacks, and what to do."""
    from mmxcli.tasks import doctor as task

    checks = task.doctor(flags.settings())
    flags.listing(checks, listing.check)
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)
