"""The warm process: it has loaded what commands need, and hands each command to a copy of itself.

A copy is made ahead and makes itself ready, so that nobody waits for it; where several are wanted at once, the others
are made then. It runs one command, with the terminal, folder and variables of who asked, and ends; whatever happens to
it, the next one is untouched.

A command says what it wants with "do": run, stay, status or end. Any version understands the last two.
"""

import fcntl
import io
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn

import psutil

from mmxcli.line import Broken, Message, close, receive, send
from mmxcli.warm.client import same_user
from mmxcli.warm.place import LOCK, SOCKET, folder
from mmxcli.warm.surroundings import surroundings

HEARING = 2.0  # seconds for a command to say what it wants
GOING = 2.0  # seconds for one that was told to end to be gone
MOST_LOST = 3  # copies one after the other that end before they have a command
LOOKING = 30.0  # seconds between two looks at the memory that it takes


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of this process that waits for its command; `line` leads to it."""

    process: int
    line: socket.socket


class Server:
    """`ready` makes a copy ready; `run` runs a command line in one and returns its exit code. `held` says what is
    loaded. It ends after `seconds` without a command, or where it takes more than `most_bytes` of memory."""

    def __init__(
        self,
        ready: Callable[[], None],
        run: Callable[[Sequence[str]], int],
        held: Message,
        seconds: float,
        most_bytes: int,
    ) -> None:
        self._ready = ready
        self._run = run
        self._held = held
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._surroundings = surroundings()
        self._used = time.monotonic()
        self._working: set[int] = set()
        self._copy: Copy | None = None
        self._lost = 0
        self._going = True

    def serve(self) -> None:
        """Until nobody has wanted anything for so long, or until it is told to end. Returns at once where there is a
        warm process already. Raises OSError when there can be none."""
        place = folder(create=True)
        if place is None:
            raise OSError("there is no private folder for the socket")
        with _alone(place / LOCK) as alone:
            if alone is None:
                return
            with _listening(place / SOCKET) as door, _signals({signal.SIGTERM, signal.SIGINT}, self._end) as signalled:
                self._not_for_copies = (door, signalled, alone)
                try:
                    self._loop(door, signalled)
                finally:
                    if self._copy:
                        self._copy.line.close()  # which ends it

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._going = False

    def _loop(self, door: socket.socket, signalled: socket.socket) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(door, selectors.EVENT_READ, lambda: self._hear(door))
            waiting.register(signalled, selectors.EVENT_READ, lambda: signalled.recv(64))
            while self._going:
                if self._working:
                    self._reap()
                    self._used = time.monotonic()
                if not self._working:  # a copy that makes itself ready would take time from what works
                    self._see_to_a_copy()
                left = self._used + self._seconds - time.monotonic()
                if left <= 0:
                    return
                for key, _ in waiting.select(min(left, LOOKING)):
                    key.data()
                if (taken := self._bytes()) > self._most_bytes:
                    raise Broken(f"it has taken {taken >> 20} MiB, over its limit of {self._most_bytes >> 20} MiB")

    def _hear(self, door: socket.socket) -> None:
        """One request. What does not speak as we do is left alone."""
        with suppress(OSError, Broken, KeyError, TypeError, ValueError):
            copy = self._see_to_a_copy()
            connection, _ = door.accept()
            with connection:
                connection.settimeout(HEARING)
                if not same_user(connection):
                    return
                self._answer(connection, receive(connection)[0], copy)

    def _answer(self, connection: socket.socket, message: Message, copy: Copy) -> None:
        match message.get("do"):
            case "run" if message.get("surroundings") == self._surroundings:
                send(connection, {})
                request, files = receive(connection, 3)
                try:
                    self._hand_over(connection, request, files, copy)
                finally:
                    close(files)
            case "run":
                send(connection, {"refused": "this process was started under other conditions"})
            case "stay":
                self._seconds, self._used = float(message["seconds"]), time.monotonic()
                send(connection, {})
            case "end":
                self._going = False
                send(connection, {})
            case _:
                send(connection, self._about())

    def _about(self) -> Message:
        return {
            "process": os.getpid(),
            "surroundings": self._surroundings,
            "held": self._held,
            "seconds": self._seconds,
            "bytes": self._bytes(),
            "working": len(self._working),
        }

    def _hand_over(self, connection: socket.socket, message: Message, files: Sequence[int], copy: Copy) -> None:
        """To the copy that waits. Where it has been killed meanwhile, who asked hears nothing, and starts cold."""
        self._copy, self._lost = None, 0
        self._working.add(copy.process)
        with copy.line as line:
            send(line, message, (connection.fileno(), *files))

    def _reap(self) -> None:
        """Forgets the copies that have ended."""
        for process in tuple(self._working):
            if _ended(process):
                self._working.discard(process)

    def _see_to_a_copy(self) -> Copy:
        """That one waits. Comes when no file of a command is open, which a copy would keep open. Raises Broken where
        each ends at once."""
        if self._copy and _ended(self._copy.process):
            self._copy.line.close()
            self._copy, self._lost = None, self._lost + 1
            if self._lost > MOST_LOST:
                raise Broken("its copies are killed before they have done anything")
        if self._copy is None:
            self._copy = self._copied()
        return self._copy

    def _bytes(self) -> int:
        """Memory of this process and of the copy that waits, without what they have mapped from files."""
        return _own_bytes(os.getpid()) + (_own_bytes(self._copy.process) if self._copy else 0)

    def _copied(self) -> Copy:
        ours, theirs = socket.socketpair()
        process = os.fork()
        if process:
            theirs.close()
            return Copy(process, ours)
        try:
            signal.set_wakeup_fd(-1)
            for file in (ours, *self._not_for_copies):  # the lock too: it is held as long as anybody has it open
                file.close()
            self._be_a_copy(theirs)
        finally:
            os._exit(1)  # whatever happened: what this process would do at its end is for the other to do

    def _be_a_copy(self, line: socket.socket) -> NoReturn:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        with suppress(Exception):  # then it loads what it needs when it needs it, and tells what is wrong
            self._ready()
        try:
            message, (file, *files) = receive(line, 4)
        except Broken:  # nobody needs it any more
            os._exit(0)
        line.close()
        connection = socket.socket(fileno=file)
        connection.settimeout(None)
        _become(message, files)
        send(connection, {"process": os.getpid()})
        if connection.recv(1) != b"!":  # who asked has lost patience, and does it without us
            os._exit(0)
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = self._run(message["arguments"])
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        send(connection, {"code": code})
        os._exit(0)


def _become(message: Message, files: Sequence[int]) -> None:
    """Takes over the open files, the variables and the folder of who asked."""
    encoding = sys.stdin.encoding
    for number, file in enumerate(files):
        os.dup2(file, number)
    close(files)
    sys.stdin, sys.stdout, sys.stderr = (_stream(number, encoding) for number in range(3))
    os.environ.clear()
    os.environ.update(message["environment"])
    os.chdir(message["folder"])
    os.umask(message["umask"])
    os.setpgid(0, 0)


def _stream(number: int, encoding: str) -> io.TextIOWrapper:
    raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    terminal = raw.isatty()
    buffer = io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer, encoding, "backslashreplace" if number else "strict", line_buffering=terminal or number == 2
    )


def _end_with(connection: socket.socket) -> None:
    """Ends this process when who asked has gone."""
    with suppress(OSError):
        connection.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _ended(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _own_bytes(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line[:20])
        return int(lines["Pss_Anon"].split()[0]) << 10
    except (OSError, KeyError, ValueError):  # no such system
        with suppress(psutil.Error):
            return int(psutil.Process(process).memory_info().rss)
        return 0


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO | None]:
    """The lock, where nobody else has it. It is free again when this process ends, however it does."""
    with open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        end = time.monotonic() + GOING
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    yield None
                    return
                time.sleep(0.1)
        yield file


@contextmanager
def _signals(ending: Collection[int], end: Callable[[int, FrameType | None], None]) -> Iterator[socket.socket]:
    """What can be read from when one of these has come, or a copy has ended. `end` is called for the former."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in ending:
            signal.signal(number, end)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(-1)  # the last copy ends later, and would be told of where nobody reads any more


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)  # of one that was killed
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        mask = os.umask(0o177)
        try:
            door.bind(str(path))
        finally:
            os.umask(mask)
        door.listen()
        try:
            yield door
        finally:
            path.unlink(missing_ok=True)
