"""The stems of words, as the index's own tokenizer makes them."""

import sqlite3
from collections.abc import Iterable

from mmxcli.recall.writer import TOKENIZER, storable

KEPT = 100_000  # words whose stems are kept
_TABLES = f"""
CREATE VIRTUAL TABLE temp.stems USING fts5(words, {TOKENIZER});
CREATE VIRTUAL TABLE temp.stemmed USING fts5vocab(temp, stems, instance);
"""


class Stemmer:
    """Works in temporary tables of `database`, by default one of its own, for one thread. Everything raises
    sqlite3.DatabaseError where that turns out damaged."""

    def __init__(self, database: sqlite3.Connection | None = None) -> None:
        self._database = database or sqlite3.connect(":memory:")
        self._database.executescript(f"PRAGMA temp_store = MEMORY; {_TABLES}")
        self._stems: dict[str, str] = {}

    def stems(self, words: Iterable[str]) -> dict[str, str]:
        """What the index's tokenizer makes of each word; "" where it sees none."""
        wanted = list(dict.fromkeys(words))
        if len(self._stems) > KEPT:
            self._stems.clear()
        new = [word for word in wanted if word not in self._stems]
        if new:
            self._stems.update(dict.fromkeys(new, ""))
            rows = ((i, storable(word)) for i, word in enumerate(new))
            self._database.executemany("INSERT INTO stems (rowid, words) VALUES (?, ?)", rows)
            for i, stem in self._database.execute("SELECT doc, term FROM stemmed"):
                self._stems[new[i]] += stem
            self._database.execute("DELETE FROM stems")
        return {word: self._stems[word] for word in wanted}
