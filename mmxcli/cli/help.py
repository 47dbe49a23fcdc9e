"""mmx help: what the words mean that mmx uses, one short page each, kept in pages/."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import Annotated, Any

import typer

from mmxcli.cli.options import Flags, takes
from mmxcli.errors import UsageError
from mmxcli.render import pages


@takes("json", "verbose")
def help(
    context: typer.Context,
    flags: Flags,
    concept: Annotated[str | None, typer.Argument(metavar="[CONCEPT]", hidden=True)] = None,
) -> None:
    """Explain a concept, or list the concepts there are. The name of a command gives its help.

    Example: mmx help states
    """
    known = concepts()
    if concept is None:
        pages.contents(flags.output(), known, as_json=bool(flags["json"]))
    elif concept in known:
        pages.show(flags.output(), concept, page(concept), as_json=bool(flags["json"]))
    elif command := _commands(context).get(concept):
        flags.output().raw(command.get_help(typer.Context(command, context.parent, info_name=concept)) + "\n")
    else:
        near = get_close_matches(concept, sorted({*known, *_commands(context)}), n=3, cutoff=0.6)
        advice = f"did you mean {' or '.join(near)}?" if near else "`mmx help` lists what is explained"
        raise UsageError(f"nothing is called {concept!r} here: {advice}")


def concepts() -> Mapping[str, str]:
    """Every concept, and in a few words what its page tells: the heading of the page."""
    names = sorted(file.name.removesuffix(".md") for file in _folder().iterdir() if file.name.endswith(".md"))
    return {name: page(name).partition("\n")[0].partition(": ")[2] for name in names}


def page(concept: str) -> str:
    return str((_folder() / f"{concept}.md").read_text("utf-8"))


def _folder() -> Any:
    return files("mmxcli.cli") / "pages"


def _commands(context: typer.Context) -> Mapping[str, Any]:
    group = context.parent.command if context.parent else None
    commands = group.commands if isinstance(group, typer.core.TyperGroup) else {}
    return {name: command for name, command in commands.items() if not command.hidden}
