"""What a model has written before, so that work that was interrupted, or changed in part, is not done twice.

It is kept under a digest of the model and all tokens that it read, so that it is right or not found. It is a help and
no more: where the file is damaged, full or locked, the model writes again.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mmxcli.state.files import private_folder

FILE = "written.sqlite"
MOST_BYTES = 64 << 20
BUSY = 2.0  # seconds to wait for another process


class Memo:
    """The texts of one model, in a file that all models share; a context manager."""

    def __init__(self, home: Path, model: str) -> None:
        """`model`: the identity of everything that decides what is written after a prompt."""
        self._path = private_folder(home) / FILE
        self._model = model
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> "Memo":
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

    def get(self, prompt: Sequence[int], limit: int) -> str | None:
        """What the model wrote after these tokens, `limit` of its own at most."""
        text: object = None
        if self._database:
            with self._harmless():
                key = self._key(prompt, limit)
                row = self._database.execute("SELECT text FROM written WHERE key = ?", (key,)).fetchone()
                text = row[0] if row else None
                self._database.execute("UPDATE written SET used = unixepoch() WHERE key = ?", (key,))
        return text if isinstance(text, str) else None

    def put(self, prompt: Sequence[int], limit: int, text: str) -> None:
        if self._database:
            with self._harmless():
                row = (self._key(prompt, limit), text.encode("utf-8", "replace").decode())
                self._database.execute("INSERT OR REPLACE INTO written VALUES (?, ?, unixepoch())", row)

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)
        try:
            database.executescript(
                "PRAGMA trusted_schema = OFF; PRAGMA journal_mode = TRUNCATE; PRAGMA secure_delete = ON;"
                "CREATE TABLE IF NOT EXISTS written (key BLOB PRIMARY KEY, text TEXT, used INTEGER) WITHOUT ROWID"
            )
        except Exception:
            database.close()
            raise
        return database

    def _thin(self, database: sqlite3.Connection) -> None:
        """The half that was not used for longest goes, where all is too much."""
        if self._path.stat().st_size > MOST_BYTES:
            database.execute(
                "DELETE FROM written WHERE key IN"
                " (SELECT key FROM written ORDER BY used LIMIT (SELECT count(*) / 2 FROM written))"
            )
            database.execute("VACUUM")

    def _key(self, prompt: Sequence[int], limit: int) -> bytes:
        return hashlib.sha256(f"{self._model} {limit} {list(prompt)}".encode()).digest()

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        with suppress(sqlite3.Error, OSError, UnicodeDecodeError):  # the last: sqlite3's own words of a damaged schema
            yield
