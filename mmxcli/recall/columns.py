"""What the columns of a table are called: rows say little without it."""

import csv
import re
from pathlib import PurePath

LONGEST = 400  # code points of a line of names
LOOKED_AT = 6  # lines of a sheet: a title and a blank line may come first
_SUFFIXES = frozenset([".csv", ".tsv", ".xls", ".xlsb", ".xlsx", ".ods"])
_BORDER = re.compile(r"[,;\t|]")
_FIGURE = re.compile(r"[\"']?[-+(]?[€$£]?\d")


def is_table(source: str) -> bool:
    """Whether a source has rows and columns."""
    return PurePath(source).suffix.lower() in _SUFFIXES


def names_in(headings: str) -> str:
    """The names of the columns in the headings of a passage of a table: below the place of its sheet."""
    return headings.partition("\n")[2]


class Columns:
    """Reads a table line by line. `names` is the line that names the columns of its sheet, "" where none is known to:
    it has no figures, and the line after it has."""

    def __init__(self) -> None:
        self.names = ""
        self._before: list[str] = []  # lines of this sheet, as long as names are looked for

    def read(self, text: str) -> None:
        """Go on to the end of `text`, which should begin where a line does."""
        for line in text.split("\n"):
            if line.startswith("# "):  # a sheet of a spreadsheet
                self.names, self._before = "", []
            elif not self.names and line.strip() and len(self._before) < LOOKED_AT:
                if self._before and _names(self._before[-1], line):
                    self.names = self._before[-1][:LONGEST].strip()
                self._before.append(line)

    def above(self, text: str) -> str:
        """The names of the columns of `text`, which comes next and may begin with them."""
        if self.names or self._before:
            return self.names
        first = Columns()
        first.read(text)
        return first.names


def labelled(names: str, row: str) -> str:
    """Each cell of a row with the name of its column; the row as it is where they do not match."""
    border = max(",;\t|", key=names.count)
    cells = [next(csv.reader([line.replace("\r", " ")], delimiter=border), []) for line in (names, row)]
    if len(cells[0]) != len(cells[1]) or len(cells[0]) < 2:
        return row
    return "; ".join(f"{name.strip()}: {cell.strip()}" for name, cell in zip(*cells, strict=True))


def _names(line: str, row: str) -> bool:
    names, cells = _BORDER.split(line), _BORDER.split(row)
    if len(names) < 2 or not all(map(str.strip, names)) or any(map(_FIGURE.match, names)):
        return False
    return any(map(_FIGURE.match, cells))
