"""mmx completion: what a shell offers when Tab is pressed.

What a flag or an argument takes, its metavar says, here as in the help: `auto|full|recall` are the words themselves,
`ID` is a stored reading, `FILE` is for the shell to complete. Where a flag that takes nothing has one, arguments may be
that as well. Nothing is opened but the records of the stored readings, and the stored conversations.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from mmxcli.config import Settings, load_settings
from mmxcli.errors import UsageError
from mmxcli.render.escape import one_line
from mmxcli.render.output import Output
from mmxcli.sources.choice import few

SHELLS = ("bash", "zsh", "fish")
Offer = tuple[str, str]  # a word, and what it is
FILES: Offer = ("<files>", "")  # the scripts in shells/ have the shell complete these


def completion(shell: Annotated[str, typer.Argument(metavar="|".join(SHELLS), hidden=True)]) -> None:
    """Print the script that completes mmx in a shell: commands, flags, values, ids of states, names of models and
    conversations.

    Example: eval "$(mmx completion bash)"
    """
    if shell not in SHELLS:
        raise UsageError(f"there is no completion for {shell!r}: name {', '.join(SHELLS[:-1])} or {SHELLS[-1]}")
    Output().raw((files("mmxcli.cli") / "shells" / f"mmx.{shell}").read_text("utf-8"))


def complete(typed: Annotated[list[str] | None, typer.Argument(metavar="WORD...", hidden=True)] = None) -> None:
    """What may stand for the last of these words, which come after `mmx`: one a line, with a tab and what it is."""
    output = Output()
    for word, meaning in offers(typed or [""]):
        output.raw(f"{word}\t{one_line(meaning)}\n" if meaning else f"{word}\n")


def offers(typed: Sequence[str]) -> Iterator[Offer]:
    """What may stand for the last word of a command line."""
    from mmxcli.cli.app import app

    *before, last = typed
    command: Any = typer.main.get_command(app)
    awaited: Any = None  # the option whose value comes next
    flags, position = True, 0
    besides: list[str] = []  # what arguments may be too, by flags that were given
    for word in before:
        if awaited:
            awaited = awaited if word == "=" else None  # bash parts --read=full into three words
        elif flags and word == "--":
            flags = False
        elif flags and word.startswith("-") and word != "-":
            awaited = _option(command, word)
            besides += [option.metavar for option in command.params if word in option.opts and _is_flag(option)]
        elif isinstance(command, typer.core.TyperGroup):
            command = command.commands.get(word)
            if command is None:
                return
        else:
            position += 1
    name, parted, begun = last.partition("=")
    if awaited:
        found, last = _values(awaited.metavar), begun if last.startswith("=") else last
    elif flags and name.startswith("--") and parted:
        option = _option(command, name)
        found = ((f"{name}={word}", what) for word, what in (_values(option.metavar) if option else ()))
    elif flags and last.startswith("-"):
        found = _flags(command)
    elif isinstance(command, typer.core.TyperGroup):
        found = _commands(command)
    else:
        found = chain(*map(_values, besides), _values(_argument(command, position)))
    yield from (offer for offer in found if offer[0].startswith(last) or offer is FILES)


def _option(command: Any, name: str) -> Any:
    """The option of that name, where it takes a value that does not stand in the same word."""
    for option in command.params:
        if name in option.opts and not _is_flag(option):
            return option
    return None


def _is_flag(option: Any) -> bool:
    return bool(getattr(option, "is_flag", True))


def _argument(command: Any, position: int) -> str | None:
    """What the metavar says of the argument at that position. One with dots stands for any number."""
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    if position >= len(arguments) and (not arguments or arguments[-1].nargs != -1):
        return None
    at = min(position, len(arguments) - 1)
    parts = str(arguments[at].metavar).split()
    return parts[0] if "..." in parts[0] else dict(enumerate(parts, at)).get(position)


def _commands(group: Any) -> Iterator[Offer]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield name, command.get_short_help_str(80)


def _flags(command: Any) -> Iterator[Offer]:
    for option in command.params:
        if option.param_type_name == "option":
            yield max(option.opts, key=len), option.help or ""
    yield "--help", "Show this message and exit"


def _values(metavar: str | None) -> Iterator[Offer]:
    """What may stand where the help says `metavar`, such as `[ID...]`, `auto|full` or `[FILE|-]`."""
    words = (metavar or "").strip("[]").removesuffix("...").split("|")
    for word in words:
        if word in NOUNS:
            yield from NOUNS[word]()
        elif len(words) > 1:
            yield word, ""


def _settings() -> Settings:
    return load_settings({}, environ=os.environ, cwd=Path.cwd())


def _files() -> Iterator[Offer]:
    yield FILES


def _readings() -> Iterator[Offer]:
    from mmxcli.state.store import ReadingStore

    for reading in ReadingStore(_settings().home).readings():
        sources = few(reading.sources) or "cannot be read"
        yield reading.id, f"{sources}: {reading.tokens:,} tokens, {reading.mode}"


def _models() -> Iterator[Offer]:
    from mmxcli.models.registry import REGISTRY
    from mmxcli.models.weights import installed

    for name, entry in REGISTRY.items():
        yield name, entry.summary
    for model in installed(_settings().weights_folder):
        if model.name not in REGISTRY:
            yield model.name, "your own"
    yield FILES


def _configs() -> Iterator[Offer]:
    from mmxcli.models.minimax.known import KNOWN

    yield from ((name, "known by its config alone") for name in KNOWN)
    yield from _models()


def _conversations() -> Iterator[Offer]:
    from mmxcli.state.conversations import ConversationStore

    store = ConversationStore(_settings().home)
    for name in store.names():
        talk = store.described(name)
        yield name, f"{few(talk.sources)}: {talk.turns[0].question if talk.turns else 'cannot be read'}"


def _checkpoints() -> Iterator[Offer]:
    from mmxcli.state.bookmark import Bookmark

    yield from ((name, "") for name in Bookmark.names(_settings().home))


def _places() -> Iterator[Offer]:
    yield from ((f"{sort}:", "") for sort in ("page", "line", "chapter", "token"))


def _concepts() -> Iterator[Offer]:
    from mmxcli.cli.help import concepts

    yield from concepts().items()


NOUNS: Mapping[str, Callable[[], Iterator[Offer]]] = {
    "FILE": _files,
    "SOURCE": _files,
    "ID": _readings,
    "NAME": _models,
    "MODEL": _configs,
    "PLACE": _places,
    "CONVERSATION": _conversations,
    "CHECKPOINT": _checkpoints,
    "CONCEPT": _concepts,
}
