"""Finds the words of a source that bear an answer out, and checks that they stand there."""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from mmxcli.recall.columns import is_table, names_in
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import NONE, Kindred, share
from mmxcli.recall.marks import unlabelled
from mmxcli.recall.numbers import numbers
from mmxcli.recall.passages import Passage, is_code, stands_alone
from mmxcli.recall.sentences import is_question, sentences
from mmxcli.recall.words import PLAIN, Word, content_words, inside_word, named, spaceless, telling, words

LONGEST = 300  # code points
LINE = 400  # code points of a line around a quote
MARGIN = 200  # code points beyond a passage, so that its first and last sentence are whole
_CLAUSE_END = re.compile(r"(?:[,;:)]|--+|[—–])(?=\s|\w)\s*|[，、；：]")
_SPACE = re.compile(r"\s+")
_SAME = 0.3  # of what a question's words weigh a question in the text must have to be taken for the same one


@dataclass(frozen=True, slots=True)
class Quote:
    """Verbatim text of a source between two code point offsets, with the line, page and place where it begins.

    `score` compares the quotes of one question: up to 1.6 for the question's words, and up to 2 more for
    the answer's.
    """

    source: str
    start: int
    end: int
    line: int
    page: int | None
    text: str
    score: float = 0.0
    place: str | None = None


def best_quotes(
    index: RecallIndex,
    question: str,
    answer: str | None,
    passages: Sequence[Passage],
    limit: int,
    kindred: Kindred = NONE,
    about: str = "",
) -> list[Quote]:
    """The sentences (for code three lines, of a table or a log one) that best support the answer or, without one, fit
    the question, for whose words `kindred` may stand.

    `about` are words that the question goes on from. `passages` come best first. Quotes are at most LONGEST characters
    long and do not overlap.
    """
    scorer = _Scorer(index, question, answer or "", kindred, about)
    found = [quote for rank, passage in enumerate(passages) for quote in scorer.quotes(passage, rank)]
    chosen: list[Quote] = []
    for quote in sorted(found, key=lambda quote: -quote.score):
        if len(chosen) < limit and not any(_overlap(quote, other) for other in chosen):
            chosen.append(quote)
    return chosen


def quote_of(index: RecallIndex, source: str, start: int, end: int) -> Quote:
    """What stands there. Raises KeyError where the source has nothing there."""
    line, page, place = index.origin(source, start)
    return Quote(source, start, end, line, page, index.text(source, start, end), place=place)


