"""mmx plan: what a model would need, before it is fetched."""

from typing import Annotated

import typer

from mmxcli.cli.options import PRINTING, Flags, takes
from mmxcli.config import parse_tokens
from mmxcli.render import listing

Tokens = Annotated[str, typer.Option("--tokens", metavar="N", help="Length of the text: 20000, 300k, 1M")]
Name = Annotated[str | None, typer.Argument(metavar="[MODEL]", hidden=True)]  # by default the one that is set


@takes("window", "kv_cache", "quant", "memory", "threads", *PRINTING)
def plan(flags: Flags, name: Name = None, tokens: Tokens = "1M") -> None:
    """Tell what reading a text in full would take on this machine.

    Memory and time follow from the model's config and a short measurement of this machine; the model need not be
    here. MODEL is a name from `mmx models list`, minimax-text-01, minimax-m1, or a folder with a config.json.
    """
    from mmxcli.tasks import plan as task

    length = parse_tokens(tokens)
    with flags.running() as (settings, view):
        found = view.through(task.plan(settings, name or settings.model, length))
    flags.listing([found], listing.plan)
