"""What was made before, so that work that was interrupted, or changed in part, is not done twice.

It is kept under a digest of all that it was made from, and of what made it, so that it is right or not found. It is a
help and no more: where the file is damaged, full or locked, it is made again.
"""

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from mmxcli.state.files import private_folder

FILE = "made.sqlite"
MOST_BYTES = 64 << 20
BUSY = 2.0  # seconds to wait for another process


class Memo:
    """The texts that one maker made, in a file that all makers share; a context manager."""

    def __init__(self, home: Path, maker: str) -> None:
        """`maker`: the identity of everything that decides what is made of something."""
        self._path = private_folder(home) / FILE
        self._maker = maker
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._path.chmod(0o600)
            try:
                self._database = self._opened()
            except sqlite3.OperationalError:
                pass  # another process holds it, or the disk is full
            except (sqlite3.DatabaseError, UnicodeDecodeError):  # no database any more
                self._path.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        if self._database:
            with self._harmless():
                self._thin(self._database)
            self._database.close()
            self._database = None

    def get(self, source: str) -> str | None:
        """What was made of `source`, which may be long: only its digest is kept."""
        text: object = None
        if self._database:
            with self._harmless():
                key = self._key(source)
                row = self._database.execute("SELECT text, checksum FROM made WHERE key = ?", (key,)).fetchone()
                text = row[0] if row and isinstance(row[0], str) and _checksum(row[0]) == row[1] else None
                self._database.execute("UPDATE made SET used = unixepoch() WHERE key = ?", (key,))
        return text if isinstance(text, str) else None

    def put(self, source: str, text: str) -> None:
        if self._database:
            with self._harmless():
                text = text.encode("utf-8", "replace").decode()
                row = (self._key(source), text, _checksum(text))
                self._database.execute("INSERT OR REPLACE INTO made VALUES (?, ?, ?, unixepoch())", row)

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)
        try:
            database.executescript(
                "PRAGMA trusted_schema = OFF; PRAGMA journal_mode = TRUNCATE; PRAGMA secure_delete = ON;"
                "PRAGMA synchronous = OFF;"  # what a crash of the machine damages is made again
                "CREATE TABLE IF NOT EXISTS made (key BLOB PRIMARY KEY, text TEXT, checksum INTEGER, used INTEGER)"
                " WITHOUT ROWID"
            )
        except Exception:
            database.close()
            raise
        return database

    def _thin(self, database: sqlite3.Connection) -> None:
        """The half that was not used for longest goes, where all is too much."""
        if self._path.stat().st_size > MOST_BYTES:
            database.execute(
                "DELETE FROM made WHERE key IN"
                " (SELECT key FROM made ORDER BY used LIMIT (SELECT count(*) / 2 FROM made))"
            )
            database.execute("VACUUM")

    def _key(self, source: str) -> bytes:
        return hashlib.sha256(f"{self._maker}\0{source}".encode("utf-8", "surrogatepass")).digest()

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        with suppress(sqlite3.Error, OSError, UnicodeDecodeError):  # the last: sqlite3's own words of a damaged schema
            yield


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode())
