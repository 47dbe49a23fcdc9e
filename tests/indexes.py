"""Indexes over texts that a test names."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.segment import Segment

Documents = dict[str, Sequence[str]]  # name to the texts of its segments


def segments(documents: Documents, pages: bool = False) -> Iterator[Segment]:
    """With `pages`, each piece of a document is a page."""
    for source, pieces in documents.items():
        start, line = 0, 1
        for number, piece in enumerate(pieces, 1):
            yield Segment(source, piece, start, line, number if pages else None)
            start, line = start + len(piece), line + piece.count("\n")


def write(path: Path, documents: Documents, pages: bool = False) -> Path:
    with IndexWriter(path) as writer:
        for segment in segments(documents, pages):
            writer.add(segment)
        writer.finish({"by": "test"})
    return path


@contextmanager
def opened(documents: Documents, pages: bool = False) -> Iterator[RecallIndex]:
    with TemporaryDirectory() as folder, closing(RecallIndex(write(Path(folder, "index"), documents, pages))) as index:
        yield index
