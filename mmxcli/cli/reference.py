"""The generated pages of the documentation: `python -m mmxcli.cli.reference [cli|settings] > docs/….md`."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer

from mmxcli.cli.app import EXIT_CODES, app
from mmxcli.cli.options import SHARED, Command
from mmxcli.config import SETTINGS, Kind, environment_name, flag_name
from mmxcli.errors import UsageError
from mmxcli.render.output import Output

GENERATED = "This page is generated: `python -m mmxcli.cli.reference {0} > docs/{0}.md`."


def cli() -> Iterator[str]:
    """docs/cli.md: every command with its flags, and the exit codes."""
    yield f"# The command line\n\n{GENERATED.format('cli')} All settings: [settings](settings.md)."
    with typer.main.get_command(app).make_context("mmx", [], resilient_parsing=True) as context:
        yield from _commands(context)
    yield "\n## Exit codes\n\n| code | meaning |\n|---|---|"
    yield from (f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())


def settings() -> Iterator[str]:
    """docs/settings.md: every setting, and where its value comes from."""
    yield f"# Settings\n\n{GENERATED.format('settings')}\n\n{PRECEDENCE}\n"
    yield "| setting | flag | environment | value | default | what it is |\n|---|---|---|---|---|---|"
    for name, known in SETTINGS.items():
        kind: Kind = known.metadata["kind"]
        flag = f"`{flag_name(name)}`" if name in SHARED or name == "cache" else ""
        default = known.metadata["shown"] or f"`{str(known.default).lower()}`"
        yield (
            f"| `{name}` | {flag} | `{environment_name(name)}` | {kind.allowed} | {default}"
            f" | {known.metadata['help']} |"
        )


PRECEDENCE = """\
A setting's value comes from the first of these that has one: its flag; its environment variable; `mmx.toml`
in the working folder or the nearest folder above it; your own `config.toml` (on Linux in `~/.config/mmx`);
the default.

In both files a setting stands under its name: `window = 4096`, `memory = "8G"`. A relative folder counts from
the file that names it. A name that is no setting is an error. An `mmx.toml` that is part of what is being
read is never trusted: it is ignored, and mmx says so."""

PAGES: Mapping[str, Callable[[], Iterator[str]]] = {"cli": cli, "settings": settings}


def _commands(context: Any) -> Iterator[str]:
    group = context.command
    assert isinstance(group, typer.core.TyperGroup)
    for name, command in group.commands.items():
        if command.hidden:
            continue
        with command.make_context(name, [], parent=context, resilient_parsing=True) as inner:
            if isinstance(command, Command):
                yield from _command(command, inner)
            else:
                yield from _commands(inner)


def _command(command: Command, context: Any) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"\n## {context.command_path}\n\n```\n{usage}\n```\n\n{inspect.cleandoc(command.help or '')}\n"
    yield "| flag | what it does |\n|---|---|"
    for parameter in command.params:
        if isinstance(parameter, typer.core.TyperOption):
            flags = ", ".join(f"`{flag}`" for flag in parameter.opts)
            value = "" if parameter.is_flag else f" `{parameter.metavar}`".replace("|", "\\|")
            yield f"| {flags}{value} | {parameter.help} |"


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else "cli"
    if wanted not in PAGES:
        raise UsageError(f"there is no page {wanted}: name one of {', '.join(PAGES)}")
    Output().raw("\n".join(PAGES[wanted]()) + "\n")
