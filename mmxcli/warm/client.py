"""A command line, run by the warm process where there is one: with this command's own terminal, folder and variables.

Nothing heavy is imported here: a command that is served needs no more than this.
"""

import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from mmxcli.line import Broken, Message, receive, send
from mmxcli.warm.place import SOCKET, folder
from mmxcli.warm.surroundings import surroundings

SERVED = ("ask", "read", "count")  # the commands that gain by it
STREAMS = (0, 1, 2)
PATIENCE = 3.0  # seconds until a process that does not answer is left alone
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def served(arguments: Sequence[str]) -> int | None:
    """The exit code of a command line that the warm process has run; None where it is for this process to run."""
    if not arguments or arguments[0] not in SERVED or _unwanted(arguments, os.environ):
        return None
    try:
        for stream in STREAMS:
            os.fstat(stream)  # what opens next would take the place of one that is closed
        connection = _reach()
    except (Broken, OSError):
        return None
    with connection:
        try:
            send(connection, {"do": "run", "surroundings": surroundings()})
            if "refused" in receive(connection)[0]:
                return None
            request = {
                "arguments": list(arguments),
                "folder": str(Path.cwd()),
                "environment": dict(os.environ),
                "umask": _umask(),
            }
            # Only now: what is sent to a process that has stopped stays open as long as it does.
            send(connection, request, STREAMS)
            runner = int(receive(connection)[0]["process"])
            connection.settimeout(None)
            ended = _Ended(runner)
            with ended.forwarding():
                connection.sendall(b"!")  # without it nothing runs: until here this process could go on by itself
                return ended.code(connection)
        except (Broken, OSError, KeyError, ValueError):
            return None


class _Ended:
    """Waits for the process that runs the command, and passes on the signals that come meanwhile."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._passed: int | None = None

    def code(self, connection: socket.socket) -> int:
        """The exit code. Where the process was ended by a signal that was passed on, so is this one."""
        with suppress(Broken, KeyError, TypeError, ValueError):
            return int(receive(connection)[0]["code"])
        if self._passed is not None:
            signal.signal(self._passed, signal.SIG_DFL)
            os.kill(os.getpid(), self._passed)
        sys.stderr.write("mmx: the warm process was killed while it worked: run the command again\n")
        return 1

    @contextmanager
    def forwarding(self) -> Iterator[None]:
        handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]]
        handlers = dict.fromkeys(FORWARDED, self._pass_on) | {signal.SIGTSTP: self._stop}
        # What is ignored, as under nohup, stays so; the other process has never heard of it.
        heeded = {number: handler for number, handler in handlers.items() if signal.getsignal(number) != signal.SIG_IGN}
        before = {number: signal.signal(number, handler) for number, handler in heeded.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._passed = number
        self._signal(number)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: both stop, and both go on."""
        self._signal(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._process, number)


def asked(what: str, **more: object) -> Message | None:
    """What the warm process says to a short question; None where there is none, or none that answers."""
    with suppress(Broken), _reach() as connection:
        send(connection, {"do": what} | more)
        return receive(connection)[0]
    return None


def _reach() -> socket.socket:
    """A connection to the warm process of this user. Raises Broken where there is none."""
    place = folder()
    if place is None:
        raise Broken("there is no folder for it")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(str(place / SOCKET))
        if not same_user(connection):
            raise Broken("it belongs to somebody else")
    except (OSError, Broken) as error:
        connection.close()
        raise Broken(str(error)) from error
    return connection


def same_user(connection: socket.socket) -> bool:
    """Whether the other end runs as this user, where the system tells."""
    option: Any = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the folder lets in nobody else
    credentials = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1]) == os.getuid()


def _unwanted(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether the person wants no warm process: said plainly, or by what would have another meaning there."""
    said = [after for before, after in pairwise(arguments) if before == "--keep-warm"]
    said += [word.partition("=")[2] for word in arguments if word.startswith("--keep-warm=")]
    return (said[-1] if said else environment.get("MMX_KEEP_WARM")) == "off"


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
