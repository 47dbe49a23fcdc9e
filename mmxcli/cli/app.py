"""The command `mmx`: its commands put together, and every error turned into one line and an exit code."""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from io import StringIO, TextIOWrapper
from typing import Annotated

import typer

from mmxcli import __version__
from mmxcli.cli import ask, bench, chat, completion, count, doctor, follow, help, models, plan, read, states, summarize
from mmxcli.cli.options import Command
from mmxcli.errors import MmxError
from mmxcli.reading.interrupt import handled
from mmxcli.render import output

EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "the command line or a setting is off",
    3: "some input could not be read (with --strict), or none",
    4: "it would not fit the memory or token budget",
    5: "a stored state or a weight file is damaged, or belongs to something else",
    130: "interrupted",
}

app = typer.Typer(
    name="mmx",
    help="Ask questions of more text than a model's window holds, on your own machine, with quotes to check.",
    epilog="\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()),
    add_completion=False,
    rich_markup_mode=None,  # plain help is there three times as fast
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (ask.ask, chat.chat, summarize.summarize, follow.follow, read.read, count.count):
    app.command(cls=Command)(command)
for command in (plan.plan, bench.bench, doctor.doctor):
    app.command(cls=Command)(command)
app.add_typer(states.app, name="states")
app.add_typer(models.app, name="models")
for command in (help.help, completion.completion):
    app.command(cls=Command)(command)
app.command(cls=Command, hidden=True)(completion.complete)


def _version(wanted: bool) -> None:
    if wanted:
        output.Output().line(f"mmx {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def common(
    context: typer.Context,
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        output.Output().raw(context.get_help() + "\n")
        raise typer.Exit(2)


def main(arguments: Sequence[str]) -> int:
    """Runs one command line as a program of its own; returns its exit code."""
    # A stream is None when it was closed before the start, as in `mmx … >&-`.
    sys.stdout, sys.stderr = sys.stdout or StringIO(), sys.stderr or StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without the letter still gets the line
    with handled(_end, signal.SIGTERM, signal.SIGHUP):
        return run(arguments)


def _end(number: int, _frame: object) -> None:
    """A signal ends a command as an error would: the terminal is put right, and passing files, which hold text, go."""
    sys.exit(128 + number)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        with typer.main.get_command(app).make_context("mmx", list(arguments)) as context:
            context.command.invoke(context)
        sys.stdout.flush()
        return 0
    except typer.Exit as ended:
        return ended.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a person gets a line, never a traceback
        if "--verbose" in arguments:
            output.trace(traceback.format_exc())
        return _told(error)


def _told(error: BaseException) -> int:
    """Tells of an error in one line; returns the exit code."""
    match error:
        case MmxError():
            line, code = str(error), error.exit_code
        case typer.TyperException():
            context: typer.Context | None = getattr(error, "ctx", None)
            path = context.command_path if context else "mmx"
            line, code = f"{error.format_message().rstrip('.')}: see `{path} --help`", 2
        case KeyboardInterrupt():
            line, code = "interrupted", 130
        case BrokenPipeError():  # who read the output has seen enough
            line, code = "", 0
        case OSError():
            line, code = _of_system(error), 1
        case _ if type(error).__name__ == "OutOfMemoryError":  # torch's, of a GPU
            line, code = "the GPU has no room for it: try --quant int8, a smaller --window, or --device cpu", 1
        case _:
            line = f"internal error: {type(error).__name__}: {error}: run again with --verbose for the traceback"
            code = 1
    if isinstance(error, OSError):
        _release_output()
    if code == 130:
        output.clear_echo()
    if line:
        output.error(line)
    return code


_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)  # to write: what cannot be read is told where it is read


def _of_system(error: OSError) -> str:
    place = f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left on the device{place}: free some and run again"
    what = ": set MMX_HOME to a folder of yours" if error.errno in _FORBIDDEN else ""
    return f"{error.strerror or error}{place}{what}"


def _release_output() -> None:
    """What still waits to be printed cannot be; without this Python would try, and complain, at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
