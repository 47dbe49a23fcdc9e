"""HTML as text: a line for each heading, item and row, paragraphs apart from each other."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from mmxcli.sources.document import BLOCK, Content
from mmxcli.sources.encoding import encoding_of_page, web_encoding
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.sources.text import TextReader

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LEFT_OUT = {"script", "style", "template", "noscript", "svg", "annotation", "annotation-xml"}
_DRAWN = {"text", "foreignobject"}  # the words in an SVG
_SYMBOLS = {"mi", "mn", "mo", "ms", "mtext"}  # in a formula; together they would be another: 1 2 is no 12
_BLOCKS = {
    *HEADINGS,
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl"),
    *("dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main"),
    *("nav", "ol", "option", "p", "pre", "section", "select", "summary", "svg", "table", "tbody", "text", "textarea"),
    *("tfoot", "thead", "title", "tr", "ul"),
}
_SPACES = re.compile(r"[ \t\r\n\f]{2,}|[\t\r\n\f]")
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.S)
_DECLARED = re.compile(
    rb"""\A\W*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([\w:.-]+)|<meta\b[^>]{0,400}?\bcharset\s*=[\s"']*([\w:.-]+)""",
    re.I,
)


class Block(NamedTuple):
    """A piece of text that stands by itself, without the end of its line. `level`: of a heading, else 0; `title`: it is
    what the document calls itself; `anchor`: the last of those that were asked for."""

    text: str
    level: int = 0
    title: bool = False
    anchor: str | None = None


def blocks(
    content: Content, encoding: str | None = None, anchors: Collection[str] = ()
) -> Iterator[Block | Gap | Remark]:
    """The text in its order, however broken the document is, and what is to be told about its encoding. That is
    `encoding`, else the one that it says it has and can have, else what is found out. Nothing is fetched, no entity is
    resolved from elsewhere. Raises OSError."""
    from lxml import etree

    with content.open() as stream:
        find = partial(encoding_of_page, declared=_declared(stream.read(BLOCK)))
    walk = _Walk(anchors)
    # A tree of a page would be many times as large, no deeper than so far, and end with the first </html>.
    parser = etree.HTMLParser(target=walk, encoding="utf-8", huge_tree=True, no_network=True, remove_pis=True)
    for item in TextReader(encoding, find).read(content):
        if isinstance(item, Segment):
            parser.feed(item.text.encode("utf-8", "replace"))
            yield from walk.taken()
        else:
            yield item
    try:
        parser.close()
    except etree.XMLSyntaxError:  # nothing in it
        return
    yield from walk.taken()


def _declared(head: bytes) -> str | None:
    """The encoding that the document says it has."""
    found = _DECLARED.search(_COMMENT.sub(b"", head))
    return web_encoding((found[1] or found[2]).decode()) if found else None


class _Walk:
    """What the parser tells of, one after the other, as blocks."""

    def __init__(self, anchors: Collection[str]) -> None:
        self._anchors = anchors
        self._anchor: str | None = None
        self._blocks: list[Block] = []
        self._pieces: list[str] = []
        self._worded = False  # there is more than spaces among the pieces
        self._prefix = ""
        self._level = 0
        self._title = self._left_out = self._verbatim = False
        self._around: list[tuple[bool, bool]] = []  # the two for each of the elements that are open
        self._formula = 0  # where among the pieces it begins

    def taken(self) -> list[Block]:
        """The blocks that are complete and were not taken yet."""
        found, self._blocks = self._blocks, []
        return found

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        tag = _local(name)
        self._around.append((self._left_out, self._verbatim))
        if tag in _BLOCKS:
            self._end_block()
            self._level = HEADINGS.get(tag, self._level)
            self._prefix = "- " if tag == "li" else "" if tag != "p" else self._prefix
        if self._anchors:
            names = (attributes.get(key) for key in ("id", "name", "xml:id"))
            self._anchor = next((name for name in names if name in self._anchors), self._anchor)
        if tag in ("td", "th") and self._worded:
            self._pieces.append(" | ")
        elif tag == "br" and not self._left_out:
            self._pieces.append("\n")
        elif tag == "math":
            self._formula = len(self._pieces)
        elif tag in _SYMBOLS:
            self.data(" ")
        elif "@" in tag:  # who wrote it meant no tag
            self.data(f"<{name}>")
        self._title = tag == "title"
        self._left_out = (self._left_out or tag in _LEFT_OUT) and tag not in _DRAWN
        if tag == "annotation" and "tex" in attributes.get("encoding", ""):  # says it better
            self._left_out = False
            del self._pieces[self._formula :]
        self._verbatim = self._verbatim or tag in ("pre", "textarea")

    def end(self, name: str) -> None:
        tag = _local(name)
        if tag in _BLOCKS:
            self._end_block()
            self._level = 0 if tag in HEADINGS else self._level
        elif tag in _SYMBOLS:
            self.data(" ")
        self._title = False
        self._left_out, self._verbatim = self._around.pop()

    def data(self, text: str) -> None:
        if not self._left_out:
            if not self._verbatim:
                text = _SPACES.sub(" ", text)
                if self._pieces and self._pieces[-1][-1:] == " ":
                    text = text.removeprefix(" ")
            self._pieces.append(text)
            self._worded = self._worded or bool(text.strip())

    def comment(self, text: str) -> None:
        if text.startswith("[CDATA["):  # as it is written in XHTML
            self.data(text.removeprefix("[CDATA[").removesuffix("]]"))

    def close(self) -> None:
        self._end_block()

    def _end_block(self) -> None:
        text = "".join(self._pieces)
        if self._verbatim:
            text = text.strip("\n")
        else:
            text = "\n".join(filter(None, (line.strip() for line in text.split("\n"))))
        self._pieces.clear()
        self._worded = False
        if text.strip() and text.strip(" |"):
            self._blocks.append(Block(self._prefix + text, self._level, self._title, self._anchor))
            self._prefix = ""


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def written(block: Block) -> str:
    """A block as lines of text, in the manner of Markdown."""
    if block.title:
        return f"{' '.join(block.text.split())}\n\n"
    if block.level:
        return f"\n{'#' * block.level} {' '.join(block.text.split())}\n\n"
    return block.text + ("\n" if block.text.startswith("- ") or " | " in block.text else "\n\n")
