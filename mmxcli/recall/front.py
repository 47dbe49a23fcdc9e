"""What stands before a text begins: what it is called and by whom it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mmxcli.recall.gist import Statement, length
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.words import STOP_WORDS

MOST = 10_000_000  # code points of a text that are looked at
BEGINNING = 12_000  # in which its title page stands; others further on are of other books
LARGEST = 1_500  # of a title page
DEEPEST = 8  # lines from the title to by whom it is
SEVERAL = 12  # books in one file that are told
LONGEST, SHORT = 40, 12  # words of one line; of one that need not have capitals
FEWEST = 25  # words that may be told of it, however few the summary has
_GAP = re.compile(r"\n(?:[ \t]*\n){3,}")  # between a title page and what stands before and after it
_PARAGRAPH = re.compile(r"\n[ \t]*\n|\n(?=[=~-]{3,}[ \t]*(?:\n|$))")
_FIELD = re.compile(r"^[ \t]*(title|authors?|by)[ \t]*:[ \t]*(\S.{0,300})$", re.M | re.I)
_BY = re.compile(r"(?:(?:written|edited|translated|compiled|collected|selected|told|retold|arranged) )?by\b", re.I)
_CREDIT = re.compile(r"\W*(?:produced|transcribed|scanned|digiti[sz]ed|converted|proofread|e-?text)\b", re.I)
_STOP = re.compile(
    r"\W*(?:contents|table of contents|abstract|copyright|published|printed|london|new york|boston|all rights"
    r"|permission|preface|introduction|preamble|illustrated|first published|to\W*$)"
    r"|\d{1,3}[.)]\s"
    r"|.*\b(?:edition|impression|press|publish\w+)\W*$|.*©|\W*\d{4}\W*$",
    re.I,
)
_HANGING = re.compile(r"\b(?:an?|and|at|by|for|from|his|her|in|its|of|on|or|our|the|their|to|with)$", re.I)
_ENDED = re.compile(r"[.,;:!?&][\"'”’)]*$")
_MARKS = re.compile(r"^[#=*~_\s-]+|[#=*~_\s-]+$|(?<=\s)_|_(?=[\s.,;:])")


def title_pages(index: RecallIndex, source: str, limit: int) -> list[Statement]:
    """What it is called and by whom it is, in about `limit` words, where it says so in lines of their own: of several
    books in one file each."""
    first, paged = _first_page(index, source)
    if named := _named(first, source):
        return [named]
    signed: dict[str, _Page] = {}
    for page in _blocks(index.text(source, 0, MOST)):
        if page.is_signed:
            signed.setdefault(page.lines[0][1].casefold(), page)
    found = list(signed.values())
    if not found or found[0].lines[0][0] > BEGINNING:
        found = [page for page in islice(_blocks(first), 2) if page.is_titled and (paged or page.parted)][:1]
    return [page.told(source, max(limit // len(found), FEWEST // 2)) for page in found[:SEVERAL]]


def _first_page(index: RecallIndex, source: str) -> tuple[str, bool]:
    """Of a document in pages the first one; and whether it has pages."""
    text, page = "", None
    for block in index.blocks(source):
        if (page is not None and block.page != page) or block.start >= LARGEST:
            break
        text, page = text + block.text, block.page
    return text, page is not None


def _named(text: str, source: str) -> Statement | None:
    """Of fields: "Title: …", "Author: …"."""
    fields: dict[str, re.Match[str]] = {}
    for match in _FIELD.finditer(text):
        fields.setdefault("title" if match[1].lower() == "title" else "by", match)
    if "title" not in fields:
        return None
    spans = [match.span() for match in fields.values()]
    words = ", by ".join(fields[name][2].strip("\"' \t") for name in ("title", "by") if name in fields)
    return Statement(words, source, min(low for low, _ in spans), max(high for _, high in spans), "found")


@dataclass(frozen=True, slots=True)
class _Page:
    """Lines that stand together, with their places. `parted`: each is a paragraph."""

    lines: list[tuple[int, str]]
    parted: bool

    @property
    def is_titled(self) -> bool:
        """Whether the first may be a title: no sentence, and no word of who made the file."""
        line = self.lines[0][1]
        short = length(line) <= SHORT and line[-1] not in ".:;,"
        return (short or _is_title(line)) and not _CREDIT.match(line) and not line.startswith(("[", "<", "{"))

    @property
    def is_signed(self) -> bool:
        """Whether it is a title and by whom."""
        by = next((n for n, (_, line) in enumerate(self.lines[:DEEPEST]) if n and _is_by(line)), 0)
        return by > 0 and self.is_titled and all(_is_title(line) for _, line in self.lines[:by])

    def told(self, source: str, limit: int) -> Statement:
        """The title, and by whom; what stands between and below, where there is room."""
        every = range(1, len(self.lines))
        signed = [n for n in every if _is_by(self.lines[n][1]) and not _STOP.match(self.lines[n][1])][:2]
        ends = (n for n in every if n > max(signed, default=0) and not _goes_on(self.lines[n][1]))
        end = next(ends, len(self.lines))
        chosen = {0, *signed}
        room = limit - sum(length(self.lines[n][1]) for n in chosen)
        for n, (_, line) in enumerate(self.lines[:end]):
            if n not in chosen and _goes_on(line) and length(line) <= room:
                chosen.add(n)
                room -= length(line)
        told = [self.lines[n][1] for n in sorted(chosen)]
        text = " ".join(line if _ENDED.search(line) else f"{line}." for line in told)
        last, words = self.lines[max(chosen)]
        return Statement(text, source, self.lines[0][0], last + len(words), "found")


def _blocks(text: str) -> Iterator[_Page]:
    at = 0
    for gap in [*_GAP.finditer(text), None]:
        end = gap.start() if gap else len(text)
        block = text[at : min(end, at + LARGEST)]
        borders = list(_PARAGRAPH.finditer(block))
        parted = bool(borders) and length(block[: borders[0].start()]) <= LONGEST
        if not parted:
            borders = list(re.finditer(r"\n", block))
        if lines := [(at + place, line) for place, line in _lines(block, [border.span() for border in borders])]:
            yield _Page(lines, parted)
        at = gap.end() if gap else end


def _lines(block: str, borders: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """What stands between the borders, in one line each; one that ends in "by" or "of" goes with the next."""
    at, begins, before = 0, 0, ""
    for end, after in [*borders, (len(block), len(block))]:
        line = _MARKS.sub("", " ".join(block[at:end].split()))
        if line and not line.startswith(".. "):  # a directive of reStructuredText
            begins = begins if before else at
            before = f"{before} {line}".strip()
            if not _HANGING.search(line):
                yield begins, before
                before = ""
        at = after
    if before:
        yield begins, before


def _is_by(line: str) -> bool:
    signs = _BY.match(line) or (line.isupper() and " BY " in line) or " BY THE " in line
    return bool(signs) and _is_title(line)


def _is_title(line: str) -> bool:
    """Whether it names something: most of its telling words have capitals."""
    telling = [word for word in re.findall(r"[^\W\d_]+", line) if word.lower() not in STOP_WORDS]
    return 2 * sum(word[0].isupper() for word in telling) >= len(telling) and length(line) <= LONGEST


def _goes_on(line: str) -> bool:
    return _is_title(line) and not _STOP.match(line)
