"""Words that arrive in pieces, broken into lines between them."""

import re


def cell_len(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    from rich.cells import cell_len

    return cell_len(text)


class WordWrap:
    """Breaks a stream of text at spaces so that lines fit `width` cells; None leaves it as it is."""

    def __init__(self, width: int | None) -> None:
        self._width = width
        self._column = 0
        self._gap = ""  # spaces that are written only if a word follows them on this line
        self._word = ""  # a word that may go on

    def fed(self, piece: str) -> str:
        """What can be written now: all but a last word that may go on, and the space before it."""
        if self._width is None:
            return piece
        parts = re.findall(r"\n|[^\S\n]+|\S+", self._word + piece)
        self._word = ""
        if parts and not parts[-1].isspace() and cell_len(parts[-1]) < self._width:
            self._word = parts.pop()
        return "".join(map(self._placed, parts))

    def rest(self) -> str:
        word, self._word = self._word, ""
        return self._placed(word) if word else ""

    def _placed(self, part: str) -> str:
        if part == "\n":
            self._column, self._gap = 0, ""
            return part
        if part.isspace():
            self._gap += part
            return ""
        text, self._gap = self._gap + part, ""
        if self._column + cell_len(text) > (self._width or 0):
            begun, self._column = self._column, cell_len(part)
            return "\n" + part if begun else part
        self._column += cell_len(text)
        return text
