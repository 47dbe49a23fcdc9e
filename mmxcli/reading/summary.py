"""What a text says, in few words: its parts first, and every part from what its own parts say."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from mmxcli.reading.about import About
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.retelling import Reteller
from mmxcli.recall.gist import FAR, NEAR, SEVERAL, WHOLE, Concept, Statement, Style, Told, gist, length, statements
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import share
from mmxcli.recall.parts import Part
from mmxcli.recall.passages import is_code

LONG = 10_000  # code points from which on a text is told with what it is
SENTENCE = 25  # words of one that stands for a stretch of a long text
CARRIED = 120  # words of a part from which what stands above it is made
MANY = 100  # parts: of a folder with more only the whole is told, where nobody asks for them
INNER, LEAST = 3, 25  # a part has a third of the words of what it is a part of, but at least so many
FOCUS = 0.5  # of the weight of the focus' words that a sentence and its headings must hold


@dataclass(frozen=True, slots=True)
class Summary:
    """What a part of the text says. `source` is empty for what has several; `words` is how many the part itself has."""

    title: str
    source: str
    words: int
    statements: tuple[Statement, ...]
    parts: tuple["Summary", ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """`words` of the whole summary, which goes `depth` levels of parts down (None: as suits the text); of all, only
    what is about `focus`."""

    words: int
    depth: int | None = None
    focus: str | None = None

    def at(self, level: int) -> int:
        return self.words if not level else max(LEAST, self.words // INNER**level)


def summarise(
    index: RecallIndex, whole: Part, wanted: Wanted, reteller: Reteller | None = None
) -> Generator[Progress | Note, None, Summary]:
    """An extract of every part: of its text, or where it has parts, of what they say; with a `reteller`, of what a
    model says of both."""
    depth = wanted.depth if wanted.depth is not None else int(not whole.source and len(whole.parts) <= MANY)
    summary, _ = yield from _Maker(index, wanted, depth, whole, reteller).made(whole, 0)
    return summary


class _Maker:
    """Makes the summaries of all parts, the innermost first."""

    def __init__(self, index: RecallIndex, wanted: Wanted, depth: int, whole: Part, reteller: Reteller | None) -> None:
        self._index = index
        self._reteller = reteller
        self._wanted = wanted
        self._depth = depth
        self._leaves = sum(1 for _ in whole.leaves)
        self._done = 0
        self._focus = index.question_weights(wanted.focus) if wanted.focus else {}
        is_long = whole.end - whole.start >= LONG or self._leaves >= SEVERAL
        is_prose = not is_code(whole.source)
        self._about = About(index, whole, wanted.words) if is_long and is_prose and not wanted.focus else None

    def made(
        self, part: Part, level: int, above: str = ""
    ) -> Generator[Progress | Note, None, tuple[Summary, "_Best"]]:
        """The summary of a part, and what those of the parts above are made from."""
        told, words, offered = Told(self._index), 0, list[Statement]()
        inner: list[Summary] = []
        headings = f"{above}\n{part.title}"
        for child in part.parts:
            summary, best = yield from self.made(child, level + 1, headings)
            told += best.told
            words += summary.words
            offered += best.statements
            inner.append(summary)
        if not inner:
            yield Progress("summarise", self._done, self._leaves, "parts", part.title)
            self._done += 1
            text = self._index.text(part.source, part.start, part.end)
            words, told = length(text), Told(self._index, text)
            found = iter(()) if part.is_apparatus else statements(self._index, part.source, part.start, part.end)
            offered = list(self._about_focus(found, headings))
            if self._about:
                self._about.look(part, offered)
        weighed, far = told, FAR
        if self._reteller:
            offered = yield from self._reteller.told(part, offered)
            # What a model says has words of its own, is short, and is clear by itself.
            weighed, far = Told(self._index, "\n".join(one.text for one in offered)), NEAR
        if not level:
            yield Progress("summarise", self._leaves, self._leaves, "parts")
        weights, style = weighed.weights(self._index), far if told.many else NEAR
        chosen = self._chosen(offered, weights, level, style)
        if level:
            offered = gist(self._index, offered, weights, CARRIED, far if self._about else style)
        parts = tuple(inner) if level < self._depth else ()
        return Summary(part.title, part.source, words, tuple(chosen), parts), _Best(told, offered)

    def _chosen(
        self, offered: list[Statement], weights: Mapping[Concept, float], level: int, style: Style
    ) -> list[Statement]:
        """What is told of a part: of a long text first what it is, then sentences from its beginning to its end."""
        if level > self._depth:
            return []
        room = self._wanted.at(level)
        if level or not self._about:
            return gist(self._index, offered, weights, room, style)
        about = self._about.told(listed=not self._depth)
        room -= sum(length(one.text) for one in about)
        whole = NEAR if self._reteller else WHOLE
        if room < whole.shortest:
            return about
        rest = [one for one in offered if one not in about]
        stretches = room // SENTENCE if self._leaves >= SEVERAL else 0
        spread = gist(self._index, rest, weights, room, whole, stretches, self._about.favour)
        return about + (spread or gist(self._index, rest, weights, room, style))

    def _about_focus(self, found: Iterator[Statement], headings: str) -> Iterator[Statement]:
        if not self._focus:
            return found
        above = self._index.stems_of(headings)
        return (one for one in found if self._fits(one, above))

    def _fits(self, one: Statement, above: set[str]) -> bool:
        own = self._index.stems_of(one.text)
        return bool(own & self._focus.keys()) and share(own | above, self._focus) >= FOCUS


@dataclass(frozen=True, slots=True)
class _Best:
    """What a part tells of, and its best statements."""

    told: Told
    statements: list[Statement]
