"""Formats that a stranger may have made to do harm are parsed in a process of its own, with limits.

One process reads one document after another. Whatever happens to it, whoever asked gets what was read until then and
the reason why there is no more; the next document gets a new process.
"""

import atexit
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from mmxcli.line import Broken, Message, receive, send
from mmxcli.sources.document import Content, Reader
from mmxcli.sources.segment import Gap, Place, Remark, Segment

MOST_MEMORY = 2 << 30  # bytes of address space that a parser may take, beyond what the process begins with
SILENCE = 60.0  # seconds without anything new
MOST_SECONDS = 900.0  # for one document
MOST_TEXT = 1 << 30  # code points of one document
NO_MEMORY = 17  # the exit code of a parser that has met its limit


@dataclass(frozen=True, slots=True)
class Isolated:
    """A reader that works in the other process."""

    reader: Reader

    @property
    def format(self) -> str:
        return self.reader.format

    @property
    def version(self) -> str:
        return self.reader.version

    def recognises(self, head: bytes, content: Content) -> bool:
        return self.reader.recognises(head, content)

    def read(self, content: Content) -> Iterator[Segment | Gap | Remark]:
        """What the reader reads; where it cannot go on, a Gap says why. Raises OSError."""
        worker = _Worker.current()
        done = False
        try:
            with content.open() as stream:  # raises what keeps the file from being read
                stream.read(1)
            yield from worker.read(self.reader, content)
            done = True
        finally:
            if not done:  # it still works for somebody who has seen enough
                worker.end()


class _Worker:
    """The process, and the line to it."""

    _current: "_Worker | None" = None

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # -P: a module that lies in the working folder is none of ours
                [sys.executable, "-P", "-m", "mmxcli.sources.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._line = ours
        self._owner = os.getpid()
        atexit.register(self.end)

    @classmethod
    def current(cls) -> "_Worker":
        if cls._current is None or cls._current._owner != os.getpid() or cls._current._process.poll() is not None:
            cls._current = cls()
        return cls._current

    def end(self) -> None:
        atexit.unregister(self.end)
        self._line.close()
        self._process.kill()
        self._process.wait()
        if _Worker._current is self:
            _Worker._current = None

    def read(self, reader: Reader, content: Content) -> Iterator[Segment | Gap | Remark]:
        begun, text = time.monotonic(), 0
        pages: set[int | None] = set()
        try:
            with content.file() as (file, offset):
                what = {"reader": reader.format, "options": _options(reader)}
                where = {"name": content.name, "size": content.size, "offset": offset}
                send(self._line, what | where, [file])
            while True:
                left = begun + MOST_SECONDS - time.monotonic()
                self._line.settimeout(max(0.1, min(left, SILENCE)))
                message, _ = receive(self._line)
                if "end" in message:
                    return
                item = _item(content.name, message)
                if isinstance(item, Segment):
                    text += len(item.text)
                    pages.add(item.page)
                yield item
                if left <= 0 or text > MOST_TEXT:
                    reason = f"it took more than {MOST_SECONDS:.0f} s" if left <= 0 else "it gives too much text"
                    break
        except Broken as broken:
            reason = f"nothing new came for {SILENCE:.0f} s" if broken.silent else self._death()
        self.end()
        yield Gap(
            content.name, f"reading stopped{f' after page {max(filter(None, pages))}' if any(pages) else ''}: {reason}"
        )

    def _death(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        return "the parser crashed" if self._process.returncode != NO_MEMORY else "the parser needs too much memory"


def _options(reader: Reader) -> Message:
    """What a reader of this kind is made with."""
    return {name: getattr(reader, name) for name in getattr(reader, "__dataclass_fields__", ())}


def _item(source: str, message: Message) -> Segment | Gap | Remark:
    if "text" in message:
        words, base = message["place"] or (None, None)
        place = Place(words, base) if words is not None else None
        return Segment(source, message["text"], message["start"], message["line"], message["page"], place)
    if "gap" in message:
        return Gap(message["source"], message["gap"], message["page"])
    return Remark(source, message["remark"])


def _message(item: Segment | Gap | Remark) -> Message:
    match item:
        case Segment():
            place = item.place and (item.place.words, item.place.base)
            return {"text": item.text, "start": item.start, "line": item.line, "page": item.page, "place": place}
        case Gap():
            return {"gap": item.reason, "source": item.source, "page": item.page}
        case Remark():
            return {"remark": item.text}


def _serve(line: socket.socket) -> None:
    """Reads what is asked for, until nobody asks any more."""
    from mmxcli.sources.readers import PARSERS
    from mmxcli.sources.spool import Slice

    kinds = {parser.format: type(parser) for parser in PARSERS}
    while True:
        message, (file,) = receive(line, 1)
        reader = kinds[message["reader"]](**message["options"])
        content = Slice(message["name"], message["size"], file, message["offset"])
        try:
            for item in reader.read(content):
                send(line, _message(item))
        except MemoryError:
            os._exit(NO_MEMORY)
        except Broken:
            raise
        except Exception as error:  # noqa: BLE001 - a parser on a damaged file
            send(line, _message(Gap(content.name, f"broken {reader.format} ({type(error).__name__})")))
        send(line, {"end": True})
        os.close(file)


def _limit_memory() -> None:
    import psutil

    most = psutil.Process().memory_info().vms + MOST_MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit_memory()
    with suppress(Broken):
        _serve(socket.socket(fileno=int(sys.argv[1])))
