"""The flags that commands share, each declared once; the flag of a setting says what the setting says."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
import typer.core

from mmxcli.cli.questions import Question, listed_files, one_standard_input
from mmxcli.config import SETTINGS, Settings, flag_name, load_settings, project_file
from mmxcli.errors import InputError, UsageError
from mmxcli.render import listing
from mmxcli.render.json import JsonView
from mmxcli.render.listing import Item
from mmxcli.render.output import Output
from mmxcli.render.places import PlacesView
from mmxcli.render.terminal import TextView
from mmxcli.render.view import View
from mmxcli.tasks.events import Note

if TYPE_CHECKING:
    from mmxcli.reading.upto import Upto


def _setting(name: str, *names: str, metavar: str | None = None) -> Any:
    known = SETTINGS[name]
    default = "" if known.default in (None, False, (), MISSING) else f" (default: {known.default})"
    kind = str | None if metavar else bool | None
    option = typer.Option(*names, flag_name(name), metavar=metavar, help=known.metadata["help"] + default)
    return Annotated[kind, option]


def _switch(*names: str, help: str) -> Any:
    return Annotated[bool | None, typer.Option(*names, help=help)]


SHARED: Mapping[str, Any] = {
    "model": _setting("model", "-m", metavar="NAME"),
    "read": _setting("read", metavar="auto|full|recall"),
    "window": _setting("window", metavar="N"),
    "kv_cache": _setting("kv_cache", metavar="auto|memory|disk|int8"),
    "quant": _setting("quant", metavar="auto|float32|none|int8|nf4"),
    "device": _setting("device", metavar="cpu|cuda"),
    "memory": _setting("memory", metavar="SIZE"),
    "max_tokens": _setting("max_tokens", metavar="N"),
    "context": _setting("context", metavar="N"),
    "threads": _setting("threads", metavar="N"),
    "strict": _setting("strict"),
    "size_limit": _setting("size_limit", metavar="SIZE"),
    "offline": _setting("offline"),
    "keep_warm": _setting("keep_warm", metavar="TIME"),
    "no_cache": _switch("--no-cache", help="Use no stored readings, and store none"),
    "encoding": _setting("encoding", metavar="ENCODING"),
    "max_file_size": _setting("max_file_size", metavar="SIZE"),
    "max_files": _setting("max_files", metavar="N"),
    "include": _setting("include", metavar="PATTERNS"),
    "exclude": _setting("exclude", metavar="PATTERNS"),
    "drop_running_heads": _setting("drop_running_heads"),
    "password_file": _setting("password_file", metavar="FILE"),
    "files_from": Annotated[
        Path | None,
        typer.Option("--files-from", metavar="FILE", help="Also read the files that FILE names, one a line"),
    ],
    "null": _switch("-0", help="The names in --files-from end with NUL instead of a new line"),
    "upto": Annotated[
        str | None,
        typer.Option(
            "--upto",
            metavar="PLACE",
            help="As if the text ended with this place: page:120, line:3400, chapter:7 or token:20000",
        ),
    ],
    "dry_run": _switch("--dry-run", help="Only tell what would be read, at what cost"),
    "output": Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write to FILE instead of standard output"),
    ],
    "json": _switch("--json", help="One JSON object a line, for programs"),
    "quiet": _switch("--quiet", help="Print only what was asked for, and errors"),
    "verbose": _switch("--verbose", help="Tell more, and give the traceback of an error"),
}
READING = (
    "model",
    "read",
    "window",
    "kv_cache",
    "quant",
    "device",
    "memory",
    "threads",
    "strict",
    "offline",
    "no_cache",
    "keep_warm",
    "encoding",
    "max_file_size",
    "max_files",
    "include",
    "exclude",
    "drop_running_heads",
    "password_file",
    "files_from",
    "null",
)
PRINTING = ("json", "quiet", "verbose")


class Command(typer.core.TyperCommand):
    """A command whose usage line reads as it is typed: SOURCE... "QUESTION"."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as the base class calls it
        arguments = [parameter for parameter in self.params if parameter.param_type_name == "argument"]
        return ["[OPTIONS]", *(argument.metavar or "" for argument in arguments)]


