"""E-mail: single messages, and mailboxes of them."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from io import BytesIO
from typing import BinaryIO

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import BLOCK, Content, Item, Reader
from mmxcli.sources.markup import Block, blocks, written
from mmxcli.sources.segment import Gap, Place, Remark, Segment

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MOST_MESSAGE = 1 << 27  # bytes
MOST_DEPTH = 4  # of a message attached to a message attached to …
_MAILBOX = re.compile(rb"\AFrom \S+.*\d{4}\s*\r?\n[!-9;-~]+:")
_HEADER = re.compile(rb"\A(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_TELLING = re.compile(rb"^(?:message-id|received|mime-version|return-path|delivered-to|x-mailer):", re.I | re.M)
_ADDRESSED = re.compile(rb"^from:[^\n]*@", re.I | re.M)


class MailReader:
    """Sender, recipients, date and subject, the text, then what is attached, as its own format has it."""

    format = "e-mail"

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth

    @property
    def version(self) -> str:
        return f"mail 2, {', '.join(reader.version for reader in _readers_of_attachments(self._depth))}"

    def recognises(self, head: bytes, content: Content) -> bool:  # noqa: ARG002 - as the protocol has it
        if _MAILBOX.match(head):
            return True
        found = _HEADER.match(head.replace(b"\r\n", b"\n"))
        return found is not None and bool(_ADDRESSED.search(found[0])) and bool(_TELLING.search(found[0]))

    def read(self, content: Content) -> Iterator[Item]:
        cutter = Cutter(content.name)
        with content.open() as stream:
            whole = _MAILBOX.match(stream.read(4096)) is None
            stream.seek(0)
            parser = BytesParser(policy=policy.default)
            for number, data in enumerate([stream.read()] if whole else _messages(stream), 1):
                if len(data) > MOST_MESSAGE:
                    yield Gap(content.name, f"message {number} is larger than {MOST_MESSAGE >> 20} MiB")
                    continue
                message = parser.parsebytes(data)
                assert isinstance(message, EmailMessage)
                subject = _header(message, "Subject")
                words = f"message {number}: {subject[:80]}" if subject and not whole else f"message {number}"
                place = None if whole else Place(words)
                top = "".join(f"{name}: {text}\n" for name in HEADERS if (text := _header(message, name)))
                yield from cutter.cut(f"{top}\n{_body(message).rstrip()}\n\n", place=place, last=True)
                for part in _attachments(message):
                    yield from self._attached(part, cutter, f"message {number}, " if not whole else "")

    def _attached(self, part: EmailMessage, cutter: Cutter, where: str) -> Iterator[Item]:
        name = " ".join(str(part.get_filename() or part.get_content_type()).split())
        where = f"{where}attachment {name[:80]}"
        data = part.get_payload(decode=True)
        held = _Held(name, data if isinstance(data, bytes) else b"")
        head = held.data[:BLOCK]
        readers = _readers_of_attachments(self._depth)
        reader = next((one for one in readers if one.recognises(head, held)), None)
        if reader is None:
            yield Gap(cutter.source, f"{where}: {'binary' if head else 'empty'}")
            return
        yield from cutter.cut(f"Attachment: {name}\n\n", place=Place(where), last=True)
        try:
            for item in reader.read(held):
                yield from _moved(item, cutter, where)
        except (MemoryError, GeneratorExit):
            raise
        except Exception as error:  # noqa: BLE001 - a parser on a damaged file; the rest of the message is whole
            yield Gap(cutter.source, f"{where}: broken {reader.format} ({type(error).__name__})")
        yield from cutter.cut("\n", place=Place(where), last=True)


def _moved(item: Item, cutter: Cutter, where: str) -> Iterator[Item]:
    """What was found in an attachment, as a part of the message."""
    match item:
        case Segment():
            base = item.place.base if item.place else None
            words = where + (f", {item.place.words}" if item.place else "")
            place = Place(words, None if base is None else base + cutter.line - item.line)
            yield from cutter.cut(item.text, item.page, place, last=True)
        case Gap():
            yield Gap(cutter.source, f"{where}: {item.reason}", item.page)
        case Remark():
            yield Remark(cutter.source, f"{where}: {item.text}")


@dataclass(frozen=True, slots=True)
class _Held:
    """The bytes of an attachment, as a Content for readers of this process."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return BytesIO(self.data)

    def file(self) -> AbstractContextManager[tuple[int, int]]:
        raise NotImplementedError("what is attached is parsed where the message is")


def _readers_of_attachments(depth: int) -> tuple[Reader, ...]:
    """Those of all formats; of a message in a message only so far."""
    from mmxcli.sources.readers import PARSERS
    from mmxcli.sources.subtitles import SubtitleReader
    from mmxcli.sources.text import TextReader

    within = (MailReader(depth + 1),) if depth < MOST_DEPTH else ()
    others = (parser for parser in PARSERS if not isinstance(parser, MailReader))
    return (*others, *within, SubtitleReader(), TextReader())


def _attachments(message: EmailMessage) -> Iterator[EmailMessage]:
    for part in message.walk():
        named = part.get_content_disposition() == "attachment"
        other = part.get_content_maintype() not in ("text", "multipart", "message")
        if isinstance(part, EmailMessage) and (named or other) and not part.is_multipart():
            yield part


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """Those of a mailbox: each begins with a line "From …" after an empty one. Of one that is too large comes so much
    that it shows."""
    lines: list[bytes] = []
    blank, size = True, 0
    for line in stream:
        if blank and line.startswith(b"From "):
            if size:
                yield b"".join(lines)
            lines, size, blank = [], 0, False
            continue
        if size <= MOST_MESSAGE:
            lines.append(line[1:] if re.match(rb">+From ", line) else line)
        size += len(line)
        blank = not line.strip()
    if size:
        yield b"".join(lines)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())
    except Exception:  # noqa: BLE001 - the library's parser of addresses, on addresses that are none
        return ""


def _body(message: EmailMessage) -> str:
    """The text of a message, and of those that it holds; the plain form where there are two."""
    if message.is_multipart():
        if message.get_content_type() == "multipart/alternative":
            body = message.get_body(("plain", "html"))
            return _text(body) if isinstance(body, EmailMessage) else ""
        return "\n".join(_body(part) for part in message.iter_parts() if isinstance(part, EmailMessage))
    return "" if message.get_content_disposition() == "attachment" else _text(message)


def _text(part: EmailMessage) -> str:
    if part.get_content_maintype() != "text":
        return ""
    data = part.get_payload(decode=True)
    data = data if isinstance(data, bytes) else b""
    try:
        text = data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a character set that nobody knows
        text = data.decode("utf-8", "replace")
    if part.get_content_subtype() == "html":
        return "".join(written(one) for one in blocks(_Held("", text.encode()), "utf-8") if isinstance(one, Block))
    return text.replace("\r\n", "\n")
