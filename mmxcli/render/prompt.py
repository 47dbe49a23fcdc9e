"""Where a person types the turns of a conversation."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.reading.interrupt import handled
from mmxcli.state.files import private_folder

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

LONGEST_HISTORY = 1 << 20  # bytes


def typed(completions: Callable[[str], Iterable[str]], history: Path | None) -> Iterator[str]:
    """What the person enters, until Ctrl-D. Ctrl-C begins anew, Alt-Enter a new line. Tab offers the `completions` of
    what was typed. What was entered is kept in the file `history`, for its owner alone, if there is one."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.output import create_output

    session: PromptSession[str] = PromptSession(
        history=_history(history),
        output=create_output(sys.stderr),  # standard output is for answers alone
        key_bindings=_keys(),
        completer=_completer(completions),
        complete_while_typing=False,
        prompt_continuation="  ",
    )
    while True:
        try:
            yield _entered(session)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _entered(session: "PromptSession[str]") -> str:
    """What is entered next. A signal that ends the program is heeded between two steps of the event loop: what its
    handler raises inside one the library takes for a defect, shows it, and waits for Enter."""
    heard: list[int] = []

    def leave() -> None:
        if heard and session.app.is_running and not session.app.is_done:
            session.app.exit(exception=EOFError())

    def hear(number: int, _frame: object) -> None:
        heard.append(number)
        if session.app.loop:
            session.app.loop.call_soon_threadsafe(leave)

    try:
        with handled(hear, signal.SIGTERM, signal.SIGHUP):
            entered: str = session.prompt("> ", pre_run=leave)
            return entered
    finally:
        if heard:
            signal.raise_signal(heard[0])


def _completer(completions: Callable[[str], Iterable[str]]) -> "Completer":
    from prompt_toolkit.completion import Completer, Completion

    class Whole(Completer):  # type: ignore[misc]
        """Of all that was typed, not of its last word."""

        def get_completions(self, document: "Document", _: object) -> "Iterator[Completion]":
            begun = document.text_before_cursor
            yield from (Completion(whole, -len(begun)) for whole in completions(begun))

    return Whole()


def _keys() -> "KeyBindings":
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    def break_line(event: "KeyPressEvent") -> None:
        event.current_buffer.insert_text("\n")

    keys.add("escape", "enter")(break_line)
    return keys


def _history(file: Path | None) -> "History":
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Kept(FileHistory):  # type: ignore[misc]
        def store_string(self, string: str) -> None:
            with suppress(OSError):  # a full disk ends no conversation
                super().store_string(string.encode("utf-8", "replace").decode())  # bytes in no encoding

    if file is None:
        return InMemoryHistory()
    try:
        private_folder(file.parent)
        os.close(os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        file.chmod(0o600)
        if file.stat().st_size > LONGEST_HISTORY:
            file.write_bytes(file.read_bytes()[-LONGEST_HISTORY // 2 :])
    except OSError:
        return InMemoryHistory()
    return Kept(str(file))
