"""E-mail: single messages, and mailboxes of them."""

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import policy
from email.errors import CloseBoundaryNotFoundDefect, InvalidBase64LengthDefect
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from itertools import chain, pairwise
from typing import Any, BinaryIO

from mmxcli.sources.archive import is_archive
from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import BLOCK, Content, Held, Item, Reader
from mmxcli.sources.encoding import WIDER, encoding_of
from mmxcli.sources.html import HtmlReader
from mmxcli.sources.segment import Gap, Place, Remark, Segment
from mmxcli.sources.text import UNDECODED, TextReader

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MOST_MESSAGE = 1 << 27  # bytes
MOST_REMARKS = 9  # on one mailbox
MOST_DEPTH = 4  # of a message attached to a message attached to …
FEW = 10  # bytes beyond ASCII to one that is not in the encoding that a text is said to be in
NEW = 0.2  # of the words of an alternative, from which on it says something that was not said before
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_SEPARATOR = re.compile(
    rb"From [^\n]{0,400}\b%b +(?:\d{1,2} +\d\d?:\d\d[^\n]{0,60}\b\d{4}\b|\d{4},? +\d\d?:\d\d)" % _MONTH
)
_NAME = re.compile(rb"[!-9;-~]+:")
_FIRST = re.compile(rb"\A(?:\xef\xbb\xbf)?%b[^\n]*\n%b" % (_SEPARATOR.pattern, _NAME.pattern))
_HEADER = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_TELLING = re.compile(
    rb"^(?:message-id|received|mime-version|return-path|delivered-to|x-mailer|content-transfer-encoding):"
    rb"|^date:[^\n]*\d %b \d{2,4} +\d\d?:\d\d" % _MONTH,
    re.I | re.M,
)
_ADDRESSED = re.compile(rb"^from:(?:[^\n]|\n[ \t])*@", re.I | re.M)
_WORD = re.compile(r"\w+")
_CHARSET = re.compile(r"(?<==\?)[\w-]+(?=\?[BQ]\?)", re.I)  # of an encoded word
_BEYOND_ASCII = bytes(range(128, 256))
_MESSAGES = ("rfc822", "global", "news")  # the others are reports
_TEXTS = ("text", "HTML", "subtitles")
_BLANK = ("empty", "a page without text")  # what readers say of a text in which nothing is missing


