"""The readers of all formats, in the order in which they are asked: the first that recognises a file reads it."""

from mmxcli.sources.document import Reader
from mmxcli.sources.epub import EpubReader
from mmxcli.sources.html import HtmlReader
from mmxcli.sources.locked import LockedReader
from mmxcli.sources.mail import MailReader
from mmxcli.sources.notebook import NotebookReader
from mmxcli.sources.office import DocxReader, PptxReader
from mmxcli.sources.pdf import PdfReader
from mmxcli.sources.sheets import SheetReader
from mmxcli.sources.subtitles import SubtitleReader
from mmxcli.sources.text import TextReader
from mmxcli.sources.worker import Isolated
from mmxcli.sources.xlsx import XlsxReader


def parsers(encoding: str | None = None, *, drop_running_heads: bool = False) -> tuple[Reader, ...]:
    """Of what a stranger may have made to do harm to the program that parses it."""
    return (
        PdfReader(drop_running_heads=drop_running_heads),
        EpubReader(),
        DocxReader(),
        PptxReader(),
        XlsxReader(),
        LockedReader(),
        SheetReader(),
        NotebookReader(),
        MailReader(encoding),
        HtmlReader(encoding),
    )


PARSERS = parsers()


def readers(encoding: str | None = None, *, drop_running_heads: bool = False) -> tuple[Reader, ...]:
    """All; text that does not say its own encoding is in this one, or it is found out."""
    found = parsers(encoding, drop_running_heads=drop_running_heads)
    return (*map(Isolated, found), SubtitleReader(encoding), TextReader(encoding))
