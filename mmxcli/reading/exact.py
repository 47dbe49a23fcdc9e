"""Questions that a text answers by itself: what is asked is counted, compared or listed, and no model is needed."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from mmxcli.reading.answering import Origin, Said
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.changes import asks_about_changes, changes
from mmxcli.recall.comparison import asks_to_compare, comparison
from mmxcli.recall.contents import asks_about_contents, contents
from mmxcli.recall.files import asks_about_files, listed
from mmxcli.recall.found import Found
from mmxcli.recall.history import asks_about_a_section, history
from mmxcli.recall.mentions import asks_how_often, mentions
from mmxcli.recall.order import asks_for_order, order
from mmxcli.recall.quotes import Quote, quote_of
from mmxcli.recall.sides import Side, sides

LONGEST = 1_000  # code points of a question that is looked at
MOST_SIDES = 32  # sources that may be compared with each other
SHOWN, SHOWN_OF_ALL = 8, 48  # changes, or items of a section, that an answer tells; with --whole
LONG = 5_000_000  # code points from which on it is said beforehand what a comparison takes
SPEED = 1_000_000  # code points of both texts a second
Told = Note | Progress


@dataclass(frozen=True, slots=True)
class Exact:
    """An answer, or None where the text has nothing of it, and the quotes."""

    said: Said | None
    quotes: tuple[Quote, ...]


def asks_for_something_exact(reading: Reading, question: str) -> bool:
    """Whether a question may be one: then it is answered alone."""
    kinds = (asks_about_contents, asks_about_files, asks_about_a_section, asks_how_often, asks_for_order)
    return len(question) <= LONGEST and (
        any(asks(question) for asks in kinds)
        or (len(reading.named) > 1 and asks_about_changes(question))
        or asks_to_compare(question, _sides(reading))
    )


def exact(session: Session, reading: Reading, question: str, *, whole: bool) -> Generator[Told, None, Exact | None]:
    """None where it is no such question. With `whole` more is listed."""
    index, most = reading.index, SHOWN_OF_ALL if whole else SHOWN
    if len(question) > LONGEST:
        return None
    if read := contents(index, question):
        spans = tuple((index.sources[0], entry.start, entry.end) for entry in read.entries)
        return _cited(reading, Found(read.text, spans, numbered=False), Origin.CONTENTS)
    if files := listed(index, question):
        spans = tuple((files.source, *span) for span in files.spans)
        return _cited(reading, Found(files.text, spans, numbered=False), Origin.CONTENTS)
    found = yield from _changes(session, reading, question, most)
    found = found or history(index, question, most)
    if not found and asks_how_often(question):
        found = yield from _progress(reading, "count", mentions(index, question))
    found = found or order(index, question)
    return _cited(reading, found, Origin.EXACT) if found else None


def compared(reading: Reading, question: str) -> Exact | None:
    """What the text says of two things, side by side; None where that is not asked."""
    every = _sides(reading)
    if len(question) > LONGEST or not asks_to_compare(question, every):
        return None
    found = comparison(reading.index, question, every)
    return _cited(reading, found, Origin.BESIDE) if found else None


def _changes(session: Session, reading: Reading, question: str, most: int) -> Generator[Told, None, Found | None]:
    every = _sides(reading)
    if len(every) < 2 or not asks_about_changes(question):
        return None
    size = _size(reading)
    if size >= LONG:
        yield Note(f"every sentence of both is compared: {size:,} characters, about {size // SPEED} s")

    def near(words: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Loaded where it is needed."""
        known = session.near_words()
        return known(words) if known else {}

    work = changes(reading.index, every, question, most, near)
    return (yield from _progress(reading, "compare", work))


def _sides(reading: Reading) -> list[Side]:
    """Of a text with several sources, but not of a list of files."""
    return sides(reading.index, reading.named) if 1 < len(reading.named) <= MOST_SIDES else []


def _progress(
    reading: Reading, stage: str, work: Generator[int, None, Found | None]
) -> Generator[Told, None, Found | None]:
    """Tells how far the work is, where it takes more than a step."""
    size = _size(reading)
    told = False
    while True:
        try:
            done = next(work)
        except StopIteration as end:
            if told:
                yield Progress(stage, size, size, "characters")
            found: Found | None = end.value
            return found
        if size >= LONG and done < size:
            told = True
            yield Progress(stage, done, size, "characters")


def _size(reading: Reading) -> int:
    return sum(map(reading.index.length, reading.index.sources))


def _cited(reading: Reading, found: Found, origin: Origin) -> Exact:
    quotes = tuple(quote_of(reading.index, *span) for span in found.spans)
    return Exact(Said(found.text, origin, numbered=found.numbered) if found.text else None, quotes)