@dataclass(frozen=True, slots=True)
class MailReader:
    """Sender, recipients, date and subject, the text, then what is attached, as its own format has it. With an
    `encoding`, what does not say its own is in this one."""

    encoding: str | None = None
    depth: int = 0

    @property
    def format(self) -> str:
        return "e-mail"

    @property
    def version(self) -> str:
        return f"mail 3, {', '.join(reader.version for reader in self._readers())}"

    def recognises(self, head: bytes, content: Content) -> bool:  # noqa: ARG002 - as the protocol has it
        if _FIRST.match(head):
            return True
        found = _HEADER.match(head.replace(b"\r\n", b"\n"))
        return found is not None and bool(_ADDRESSED.search(found[0])) and bool(_TELLING.search(found[0]))

    def read(self, content: Content) -> Iterator[Item]:
        cutter, remarks = Cutter(content.name), 0
        with content.open() as stream:
            head = stream.read(4096)
            whole = _FIRST.match(head) is None
            stream.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
            for number, data in enumerate([stream.read(MOST_MESSAGE + 1)] if whole else _messages(stream), 1):
                for item in self._one(data, cutter, "" if whole else f"message {number}"):
                    remarks += isinstance(item, Remark)
                    if not isinstance(item, Remark) or remarks <= MOST_REMARKS:
                        yield item
        if remarks > MOST_REMARKS:
            yield Remark(content.name, f"{remarks - MOST_REMARKS:,} more such remarks")

    def _one(self, data: bytes, cutter: Cutter, where: str) -> Iterator[Item]:
        if len(data) > MOST_MESSAGE:
            yield Gap(cutter.source, _within(where, f"larger than {MOST_MESSAGE >> 20} MiB"))
            return
        try:
            encoding = self.encoding or "utf-8"
            end = re.search(rb"\n\r?\n", data[:BLOCK])
            top = data[: end.start() if end else BLOCK]
            found = encoding_of(top, whole=end is not None)
            if found and found.name != "UTF-8" and not self.encoding and not top.isascii():
                found = encoding_of(data[:BLOCK], whole=len(data) <= BLOCK) or found  # more bytes tell more
                encoding = found.name
                words = f"its headers: read as {encoding}, {found.sure:.0%} sure (--encoding overrules)"
                yield Remark(cutter.source, _within(where, words))
            message = _parsed(data, encoding)
            yield from self._message(message, cutter, where)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the library's parser, on a damaged message
            yield Gap(cutter.source, _within(where, f"broken {self.format} ({type(error).__name__})"))
            return
        if any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects):
            yield Gap(cutter.source, _within(where, "it ends too early: its last part has no end"))

    def _message(self, message: EmailMessage, cutter: Cutter, where: str) -> Iterator[Item]:
        subject = _header(message, "Subject")
        words = f"{where}: {subject[:80]}" if subject and where else where
        texts, others = list[str](), list[EmailMessage | Item]()
        for one in self._shown(message):
            if isinstance(one, str):
                texts.append(one)
            else:
                others.append(one)
        top = "".join(f"{name}: {text}\n" for name in HEADERS if (text := _header(message, name)))
        body = "\n".join(texts).rstrip()
        yield from cutter.cut(f"{top}\n{body}\n\n", place=Place(words) if words else None, last=True)
        for other in others:
            if isinstance(other, EmailMessage):
                yield from self._attached(other, cutter, where)
            else:
                yield from _moved(other, cutter, where)

    def _shown(self, part: EmailMessage) -> Iterator[str | EmailMessage | Item]:
        """The texts of a message, or of a part of one, in their order; what is attached; what is to be told of them."""
        kind, sub = part.get_content_maintype(), part.get_content_subtype()
        parts = [one for one in part.iter_parts() if isinstance(one, EmailMessage)]
        if kind == "multipart" and parts:
            shown = [self._shown(one) for one in parts]
            yield from _alternatives(shown) if sub == "alternative" else chain.from_iterable(shown)
        elif kind == "message" and parts and sub not in _MESSAGES:
            for one in parts:  # what a server reports stands in headers
                yield "".join(f"{name}: {' '.join(str(value).split())}\n" for name, value in one.items())
                yield from self._shown(one)
        elif kind == "multipart" or (kind == "text" and part.get_content_disposition() != "attachment"):
            if kind == "multipart":
                yield Gap("", "its parts are not marked as it says: read as one text")
            yield from self._text(part)
        else:
            yield part

    def _text(self, part: EmailMessage) -> Iterator[str | Item]:
        data, damage = _data(part)
        data, more = _as_declared(part, data)
        held = Held("", data)
        html = "html" in part.get_content_subtype()
        reader: Reader = HtmlReader(self.encoding) if html else TextReader(self.encoding)
        yield from (Gap("", reason) for reason in damage + more)
        if data and not html and not reader.recognises(data[:BLOCK], held):
            yield Gap("", "its text: binary")
            return
        texts = list[str]()
        for item in _read(reader, held):
            if isinstance(item, Segment):
                texts.append(item.text)
            elif not (isinstance(item, Gap) and item.reason in _BLANK):
                yield from _moved(item, Cutter(""), "its text")
        yield "".join(texts).replace("\r\n", "\n")

    def _attached(self, part: EmailMessage, cutter: Cutter, within: str) -> Iterator[Item]:
        inner = _inner(part, self.encoding or "utf-8")
        unnamed = part.get_content_type() if inner is None else "message"
        name = " ".join(str(part.get_filename() or unnamed).encode("utf-8", "replace").decode().split())
        where = f"{within}, attachment {name[:80]}" if within else f"attachment {name[:80]}"
        data, damage = _data(part)
        head, held = data[:BLOCK], Held(name, data)
        reader = next((one for one in self._readers() if one.recognises(head, held)), None)
        if reader and reader.format in _TEXTS:
            data, more = _as_declared(part, data)
            held, damage = Held(name, data), damage + more
        yield from (Gap(cutter.source, f"{where}: {reason}") for reason in damage)
        if inner is not None and self.depth == MOST_DEPTH:
            yield Gap(cutter.source, f"{where}: a message within {MOST_DEPTH} others")
        elif inner is not None:
            yield from cutter.cut(f"Attachment: {name}\n\n", place=Place(where), last=True)
            yield from replace(self, depth=self.depth + 1)._message(inner, cutter, where)
        elif reader:
            yield from cutter.cut(f"Attachment: {name}\n\n", place=Place(where), last=True)
            for item in _read(reader, held):
                yield from _moved(item, cutter, where)
            yield from cutter.cut("\n", place=Place(where), last=True)
        else:
            reason = "an archive, which is not opened" if is_archive(head) else "binary" if head else "empty"
            yield Gap(cutter.source, f"{where}: {reason}")

    def _readers(self) -> tuple[Reader, ...]:
        """Those of what is attached; of a message in a message only so far."""
        from mmxcli.sources.readers import parsers
        from mmxcli.sources.subtitles import SubtitleReader

        within = (replace(self, depth=self.depth + 1),) if self.depth < MOST_DEPTH else ()
        others = (parser for parser in parsers(self.encoding) if not isinstance(parser, MailReader))
        return (*others, *within, SubtitleReader(self.encoding), TextReader(self.encoding))