@dataclass(frozen=True, slots=True)
class Flags:
    """The shared flags of one command line, by name; None or absent where not given."""

    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def listed(self, arguments: Sequence[str], questions: Path | None = None) -> list[str]:
        """The files that --files-from lists. Raises UsageError also when the command line, of which these are
        the other parts, names standard input twice."""
        one_standard_input([*arguments, questions, self["files_from"]])
        return listed_files(self["files_from"], null=bool(self["null"]))

    @property
    def upto(self) -> "Upto | None":
        """Raises UsageError for what names no place."""
        if self["upto"] is None:
            return None
        from mmxcli.reading.upto import parse_upto

        try:
            return parse_upto(self["upto"])
        except UsageError as error:
            raise UsageError(f"--upto: {error}") from None

    def settings(self, sources: Sequence[str] = ()) -> Settings:
        flags = dict(self.values) | ({"cache": False} if self["no_cache"] else {})
        return load_settings(flags, environ=os.environ, cwd=Path.cwd(), sources=sources)

    def output(self, sources: Sequence[str] = ()) -> Output:
        file: Path | None = self["output"]
        if file and file.resolve() in [Path(source).resolve() for source in sources]:
            raise UsageError(f"the output {file} is also a source: name another with -o")
        return Output(quiet=bool(self["quiet"]), file=file)

    def listing(self, items: Sequence[Item], describe: Callable[[Output, Item], None], empty: str = "none") -> None:
        output = self.output()
        listing.show(output, items, describe, as_json=bool(self["json"]))
        if not items:
            output.note(empty)

    @contextmanager
    def running(
        self,
        sources: Sequence[str] = (),
        questions: Sequence[Question] = (),
        *,
        only_places: bool = False,
        shown: Callable[[Output], View] | None = None,
    ) -> Iterator[tuple[Settings, View]]:
        """The settings for reading `sources`, and where to show the events of the work: `shown` makes another view than
        those of questions and readings."""
        output = self.output(sources)
        texts = [question.text for question in questions]
        if shown:
            view: View = shown(output)
        elif self["json"]:
            view = JsonView(output, [question.id for question in questions])
        elif only_places:
            view = PlacesView(output, texts)
        else:
            view = TextView(output, texts, verbose=bool(self["verbose"]))
        settings = self.settings(sources)
        project, trusted = project_file(Path.cwd(), sources)
        with view:
            if project and not trusted:
                view.show(Note(f"{project} is ignored: it is part of what is being read", warning=True))
            if "-" in sources and sys.stdin and sys.stdin.isatty():
                view.show(Note("reading what you type; end it with Ctrl-D"))
            yield settings, view
            if settings.keep_warm and "keep_warm" in self.values:
                from mmxcli.cli.warm import leave

                if told := leave(settings, whole=view.in_full):
                    view.show(Note(told))


def standard_input(sources: Sequence[str]) -> BinaryIO | None:
    """Standard input when it is among the sources. Raises InputError when it was closed before the start."""
    if "-" not in sources:
        return None
    if sys.stdin is None:
        raise InputError("standard input is closed: name a file, or pipe something in")
    return sys.stdin.buffer


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command these shared flags; it receives them as one argument, `flags`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command)
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=SHARED[name])
            for name in names
        ]

        @wraps(command)
        def run(**values: Any) -> None:
            flags = Flags({name: values.pop(name) for name in names})
            command(flags=flags, **values)

        first = [parameter for parameter in own.parameters.values() if parameter.name != "flags"]
        run.__signature__ = own.replace(parameters=first + shared)  # type: ignore[attr-defined]
        return run

    return decorate
