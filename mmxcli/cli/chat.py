"""mmx chat: a conversation over one reading."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from mmxcli.cli import questions
from mmxcli.cli.options import PRINTING, READING, Flags, standard_input, takes
from mmxcli.errors import MmxError, UsageError

if TYPE_CHECKING:
    from mmxcli.config import Settings
    from mmxcli.render.view import View
    from mmxcli.tasks.chat import Chat

LINE = 1 << 20  # bytes of a line of standard input that are looked at
HISTORY = "chat-history"
PATIENCE = 1.0  # seconds after Ctrl-C in which another is the same


@takes(*READING, "upto", "max_tokens", "context", "output", *PRINTING)
def chat(
    flags: Flags,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", hidden=True)] = None,
    again: Annotated[
        bool | None,
        typer.Option(
            "-c",
            "--continue",
            metavar="CONVERSATION",
            help="Go on with the latest conversation over the sources, with the latest of all, or with the one of that "
            "name",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Take what is typed from FILE, one turn a line"),
    ] = None,
    listed: Annotated[bool | None, typer.Option("--list", help="List the stored conversations")] = None,
    exported: Annotated[
        str | None, typer.Option("--export", metavar="CONVERSATION", help="Print a stored conversation as Markdown")
    ] = None,
    removed: Annotated[
        str | None, typer.Option("--rm", metavar="CONVERSATION", help="Remove a stored conversation for good")
    ] = None,
) -> None:
    """Talk about the sources: each question may go on from the last ones.

    Answers are held to the text as in `mmx ask`; /sources shows the quotes, /help what else can be typed, and
    Ctrl-D ends. From a pipe, each line is a question or a command, and each answer is one line. A source is a
    file, a folder, or - for standard input (then --questions asks).

    Example: mmx chat book.pdf
    """
    if listed or exported is not None or removed is not None:
        _stored(flags, exported, removed)
        return
    from mmxcli.render.chat import ChatJson, ChatView
    from mmxcli.tasks import chat as task

    files = flags.listed(arguments or [], file)
    whole = flags["upto"] == task.END
    sources, upto, stored = [*(arguments or []), *files], None if whole else flags.upto, None
    if again:
        stored = task.find(flags.settings(sources), sources)
        if not sources or sources == [stored.name]:
            sources = list(task.named(stored))
        if not whole and upto is None and stored.upto:
            from mmxcli.reading.upto import parse_upto

            upto = parse_upto(stored.upto)
    sources = questions.sources(sources, [])
    if "-" in sources and file is None:
        raise UsageError("standard input cannot be read and also ask: give the questions with --questions FILE")
    make = ChatJson if flags["json"] else partial(ChatView, verbose=bool(flags["verbose"]))
    with ExitStack() as stack:
        typed = stack.enter_context(_opened(file)) if file else None
        settings, view = stack.enter_context(flags.running(sources, shown=make))
        talk = stack.enter_context(task.Chat(sources, settings, standard_input(sources), upto, stored=stored))
        view.through(talk.open())
        if typed:
            failed = _from(talk, view, _lines(typed))
        elif sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
            failed = _with_a_person(talk, view, settings)
        else:
            failed = _from(talk, view, _lines(sys.stdin.buffer) if sys.stdin else iter(()))
        talk.check()
    if failed:
        raise typer.Exit(failed)


def _with_a_person(talk: "Chat", view: "View", settings: "Settings") -> int:
    """Turn by turn; what goes wrong is told, and Ctrl-C ends an answer. Always 0."""
    from mmxcli.reading.interrupt import handled
    from mmxcli.render import output
    from mmxcli.render.prompt import typed
    from mmxcli.tasks.chat import completions

    view.output.note("ask, or /help; Ctrl-C stops an answer, Ctrl-D ends")
    stop = Stop()
    with handled(stop, signal.SIGINT):
        for text in typed(partial(completions, settings), settings.home / HISTORY if settings.cache else None):
            try:
                with stop.heeded():
                    view.through(talk.hear(text))
            except KeyboardInterrupt:
                view.stop()
                output.clear_echo()
                view.output.note("stopped")
            except MmxError as error:
                view.stop()
                output.error(str(error))
            if talk.ended:
                break
    return 0


class Stop:
    """Ctrl-C where it stops an answer and nothing else. Pressed twice it stops once: the second would hit what puts an
    end to the first, or the chat."""

    def __init__(self) -> None:
        self._heeded = False
        self._last = -PATIENCE

    def __call__(self, _number: int, _frame: object) -> None:
        if self._heeded and time.monotonic() - self._last >= PATIENCE:
            self._last = time.monotonic()
            raise KeyboardInterrupt

    @contextmanager
    def heeded(self) -> Iterator[None]:
        try:
            self._heeded = True
            yield
        finally:
            self._heeded = False


def _from(talk: "Chat", view: "View", lines: Iterator[str]) -> int:
    """Line by line; what goes wrong is told. The exit code of the first that did, or 0."""
    from mmxcli.render import output

    failed = 0
    for text in lines:
        try:
            view.through(talk.hear(text))
        except MmxError as error:
            view.stop()
            output.error(str(error))
            failed = failed or error.exit_code
        if talk.ended:
            break
    return failed


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    """Raises UsageError for a file that cannot be read."""
    if str(file) == "-":
        stdin = standard_input(["-"])
        assert stdin
        return nullcontext(stdin)
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _lines(stream: BinaryIO) -> Iterator[str]:
    """As text; of a line without end no more than LINE bytes."""
    while line := stream.readline(LINE):
        yield line.decode("utf-8-sig", "replace")
        while line and not line.endswith(b"\n"):
            line = stream.readline(LINE)


def _stored(flags: Flags, exported: str | None, removed: str | None) -> None:
    """What is done with stored conversations without any reading."""
    from mmxcli.render import chat as render
    from mmxcli.tasks import chat as task

    settings = flags.settings()
    if removed is not None:
        task.remove_chat(settings, removed)
    elif exported is not None:
        output = flags.output()
        output.raw("\n".join(render.markdown(task.stored_chat(settings, exported))) + "\n")
        output.save()
    else:
        flags.listing(list(task.list_chats(settings)), render.conversation, empty="no conversation is stored yet")