def _moved(item: Item, cutter: Cutter, where: str) -> Iterator[Item]:
    """What was found in a part of a message, as a part of what `cutter` cuts."""
    match item:
        case Segment():
            base = item.place.base if item.place else None
            words = where + (f", {item.place.words}" if item.place else "")
            place = Place(words, None if base is None else base + cutter.line - item.line)
            yield from cutter.cut(item.text, item.page, place, last=True)
        case Gap():
            yield Gap(cutter.source, _within(where, item.reason), item.page)
        case Remark():
            yield Remark(cutter.source, _within(where, item.text))


def _within(where: str, reason: str) -> str:
    return f"{where}: {reason}" if where else reason


def _read(reader: Reader, held: Held) -> Iterator[Item]:
    """What the reader reads; what goes wrong in it leaves the rest of the message whole."""
    try:
        yield from reader.read(held)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a parser on a damaged file
        yield Gap(held.name, f"broken {reader.format} ({type(error).__name__})")


def _data(part: EmailMessage) -> tuple[bytes, list[str]]:
    """The bytes of a part, and what is damaged in them."""
    known = len(part.defects)
    data = part.get_payload(decode=True)
    data = data if isinstance(data, bytes) else b""
    defects = part.defects[known:]
    if any(isinstance(defect, InvalidBase64LengthDefect) for defect in defects):  # nothing was decoded
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        data = binascii.a2b_base64(letters[: len(letters) // 4 * 4])
    return data, ["its base64 is damaged"] if defects else []


def _as_declared(part: EmailMessage, data: bytes) -> tuple[bytes, list[str]]:
    """A text as UTF-8 that says so, of what the message says its encoding is, and what is damaged in it. It stays as it
    is where nobody knows that encoding, or it is another one."""
    charset = part.get_content_charset("")
    try:
        text = data.decode(_meant(charset), "mmxcli.mark").removeprefix("\ufeff")
        if lost := text.count(UNDECODED):
            if lost * FEW > len(data) - len(data.translate(None, _BEYOND_ASCII)):
                return data, []
            text = text.replace(UNDECODED, "\ufffd")
        return codecs.BOM_UTF8 + text.encode(), [f"{lost} bytes are not {charset}"] if lost else []
    except (LookupError, ValueError):  # not an encoding, or half a surrogate pair in UTF-7
        return data, []


def _meant(charset: str) -> str:
    """The encoding that a message means by this name."""
    try:
        return WIDER.get(codecs.lookup(charset).name, charset)
    except (LookupError, ValueError):  # ValueError: a NUL character in it
        return charset


def _inner(part: EmailMessage, encoding: str) -> EmailMessage | None:
    """The message that is attached as such."""
    if part.get_content_maintype() != "message" or not part.is_multipart():
        return None
    inner = part.get_payload(0)
    assert isinstance(inner, EmailMessage)
    if str(part.get("Content-Transfer-Encoding")).lower() == "base64" and not inner.keys():  # against the standard
        inner["Content-Transfer-Encoding"] = "base64"
        return _parsed(_data(inner)[0], encoding)
    return inner


def _parsed(data: bytes, encoding: str) -> EmailMessage:
    message = BytesParser(policy=policy.default.clone(header_factory=_Headers(encoding))).parsebytes(data)
    assert isinstance(message, EmailMessage)
    return message


class _Headers(HeaderRegistry):
    """Bytes beyond ASCII in them are UTF-8, or else in `encoding`."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    def __call__(self, name: str, value: str) -> Any:
        data = value.encode("utf-8", "surrogateescape")
        try:
            value = data.decode()
        except UnicodeDecodeError:
            value = data.decode(self._encoding, "replace")
        value = _CHARSET.sub(lambda found: _meant(found[0]), value)
        try:
            return super().__call__(name, value)
        except Exception:  # noqa: BLE001 - the library's parser of addresses, on addresses that are none
            return value


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name) or "").split())


def _alternatives(shown: list[Iterator[str | EmailMessage | Item]]) -> Iterator[str | EmailMessage | Item]:
    """The texts of the first, and of each further one that says what none before it does: often the first only says
    that there is another. What is attached to any."""
    said: set[str] = set()
    for one in shown:
        found = list(one)
        words = {word for text in found if isinstance(text, str) for word in _WORD.findall(text.casefold())}
        new = len(words - said) > NEW * len(words)
        said |= words
        yield from (thing for thing in found if new or not isinstance(thing, str))


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """Those of a mailbox: each begins with a line "From …" with a date, after an empty line and before a header. Of one
    that is too large comes so much that it shows."""
    message, blank = bytearray(), True
    pieces = iter(partial(stream.readline, BLOCK), b"")
    for line, after in pairwise(chain(pieces, [b""])):
        if blank and _SEPARATOR.match(line) and _NAME.match(after):
            if message:
                yield bytes(message)
            message.clear()
            blank = False
            continue
        if len(message) <= MOST_MESSAGE:
            message += line[1:] if re.match(rb">+From ", line) else line
        blank = line in (b"\n", b"\r\n")
    if message:
        yield bytes(message)
