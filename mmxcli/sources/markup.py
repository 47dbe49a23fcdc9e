"""HTML as text: a line for each heading, item and row, paragraphs apart from each other."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LEFT_OUT = {"script", "style", "template", "noscript", "svg", "math", "head"}
_BLOCKS = {
    *HEADINGS,
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl"),
    *(
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
    ),
    *("ol", "option", "p", "pre", "section", "select", "summary", "table", "tbody", "textarea", "tfoot", "thead", "tr"),
    "ul",
}
_SPACE = re.compile(r"[ \t\r\n\f]+")


class Block(NamedTuple):
    """A piece of text that stands by itself, without the end of its line. `level`: of a heading, else 0."""

    text: str
    level: int = 0


def parsed(data: bytes, encoding: str | None = None) -> Any:
    """The root of a document, however broken it is; None where there is nothing. Nothing is fetched, no entity is
    resolved from elsewhere."""
    from lxml import etree

    parser = etree.HTMLParser(encoding=encoding, huge_tree=True, no_network=True, remove_pis=True, remove_comments=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:  # nothing in it
        return None


def title(root: Any) -> str:
    """What the document calls itself in its head."""
    found = root.find(".//{*}head/{*}title")
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def blocks(root: Any) -> Iterator[Block]:
    """The text in its order."""
    from lxml import etree

    pieces: list[str] = []
    level = left_out = verbatim = 0
    prefix = ""

    def taken() -> Iterator[Block]:
        nonlocal prefix
        text = "".join(pieces)
        text = text.strip("\n") if verbatim else "\n".join(filter(None, (line.strip() for line in text.split("\n"))))
        pieces.clear()
        if text.strip() and text.strip(" |"):
            yield Block(prefix + text, level)
            prefix = ""

    def heard(text: str | None) -> None:
        if text and not left_out:
            pieces.append(text if verbatim else _SPACE.sub(" ", text))

    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = etree.QName(element).localname.lower() if isinstance(element.tag, str) else ""
        if event == "start":
            if tag in _BLOCKS:
                yield from taken()
                level = HEADINGS.get(tag, level)
                prefix = "- " if tag == "li" else "" if tag != "p" else prefix
            if tag in ("td", "th") and "".join(pieces).strip():
                pieces.append(" | ")
            pieces.extend("\n" if tag == "br" and not left_out else "")
            left_out += tag in _LEFT_OUT
            verbatim += tag in ("pre", "textarea")
            heard(element.text)
        else:
            if tag in _BLOCKS:
                yield from taken()
                level = 0 if tag in HEADINGS else level
            left_out -= tag in _LEFT_OUT
            verbatim -= tag in ("pre", "textarea")
            if element is not root:
                heard(element.tail)
    yield from taken()


def written(block: Block) -> str:
    """A block as lines of text, in the manner of Markdown."""
    if block.level:
        return f"\n{'#' * block.level} {' '.join(block.text.split())}\n\n"
    return block.text + ("\n" if block.text.startswith("- ") or " | " in block.text else "\n\n")