def sentence_at(index: RecallIndex, source: str, start: int, end: int) -> tuple[str, int, int]:
    """The sentence, or line of code, around these code points, of a long one as much as a quote may have."""
    low = max(0, start - 2 * LONGEST)
    text = index.text(source, low, end + 2 * LONGEST)
    begin, until = next(span for span in sentences(text, is_code(source)) if span[0] <= start - low < span[1])
    if until - begin > LONGEST:
        borders = [begin, *_borders(text, begin, until), until]
        before = [border for border in borders if border <= start - low]
        begin = next((border for border in before if start - low - border < LONGEST // 2), before[-1])
        until = max(border for border in borders if border - begin <= LONGEST)
    until = max(until, end - low)
    return source, low + begin, low + begin + len(text[begin:until].rstrip())


def with_another(chosen: Sequence[Quote], others: Sequence[Quote], limit: int) -> list[Quote]:
    """The first `limit` quotes; the last of them gives way to the best of `others` that the rest does not have: one
    that does not depend on what was answered shows where the answer is wrong."""
    kept = list(chosen[: limit - 1])
    new = next((other for other in others if not any(_overlap(other, quote) for quote in kept)), None)
    return [*kept, new] if new else list(chosen[:limit])


def shared_words(index: RecallIndex, text: str, other: str) -> tuple[str, ...]:
    """The telling words of `text`, as they stand there, that `other` has in any form, and its numbers of the same
    value. Pairs of characters that touch are one word."""
    stems = set(index.stems(content_words(other)).values()) - {""}
    of_text = index.stems(content_words(text))
    shared = {word for word, stem in of_text.items() if stem in stems}
    pairs = {word for word in shared if spaceless(word)}
    values = _values(other)
    same = [text[n.start : n.end] for n in numbers(text) if f"={n.value}" in values]
    whole = [word for word in of_text if word in shared - pairs]
    return tuple(dict.fromkeys([*whole, *_joined(text, pairs), *same]))


def _joined(text: str, pairs: Set[str]) -> Iterator[str]:
    """The runs of characters that these pairs make where they overlap or touch."""
    marked = bytearray(len(text))
    for word in words(text) if pairs else ():
        if word.text in pairs:
            marked[word.start : word.end] = b"x" * (word.end - word.start)
    return (text[run.start() : run.end()] for run in re.finditer(b"x+", marked))


def lines_around(index: RecallIndex, quote: Quote, count: int) -> tuple[str, str]:
    """So many lines before a quote and after it, the rest of its own first and last line not counted; of lines without
    end no more than LINE characters each."""
    reach = LINE * (count + 1)
    before = index.text(quote.source, max(0, quote.start - reach), quote.start).split("\n")
    after = index.text(quote.source, quote.end, quote.end + reach).split("\n")
    return "\n".join(before[-count - 1 :]), "\n".join(after[: count + 1])


def verify(quote: Quote, index: RecallIndex) -> bool:
    """Whether the source has exactly this text at exactly this place."""
    return (
        0 <= quote.start < quote.end
        and len(quote.text) == quote.end - quote.start
        and index.text(quote.source, quote.start, quote.end) == quote.text
        and index.origin(quote.source, quote.start) == (quote.line, quote.page, quote.place)
    )


def find_words(wanted: str, text: str) -> tuple[int, int] | None:
    """Where `text` has what a model wrote, as whole words. White space, quotation marks and dashes may differ; marks
    around it do not count."""
    wanted = "".join(c for c, _ in _plain(wanted)).strip(" \"'")
    having = list(_plain(text))
    plain = "".join(c for c, _ in having)
    at = plain.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        if not inside_word(plain, at) and not inside_word(plain, end):
            return having[at][1], having[end - 1][1] + 1
        at = plain.find(wanted, at + 1)
    return None


def _values(text: str) -> set[str]:
    """Its numbers, by their value."""
    return {f"={number.value}" for number in numbers(text)}


def _overlap(one: Quote, other: Quote) -> bool:
    return one.source == other.source and one.start < other.end and other.start < one.end


def _plain(text: str) -> Iterator[tuple[str, int]]:
    """The characters that count and where they stand: one space for white space, one dash for "--"."""
    before = ""
    for at, character in enumerate(text.translate(PLAIN)):
        plain = " " if character.isspace() else character
        if plain != before or plain not in " -":
            yield plain, at
        before = plain


class _Scorer:
    """Weighs sentences by what they share with one question and its answer."""

    def __init__(self, index: RecallIndex, question: str, answer: str, kindred: Kindred, about: str) -> None:
        self._index = index
        self._kindred = kindred
        self._question = index.question_weights(question, about)
        answered = self._stemmed(answer)
        self._answer = [stem for _, stem in answered]
        # What the answer adds to the question is what has to be borne out.
        tells = set(telling(answer))
        told = {stem for word, stem in answered if word in tells}
        added = told - {stem for _, stem in self._stemmed(question)}
        self._added = {stem: index.rarity(stem) for stem in added or told}
        self._added |= {value: index.rarity(value) for value in _values(answer) - _values(question)}

    def quotes(self, passage: Passage, rank: int) -> Iterator[Quote]:
        """A quote for every sentence, or line of code, that stands at least partly in the passage."""
        wide = self._index.widen(passage, MARGIN)
        code, alone = is_code(passage.source), stands_alone(passage.source)
        spans = list(sentences(wide.text, code) if code else self._answered(wide.text))
        stemmed = self._stemmed(wide.text)
        found = [_between(stemmed, start, end) for start, end in spans]
        above = {stem for _, stem in self._stemmed(passage.headings)}
        around = {stem for _, stem in stemmed} | above
        names = names_in(passage.headings) if is_table(passage.source) else ""
        columns = {stem for _, stem in self._stemmed(names)}
        reach = 0 if alone else 2 if code else 1
        for i, (start, end) in enumerate(spans):
            if wide.start + end <= passage.start or wide.start + start >= passage.end:
                continue
            if names and wide.text[start:end] == names:
                continue  # says nothing else
            near = columns.union(*found[max(0, i - reach) : i + reach + 1])
            fit = self._fit(columns.union(found[i])) / 2
            fit += self._fit(near) / 4 + self._fit(around) / 4 + 0.6 / (1 + rank)
            low, high = self._trim(wide.text, stemmed, start, end)
            fit += self._support(_between(stemmed, low, high), wide.text[low:high])
            before, after = spans[max(0, i - 1)][0], spans[min(len(spans) - 1, i + 1)][1]
            if code and not alone and after - before <= LONGEST:
                low, high = before, after
            line, page, place = self._index.origin(passage.source, wide.start + low)
            text, low, high = wide.text[low:high], wide.start + low, wide.start + high
            yield Quote(passage.source, low, high, line, page, text, fit, place)

    def _answered(self, text: str) -> Iterator[tuple[int, int]]:
        """Its sentences; one that only asks what is asked here, and the next, which answers it, as one."""
        asked: tuple[int, int] | None = None
        for start, end in sentences(text):
            asks = self._only_asks(text[start:end])
            if asked and asks:
                yield asked
            if not asks:
                yield asked[0] if asked else start, end
            asked = (start, end) if asks else None
        if asked:
            yield asked

    def _only_asks(self, text: str) -> bool:
        """Whether a sentence asks what is asked here, and says nothing else."""
        if not is_question(text):
            return False
        text = unlabelled(text)
        stems = self._index.stems(content_words(text))
        asked = set(stems.values()) - {""}
        new = asked - self._question.keys()
        names_more = any(stems.get(word) in new for word in named(text))
        return not names_more and len(new) <= len(asked) / 2 and self._fit(asked) >= _SAME

    def _fit(self, stems: Set[str]) -> float:
        return share(stems, self._question, self._kindred)

    def _support(self, stems: list[str], text: str) -> float:
        """2 for the whole answer word for word, less for some of its words, or numbers of the same value."""
        length = len(self._answer)
        if length and any(stems[i : i + length] == self._answer for i in range(len(stems) - length + 1)):
            return 2.0
        return 1.5 * share({*stems, *_values(text)}, self._added) if self._added else 0.0

    def _trim(self, text: str, stemmed: list[tuple[Word, str]], start: int, end: int) -> tuple[int, int]:
        """The run of clauses, at most LONGEST characters long, with most of answer and question."""
        if end - start <= LONGEST:
            return start, end
        borders = [start, *_borders(text, start, end), end]
        best = (-1.0, 0, start, end)
        for low in borders[:-1]:
            high = max(border for border in borders if border - low <= LONGEST)
            stems = _between(stemmed, low, high)
            worth = self._support(stems, text[low:high]) + self._fit(set(stems))
            best = max(best, (worth, len(text[low:high].strip()), low, high))
        _, length, low, high = best
        low += len(text[low:high]) - len(text[low:high].lstrip())
        return low, low + length

    def _stemmed(self, text: str) -> list[tuple[Word, str]]:
        found = list(words(text))
        stems = self._index.stems(word.text for word in found)
        return [(word, stems[word.text]) for word in found if stems[word.text]]


def _between(stemmed: list[tuple[Word, str]], start: int, end: int) -> list[str]:
    return [stem for word, stem in stemmed if start <= word.start < end]


def _borders(text: str, start: int, end: int) -> Iterator[int]:
    """The ends of clauses; where the next is far away, the ends of words or, without any, of pieces."""
    at = start
    for border in [*(match.end() for match in _CLAUSE_END.finditer(text, start, end)), end]:
        while border - at > LONGEST:
            spaces = [match.end() for match in _SPACE.finditer(text, at + LONGEST // 2, at + LONGEST)]
            at = spaces[-1] if spaces else at + LONGEST
            yield at
        if at < border < end:
            yield border
        at = border
