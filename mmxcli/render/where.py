"""Where a quote stands, for a person."""

from mmxcli.render.escape import one_line
from mmxcli.tasks.events import Citation


def where(citation: Citation) -> str:
    """`book.txt:88`, `book.pdf, page 12`, or the place in words."""
    place = one_line(citation.source)
    place += f", page {citation.page}" if citation.page else ""
    place += f", {one_line(citation.place)}" if citation.place else ""
    return place if citation.page or citation.place else f"{place}:{citation.line}"
