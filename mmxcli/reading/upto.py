"""As of which place in a text to answer: `page:120`, `line:3400`, `chapter:7` or `token:20000`, that one included."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mmxcli.errors import UsageError
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading.chapters import end_of_chapter
from mmxcli.reading.corpus import Corpus, Item, text_of
from mmxcli.reading.tokens import TokenStream
from mmxcli.sources.segment import Gap, Segment

UNITS = ("page", "line", "chapter", "token")


@dataclass(frozen=True, slots=True)
class Upto:
    """A place: the end of the page, line, chapter or token with this number, counting from 1."""

    unit: str
    number: int

    def __str__(self) -> str:
        return f"{self.unit}:{self.number}"


def parse_upto(text: str) -> Upto:
    """Raises UsageError for anything but a unit and a number above zero."""
    found = re.fullmatch(rf"({'|'.join(UNITS)}):(\d{{1,12}})", text.strip(), re.ASCII)
    if not found or not int(found[2]):
        raise UsageError(f"a text cannot end with {text!r}: write page:120, line:3400, chapter:7 or token:20000")
    return Upto(found[1], int(found[2]))


def until(corpus: Corpus, upto: Upto, tokenizer: Tokenizer) -> Corpus:
    """The corpus as if its text ended there. Passes over the text once.

    Raises UsageError where the text has no such place, or the place could be in several documents.
    """
    if upto.unit != "token" and len(corpus.documents) > 1:
        raise UsageError(f"{upto} names a place in one document: give one source, or token:N")
    find = {"page": _page, "line": _line, "chapter": _chapter}.get(upto.unit)
    offset = find(corpus.items(), upto.number) if find else _token(corpus.items(), upto.number, tokenizer)
    return replace(corpus, until=offset, upto=str(upto))


def _missing(what: str) -> UsageError:
    return UsageError(f"the text cannot end there: {what}")


def _page(items: Iterable[Item], number: int) -> int:
    offset, last = 0, None
    for item in items:
        if isinstance(item, Segment):
            if item.page is None:
                raise _missing("it has no pages; use line: or chapter:")
            if item.page > number:
                return offset
            last = item.page
        offset += len(text_of(item))
    if last is None or last < number:
        raise _missing(f"its last page with text is {last or 'none'}")
    return offset


def _line(items: Iterable[Item], number: int) -> int:
    offset, line, text = 0, 1, ""
    for item in items:
        if isinstance(item, Gap):
            continue
        text = text_of(item)
        if line + text.count("\n") > number:
            place = -1
            for _ in range(number - line + 1):
                place = text.index("\n", place + 1)
            return offset + place + 1
        line += text.count("\n")
        offset += len(text)
    if line < number or (line == number and text.endswith("\n")):
        raise _missing(f"its last line is {line - text.endswith(chr(10))}")
    return offset


def _chapter(items: Iterable[Item], number: int) -> int:
    return end_of_chapter((text_of(item) for item in items), number)


def _token(items: Iterator[Item], number: int, tokenizer: Tokenizer) -> int:
    seen = 0
    for chunk in TokenStream(tokenizer).feed(text_of(item) for item in items):
        if seen + len(chunk.ids) >= number:
            return chunk.spans[number - seen - 1][1]
        seen += len(chunk.ids)
    raise _missing(f"it has {seen:,} tokens")
