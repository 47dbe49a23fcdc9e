"""Spreadsheets: XLS, XLSB and ODS."""

import datetime
from collections.abc import Iterator
from dataclasses import replace

from mmxcli.sources.cutter import Cutter
from mmxcli.sources.document import ENCRYPTED, Content, Item, release
from mmxcli.sources.parts import is_zip, members
from mmxcli.sources.segment import Gap, Place

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of XLS, and of other old formats
_BOOK = "Workbook".encode("utf-16-le")


class SheetReader:
    """A line for each row, its cells apart by tabs. Places are sheet and row."""

    format = "spreadsheet"

    @property
    def version(self) -> str:
        return f"sheets 1, {release('python-calamine')}"

    def recognises(self, head: bytes, content: Content) -> bool:
        if head.startswith(OLE):
            with content.open() as stream:
                return _BOOK in stream.read(1 << 22)
        if not is_zip(head):
            return False
        names = members(content)
        if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in head[:200]:
            return True
        return "xl/workbook.bin" in names

    def read(self, content: Content) -> Iterator[Item]:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        cutter = Cutter(content.name)
        with content.open() as stream:
            try:
                book = CalamineWorkbook.from_filelike(stream)
            except PasswordError:
                yield Gap(content.name, ENCRYPTED)
                return
            for name in book.sheet_names:
                try:
                    sheet = book.get_sheet_by_name(name)
                except CalamineError as error:
                    yield Gap(content.name, f"its sheet {name} cannot be read: {error}")
                    continue
                if sheet.start is None:
                    continue
                yield from cutter.cut(f"# {name}\n", place=Place(f"sheet {name}"), last=True)
                place, line = Place(f"sheet {name}, row", cutter.line - 1), cutter.line
                for number, row in enumerate(sheet.iter_rows(), 1):
                    text = "\t".join(map(shown, row)).rstrip("\t")
                    if not text:  # rows without cells take no lines
                        continue
                    if place.base is None or line - place.base != number:
                        yield from cutter.cut("", place=place, last=True)
                        place = replace(place, base=line - number)
                    yield from cutter.cut(f"{text}\n", place=place, last=False)
                    line += 1
                yield from cutter.cut("\n", place=place, last=True)
        if not cutter.start:
            yield Gap(content.name, "a spreadsheet without cells")


def shown(value: object) -> str:
    """The text of a cell that holds this."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat(*(" ",) if isinstance(value, datetime.datetime) else ())
    return " ".join(str(value).split())
