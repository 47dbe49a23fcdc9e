"""Under which headings a place stands: the chapter of a book, the class and function of a line of code."""

import re
from collections.abc import Iterator

LONGEST = 120  # code points of one heading
DEEPEST = 8
_LINE_OF_CODE = re.compile(r"^([ \t]*)([^\s)\]}][^\n]*)", re.M)
# Marked with hashes, underlined, or alone between blank lines and either numbered or in capitals.
_HEADING = re.compile(
    r"""^\#{1,6}[ \t]+(?P<hashes>\S[^\n]*)$
    | ^(?P<underlined>\w[^\n]{0,118})\n(?:={3,}|-{3,}|~{3,})\r?$
    | (?:\A|\n[ \t\r]*\n)[ \t]*+(?P<alone>
        (?=[A-Z])(?i:chapter|part|book|section|appendix|letter|act|scene)\b[^\n]{0,110}
        | (?=[^\n]*[A-Z]{2})[^\na-z]{3,80}
      )(?=\n[ \t\r]*\n|\Z)""",
    re.M | re.X,
)


class Outline:
    """Reads a document piece by piece and knows the headings above the place that it has come to."""

    def __init__(self, code: bool) -> None:
        self._code = code
        self._trail: list[tuple[int, str]] = []  # indentation and text, outermost first

    def above(self, text: str) -> str:
        """The headings of `text`, which comes next: outermost first, one a line."""
        first = _LINE_OF_CODE.search(text) if self._code else None
        indent = len(first[1].expandtabs()) if first else 1
        return "\n".join(heading for depth, heading in self._trail[:DEEPEST] if depth < indent)

    def read(self, text: str) -> None:
        """Go on to the end of `text`, which should begin where a line does."""
        if not self._code:
            for _, heading in headings(text):
                self._trail = [(0, heading)]
            return
        # A line belongs to what stands above it and is indented less.
        for match in _LINE_OF_CODE.finditer(text):
            indent = len(match[1].expandtabs())
            while self._trail and self._trail[-1][0] >= indent:
                self._trail.pop()
            self._trail.append((indent, match[2][:LONGEST]))


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Where the headings of a text in prose begin, and their words."""
    for match in _HEADING.finditer(text):
        name = next(name for name, words in match.groupdict().items() if words)
        yield match.start(name) if name != "hashes" else match.start(), match[name].strip()[:LONGEST]
