"""Finds the passages of an index by their words and gives any text of its documents back exactly."""

import heapq
import math
import re
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from mmxcli.errors import DamagedError
from mmxcli.recall.frames import framing
from mmxcli.recall.kin import NONE, Kindred
from mmxcli.recall.passages import Passage
from mmxcli.recall.stems import Stemmer
from mmxcli.recall.words import content_words, spaceless, word_texts, words
from mmxcli.recall.writer import BLOCK, FORMAT, Contained
from mmxcli.sources.segment import Place, Segment

MOST_TERMS = 64  # of a question
LONGEST_QUESTION = 50_000  # code points that are looked at
ABOUT = 0.1  # of the weight of a question's own word: one that is carried over (docs/chat.md)
HEADINGS_WEIGHT = 1.5  # of a word in the headings above a passage, beside 1 in the passage itself
MOST_FORMS = 64  # terms of one beginning that are looked at
MOST_REPLACED = 16  # rarest words of a question for which others may stand
# `E5`, `ring_peek`; but not `v2`, which a text may spell "version 2", and no amount: `5km`, `30th`.
_EXACT = re.compile(
    r"(?<!\w)(?=[^\W\d_])(?!v\d)(?=\w*(?:\d|[^\W_]_[^\W_]))[^\W_]{1,40}(?:_[^\W_]{1,40}){0,6}(?!\w)", re.I
)
_RANK = f"bm25(found, 1.0, {HEADINGS_WEIGHT})"
# How many passages hold a stem.
_LOOKUPS = "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, found, row)"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage and how well it fits; a higher score is better, scores of one question compare."""

    passage: Passage
    score: float


class Origin(NamedTuple):
    """`place` in words, where pages and lines do not tell."""

    line: int
    page: int | None
    place: str | None


class RecallIndex:
    """An index that was written before, for one thread. `meta` holds the notes that it was finished with,
    `count` is of its passages, `documents` are all, those without text too, in the order of the text.

    Everything raises DamagedError where the file turns out damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._holding: dict[str, int] = {}
        with self._reading():
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            with self._reading():
                self._open()
        except DamagedError:
            self._database.close()
            raise

    def _open(self) -> None:
        pages, size = (self._number(f"PRAGMA {name}") for name in ("page_count", "page_size"))
        if pages * size != self.path.stat().st_size:
            raise sqlite3.DatabaseError("its length is not what it should be")
        self.meta: dict[str, str] = dict(self._database.execute("SELECT key, value FROM meta"))
        if self.meta.get("format") != str(FORMAT):
            raise sqlite3.DatabaseError("it is unfinished or of another version")
        # The file may be a stranger's: nothing in it may call what is not harmless.
        self._database.executescript("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
        self._stemmer = Stemmer(self._database)
        self._database.execute(_LOOKUPS)
        self.documents = tuple(self._documents())
        named = self._database.execute("SELECT CAST(name AS BLOB), id FROM sources ORDER BY id").fetchall()
        numbers = {name.decode("utf-8", "surrogatepass"): number for name, number in named}
        order = {document.name: place for place, document in enumerate(self.documents)}
        self._sources = dict(sorted(numbers.items(), key=lambda source: order.get(source[0], len(order))))
        self._names = {number: name for name, number in self._sources.items()}
        self._order = {name: place for place, name in enumerate(self._sources)}
        self.count = self._number("SELECT count(*) FROM passages")

    def _documents(self) -> Iterator[Contained]:
        rows = self._database.execute("SELECT name, fingerprint, tokens FROM documents ORDER BY number")
        for name, fingerprint, tokens in rows:
            if not isinstance(name, bytes) or not isinstance(fingerprint, str) or not isinstance(tokens, int | None):
                raise sqlite3.DatabaseError("what the documents were is not whole")
            yield Contained(name.decode("utf-8", "surrogatepass"), fingerprint, tokens)

    def search(self, question: str, limit: int, kindred: Kindred = NONE) -> list[Hit]:
        """The passages that share the question's telling words, best first, by BM25. Where one of `kindred` stands for
        a word, it counts as its nearness has it."""
        words = self.question_words(question)
        if kindred:
            return self._search_replaced(dict(islice(words.items(), MOST_REPLACED)), limit, kindred)
        query = " OR ".join(f'"{word}"' for word in words.values())
        if not query:
            return []
        with self._reading():
            found = self._database.execute(
                f"SELECT rowid, -{_RANK} FROM found WHERE found MATCH ? ORDER BY {_RANK}, rowid LIMIT ?",
                (query, limit),
            ).fetchall()
        return self._hits(found)

    def _hits(self, found: Iterable[tuple[int, float]]) -> list[Hit]:
        """Best first; of those that are as good, in the order of the text."""
        hits = [Hit(self.passage(number), score) for number, score in found]
        return sorted(hits, key=lambda hit: (-hit.score, self._order[hit.passage.source], hit.passage.start))

    def _search_replaced(self, words: Mapping[str, str], limit: int, kindred: Kindred) -> list[Hit]:
        """BM25 is a sum over words, so each is looked for alone; of one and those that stand for it the best counts."""
        scores: defaultdict[int, float] = defaultdict(float)
        for stem, word in words.items():
            best = self._scores(word)
            for kin in kindred.get(stem, {}).values():
                for number, score in self._scores(kin.word).items():
                    best[number] = max(best.get(number, 0.0), kin.nearness * score)
            for number, score in best.items():
                scores[number] += score
        return self._hits(heapq.nsmallest(limit, scores.items(), key=lambda item: (-item[1], item[0])))

    def _scores(self, word: str) -> dict[int, float]:
        """Of the passages that hold a word."""
        with self._reading():
            return dict(
                self._database.execute(f"SELECT rowid, -{_RANK} FROM found WHERE found MATCH ?", (f'"{word}"',))
            )

    def passage(self, number: int) -> Passage:
        """The passage with this id."""
        columns = "source, start, end, line, page, headings"
        with self._reading():
            row = self._database.execute(f"SELECT {columns} FROM passages WHERE id = ?", (number,)).fetchone()
            source, start, end, line, page, headings = row or [None] * 6
            name = self._names.get(source)
            if name is None or not _are_numbers(start, end, line, page or 0) or not isinstance(headings, str):
                raise sqlite3.DatabaseError(f"passage {number} is not whole")
        return Passage(number, name, start, end, line, page, self.text(name, start, end), headings)

    def passages(self, sources: Collection[str]) -> Iterator[Passage]:
        """All of these documents."""
        wanted = {self._sources[source] for source in sources}
        with self._reading():
            found = self._database.execute("SELECT id, source FROM passages ORDER BY id").fetchall()
        return (self.passage(number) for number, source in found if source in wanted)

    def text(self, source: str, start: int, end: int) -> str:
        """The source's text between two offsets, as far as it goes; empty for an unknown source."""
        blocks = self._blocks(source, start, end)
        return "".join(block.text[max(0, start - block.start) : max(0, end - block.start)] for block in blocks)

    def length(self, source: str) -> int:
        """The code points of a source; 0 for an unknown one."""
        number = self._sources.get(source)
        with self._reading():
            row = self._database.execute("SELECT max(start) FROM blocks WHERE source = ?", (number,)).fetchone()
            if not _are_numbers(last := row[0] or 0):
                raise sqlite3.DatabaseError("a block is not whole")
        return int(last) + len(self.text(source, last, 1 << 62))

    def headings(self, source: str) -> list[tuple[int, str]]:
        """Where the passages of a source begin, in order, and the headings that each stands under."""
        query = "SELECT start, headings FROM passages WHERE source = ? ORDER BY start"
        with self._reading():
            found = self._database.execute(query, (self._sources.get(source),)).fetchall()
            if not all(isinstance(start, int) and isinstance(headings, str) for start, headings in found):
                raise sqlite3.DatabaseError("a passage is not whole")
        return found

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all documents."""
        return tuple(self._sources)

    def blocks(self, source: str) -> Iterator[Segment]:
        """The whole text of a source, piece by piece."""
        return self._blocks(source, 0, 1 << 62)

    def origin(self, source: str, offset: int) -> Origin:
        """Where a character stands. Raises KeyError where the source has none there."""
        for block in self._blocks(source, offset, offset + 1):
            if 0 <= offset - block.start < len(block.text):
                line = block.line + block.text.count("\n", 0, offset - block.start)
                return Origin(line, block.page, block.place.at(line) if block.place else None)
        raise KeyError((source, offset))

    def widen(self, passage: Passage, characters: int) -> Passage:
        """The passage with up to so many characters more on each side, parted between words."""
        start = max(0, passage.start - characters)
        before = self.text(passage.source, start, passage.start)
        after = self.text(passage.source, passage.end, passage.end + characters)
        if start > 0:
            before = before[next((i + 1 for i, c in enumerate(before) if c.isspace()), 0) :]
        if len(after) == characters:
            after = after[: next((i for i in range(len(after), 0, -1) if after[i - 1].isspace()), len(after))]
        text, start = before + passage.text + after, passage.start - len(before)
        line, page, _ = self.origin(passage.source, start)
        return Passage(passage.id, passage.source, start, start + len(text), line, page, text, passage.headings)

    def question_weights(self, question: str, about: str = "") -> dict[str, float]:
        """Stem to rarity of the question's telling words, those that no passage holds included. Words of `about`, what
        the question goes on from, count less."""
        weights = {stem: ABOUT * self.rarity(stem) for stem in self.question_words(about)}
        return weights | {stem: self.rarity(stem) for stem in self.question_words(question)}

    def lacking(self, question: str) -> list[str]:
        """Names in it with figures or underscores, `E5` or `ring_peek`, that no passage holds: such a name stands for
        one thing, and no other word for it."""
        names = {name: name.replace("_", "") for name in _EXACT.findall(question[:LONGEST_QUESTION])[:MOST_TERMS]}
        stems = self.stems(names.values())
        return [name for name, plain in names.items() if not spaceless(name) and not self.holding(stems[plain])]

    def rarest(self, text: str, count: int) -> list[str]:
        """The telling words of a text that fewest passages hold, but some do; the rarest first."""
        held = [word for stem, word in self.question_words(text).items() if self.holding(stem)]
        return held[:count]

    def rarity(self, stem: str) -> float:
        """The inverse document frequency of a stem among the passages."""
        holding = self.holding(stem)
        return math.log(1 + (self.count - holding + 0.5) / (holding + 0.5))

    def stems(self, words: Iterable[str]) -> dict[str, str]:
        """What the index's tokenizer makes of each word; "" where it sees none."""
        with self._reading():
            return self._stemmer.stems(words)

    def stems_of(self, text: str) -> set[str]:
        """The stems of all words of a text."""
        return set(self.stems(word_texts(text)).values())

    def close(self) -> None:
        """Release the file; nothing else may be asked afterwards."""
        self._database.close()

    def question_words(self, question: str) -> dict[str, str]:
        """Stem to word for the question's telling words; of many, the rarest that the index holds."""
        question = question[:LONGEST_QUESTION]
        telling = list(content_words(question))
        stems = self.stems(telling)
        passed = self._across_words(question)
        words = {stems[word]: word for word in reversed(telling) if stems[word] and word not in passed}
        kept = sorted(words, key=lambda stem: (not self.holding(stem), -self.rarity(stem)))
        return {stem: words[stem] for stem in kept[:MOST_TERMS]}

    def _across_words(self, question: str) -> set[str]:
        """Pairs of characters that the text lacks because they are the end of one word and the beginning of another:
        other pairs have these characters, or they only frame a question."""
        if not spaceless(question):
            return set()
        pairs = {word.start: word.text for word in words(question) if spaceless(word.text)}
        stems = self.stems(pairs.values())
        held = {at for at, pair in pairs.items() if self.holding(stems[pair])}
        known = framing(question) | held | {at + 1 for at in held}
        return {pair for at, pair in pairs.items() if at not in held and {at, at + len(pair) - 1} <= known}

    def holding(self, stem: str) -> int:
        """How many passages hold a stem."""
        if stem not in self._holding:
            with self._reading():
                row = self._database.execute("SELECT doc FROM vocabulary WHERE term = ?", (stem,)).fetchone()
            self._holding[stem] = min(row[0], self.count) if row else 0
        return self._holding[stem]

    def terms_from(self, beginning: str) -> list[str]:
        """The stems that begin so."""
        query = "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?"
        with self._reading():
            return [
                term for (term,) in self._database.execute(query, (beginning, beginning + "\U0010ffff", MOST_FORMS))
            ]

    def _blocks(self, source: str, start: int, end: int) -> Iterator[Segment]:
        """The blocks that may hold any of the range."""
        number = self._sources.get(source)
        if number is None:
            return
        with self._reading():
            rows = self._database.execute(
                "SELECT start, line, page, place, base, checksum, text FROM blocks"
                " WHERE source = ? AND start > ? AND start < ? ORDER BY start",
                (number, start - BLOCK, end),
            )
            for at, line, page, words, base, checksum, data in rows:
                whole = isinstance(data, bytes) and isinstance(words, str | None) and zlib.crc32(data) == checksum
                whole = whole and _are_numbers(at, line, page or 0, base or 0)
                if not whole:
                    raise sqlite3.DatabaseError("a stored text has changed")
                place = Place(words, base) if words is not None else None
                yield Segment(source, data.decode("utf-8", "surrogatepass"), at, line, page, place)

    def _number(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, FileNotFoundError, UnicodeDecodeError) as error:
            raise DamagedError(
                f"{self.path}: the index cannot be used ({error}); delete it and read the source again"
            ) from error


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int) for value in values)
