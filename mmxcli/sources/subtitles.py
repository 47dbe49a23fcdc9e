"""Subtitles (SRT, WebVTT): what is said, and when. No library that was tried keeps all words: pysubs2 1.8 drops what
stands in braces, and who speaks."""

import html
import re
from collections.abc import Iterator

from mmxcli.sources.cutter import LIMIT, Cutter
from mmxcli.sources.document import Content, Item
from mmxcli.sources.encoding import encoding_of
from mmxcli.sources.segment import Gap, Place, Segment
from mmxcli.sources.text import TextReader

_TIMES = (
    r"[ \t]*(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,2}):(?P<s>\d\d)[.,]\d{1,3}[ \t]*-->[ \t]*[\d:.,]++"
    r"(?:[ \t]++(?i:align|line|position|region|size|vertical|[XY][12]|[ADLST]):\S++)*+[ \t]*+(?P<said>[^\r\n]*+)"
)
_TIMING = re.compile(rf"{_TIMES}\s*")
_BEGINNING = re.compile(rf"\s*(?:WEBVTT(?:[ \t\r\n]|\Z)|\d+[ \t]*(?:\r\n?|\n){_TIMES}(?:[\r\n]|\Z))")
_NUMBER = re.compile(r"\s*\d+\s*")  # of what follows
_NAME = re.compile(r"\ufeff?WEBVTT\s*\n?")
_SPEAKER = re.compile(r"<v(?:\.[\w.]+)?\s+([^<>]+)>")
_STYLE = re.compile(r"</?(?:[ibucv]|ruby|rt|lang|font)(?:[ .][^<>]*)?>|<[\d:.]+>|\{\\[^{}]*\}", re.I)
_ENTITY = re.compile(r"&#?\w+;")


class SubtitleReader:
    """The lines that are shown, without numbers, times and styles; who speaks stands before. A line's place is the time
    at which it is shown first."""

    format = "subtitles"

    def __init__(self, encoding: str | None = None) -> None:
        self._text = TextReader(encoding)

    @property
    def version(self) -> str:
        return f"subtitles 2, {self._text.version}"

    def recognises(self, head: bytes, content: Content) -> bool:  # noqa: ARG002 - as the protocol has it
        narrow = head.replace(b"\0", b"") if b"\0" in head else head
        if b"-->" not in narrow and b"WEBVTT" not in narrow:
            return False
        encoding = encoding_of(head, whole=False)
        return encoding is not None and bool(_BEGINNING.match(head.decode(encoding.name, "replace").lstrip("\ufeff")))

    def read(self, content: Content) -> Iterator[Item]:
        cutter, place = Cutter(content.name), None
        lines: list[str] = []
        size, web = 0, False
        for item in self._lines(content):
            if not isinstance(item, str):
                yield item
                continue
            web = web or item.startswith("WEBVTT")
            timing = _TIMING.fullmatch(item)
            if timing and lines and _NUMBER.fullmatch(lines[-1]):
                lines.pop()
            if timing or size > LIMIT:
                yield from cutter.cut(_said(lines, web=web), place=place, last=True)
                lines, size = [], 0
            if timing:
                place = Place(f"at {int(timing['h'] or 0)}:{timing['m']:0>2}:{timing['s']}")
            lines.append(timing["said"] + "\n" if timing else item)  # some speak beside the time
            size += len(lines[-1])
        yield from cutter.cut(_said(lines, web=web), place=place, last=True)
        if not cutter.start:
            yield Gap(content.name, "subtitles without words")

    def _lines(self, content: Content) -> Iterator[str | Item]:
        """The lines of the file, in pieces where they are very long, and what is to be told of it."""
        rest = ""
        for item in self._text.read(content):
            if isinstance(item, Segment):
                *lines, rest = (rest + item.text).split("\n")
                yield from (line + "\n" for line in lines)
                if len(rest) > LIMIT:
                    yield rest
                    rest = ""
            else:
                yield item
        yield rest


def _said(lines: list[str], *, web: bool) -> str:
    """Its words. White space between what is said is the format's."""
    text = "".join(line for line in lines if not _NAME.fullmatch(line))
    text = _STYLE.sub("", _SPEAKER.sub(r"\1: ", text))
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if web else text
    text = text.replace("\r\n", "\n").strip("\r\n")
    return text + "\n" if text.strip() else ""
