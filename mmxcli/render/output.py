"""The only place that prints: standard output for what was asked for, standard error for everything else.

rich is imported where something is printed, here and in the modules beside this one: `mmx --help` needs none of it.
"""

import os
import re
import select
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO, UnsupportedOperation
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mmxcli.errors import UsageError
from mmxcli.recall.words import spaceless
from mmxcli.render.escape import one_line, visible
from mmxcli.state.files import written_aside

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Output:
    """Where lines go. With `file`, what standard output would get is kept until `save` writes it there."""

    def __init__(self, *, quiet: bool = False, file: Path | None = None) -> None:
        self.quiet = quiet
        self.file = _writable(file) if file else None
        self.out = _console(StringIO() if file else sys.stdout)
        self.err = _console(sys.stderr)

    def raw(self, text: str) -> None:
        """Write at once, as it is; the caller has made it safe."""
        self.out.file.write(text)
        self.out.file.flush()

    def line(self, text: str = "", style: str = "", indent: int = 0, marked: Sequence[str] = ()) -> None:
        """A line of the answer, wrapped on a terminal, where words that are `marked` stand out."""
        _print(self.out, _styled(visible(text), style, marked), indent)

    def within(self, before: str, text: str, after: str, marked: Sequence[str], indent: int) -> None:
        """Some text with what stands around it, its lines as they are."""
        from rich.text import Text

        styled = Text.assemble(
            (visible(before.lstrip("\n")), "dim"),
            _styled(visible(text), "italic", marked),
            (visible(after.rstrip()), "dim"),
        )
        _print(self.out, styled, indent)

    def whole(self, text: str) -> None:
        """A line that stays one line whatever the width, such as a path to copy."""
        self.raw(one_line(text) + "\n")

    def note(self, text: str, style: str = "dim") -> None:
        """A line for the person, on standard error, unless they asked for quiet."""
        if not self.quiet:
            _print(self.err, _styled(f"mmx: {one_line(text)}", style))

    def check_heard(self) -> None:
        """Raises BrokenPipeError where nobody reads standard output any more: who waits long for something to say would
        not hear of it otherwise."""
        with suppress(UnsupportedOperation):  # what is no file of the system is read by whoever made it
            looking = select.poll()
            looking.register(self.out.file.fileno(), 0)
            if any(state & select.POLLERR for _, state in looking.poll(0)):
                raise BrokenPipeError

    def save(self) -> None:
        if self.file and isinstance(self.out.file, StringIO):
            _write(self.file, self.out.file.getvalue())


def clear_echo() -> None:
    """Takes away the ^C that a terminal shows when a person presses Ctrl-C, and what was begun on its line."""
    console = _console(sys.stderr)
    if console.is_terminal and not console.is_dumb_terminal:
        console.file.write("\r\x1b[2K")


def error(text: str) -> None:
    """The one line that says why a command failed."""
    _print(_console(sys.stderr), _styled(f"mmx: {one_line(text)}", "red"))


def trace(text: str) -> None:
    """A traceback, which may hold text of documents."""
    _print(_console(sys.stderr), _styled(visible(text), ""))


def _console(file: TextIO) -> "Console":
    from rich.console import Console

    class PipeConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704 - rich calls this while it handles the error; the command decides what it means

    terminal = file.isatty()
    return PipeConsole(
        file=file,
        force_terminal=terminal,  # whatever FORCE_COLOR says: a file with colours in it serves nobody
        color_system="auto" if terminal and not os.environ.get("NO_COLOR") else None,
        markup=False,
        highlight=False,
        emoji=False,
    )


def _styled(text: str, style: str, marked: Sequence[str] = ()) -> "Text":
    from rich.text import Text

    styled = Text(text, style=style)
    if marked:
        styled.highlight_regex("|".join(map(_whole, sorted(marked, key=len, reverse=True))), "bold")
    return styled


def _whole(word: str) -> str:
    """Where a word stands by itself, in a script that shows it."""
    return re.escape(word) if spaceless(word) else rf"(?<!\w){re.escape(word)}(?!\w)"


def _print(console: "Console", text: "Text", indent: int = 0) -> None:
    from rich.padding import Padding
    from rich.text import Text

    if console.is_terminal:
        console.print(Padding.indent(text, indent) if indent else text)
    else:
        lines = "\n".join(" " * indent + line for line in text.plain.split("\n"))
        console.print(Text(lines), soft_wrap=True)  # another program reads whole lines
    console.file.flush()


def _writable(file: Path) -> Path:
    """Where `file` really is; checked before the work begins."""
    if file.is_dir():
        raise UsageError(f"the output {file} is a folder: name a file in it")
    if file.exists() and not file.is_file():  # a device or a pipe is written to, never replaced
        return file
    place = file.resolve()
    if not place.parent.is_dir():
        raise UsageError(f"the output {file} has no folder to be in: create {place.parent} first")
    if not os.access(place if place.exists() else place.parent, os.W_OK):
        raise UsageError(f"the output {file} may not be written: name another with -o")
    return place


def _write(place: Path, text: str) -> None:
    if place.exists() and not place.is_file():
        place.write_text(text, "utf-8")
        return
    with written_aside(place) as aside:
        aside.write_text(text, "utf-8")
