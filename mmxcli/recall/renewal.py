"""An index that begins as an earlier one, without those of its documents that are not there any more."""

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.writer import IndexWriter, found_words, writing

REMOVED = "removed"  # of the meta table: passages that were taken out since the index was made from nothing
MOST = 0.5  # of the passages that there are: what is taken out leaves holes in the file


def is_worn(index: RecallIndex) -> bool:
    """Whether so much was taken out that it is better made anew."""
    return int(index.meta.get(REMOVED, "0")) > MOST * index.count


def renewed(base: RecallIndex, path: Path, kept: Collection[str]) -> IndexWriter:
    """A writer to `path`, which must not exist yet, of an index that holds the documents `kept` of `base` already.

    Raises MmxError when the file cannot be written, DamagedError where `base` turns out damaged.
    """
    with writing(path):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with base.path.open("rb") as there, os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(there, copy)
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                _take_out(database, base, [name for name in base.sources if name not in kept])
                database.execute("COMMIT")
            return IndexWriter(path, continued=True)
        except BaseException:
            path.unlink()
            raise


def _take_out(database: sqlite3.Connection, base: RecallIndex, gone: Collection[str]) -> None:
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF; BEGIN;")
    removed = int(base.meta.get(REMOVED, "0"))
    for passage in base.passages(gone):
        # The index of words keeps no texts, so it has to be told which words are taken out.
        row = (passage.id, *found_words(passage))
        database.execute("INSERT INTO found (found, rowid, words, headings) VALUES ('delete', ?, ?, ?)", row)
        database.execute("DELETE FROM passages WHERE id = ?", (passage.id,))
        removed += 1
    for name in gone:
        encoded = (name.encode("utf-8", "surrogatepass"),)
        database.execute("DELETE FROM blocks WHERE source = (SELECT id FROM sources WHERE name = ?)", encoded)
        database.execute("DELETE FROM sources WHERE name = ?", encoded)
    database.execute("DELETE FROM meta")
    database.execute("INSERT INTO meta VALUES (?, ?)", (REMOVED, str(removed)))
