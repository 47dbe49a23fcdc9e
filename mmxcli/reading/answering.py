"""One question: the best sentences are read again, and what the model writes is held against them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import compress
from typing import TYPE_CHECKING, TypeVar

from mmxcli.reading.conversation import Conversation
from mmxcli.reading.generate import generate
from mmxcli.reading.prompts import sentence_prompt
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.backing import adds, borne_out
from mmxcli.recall.columns import is_table, labelled, names_in
from mmxcli.recall.frames import is_framed
from mmxcli.recall.index import Hit, RecallIndex
from mmxcli.recall.kin import NONE, Kindred, Near, kindred, share
from mmxcli.recall.kinds import has_kind, is_kind, kind_asked
from mmxcli.recall.marks import asks_for_place, is_heading, unlabelled, unmarked
from mmxcli.recall.passages import Passage, is_code, stands_alone
from mmxcli.recall.quotes import Quote, best_quotes
from mmxcli.recall.select import select
from mmxcli.recall.sentences import is_question, points_back, sentences
from mmxcli.recall.words import spaceless

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mmxcli.models.writing import Befores

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]  # texts to rows of length 1 whose products are cosines
Scored = TypeVar("Scored", Hit, Quote)

# That the model reads, beside the best sentences of all candidates, of prose whose best sentence shares little with the
# question, or shares it with what was said before. Else they make answers no better, and take two thirds of the time.
# Of code four do best. Measured: docs/answers.md.
PASSAGES, PASSAGES_OF_CODE = 2, 4
LONGEST = 5_000  # characters of a question that the model reads: of more it makes nothing, and takes minutes for it
NAMING_TOKENS = 48  # of an answer to a single sentence
CANDIDATES = 8  # passages in which evidence is looked for; the model reads the first few of them
# The least that the best sentence must share with a question for the text to be taken to answer it. Measured: of 72
# questions about three books none is below, of 144 asked of another book 134 are (docs/benchmarks.md).
FOUND = 0.9
SURE = 1.1  # less of the best sentence, and what is near the question in meaning is looked for
# So many passages and sentences are compared with the question in meaning, and its cosine counts so much beside their
# scores. Measured: docs/answers.md.
COMPARED, COSINE_OF_PASSAGE = 16, 2.0
SENTENCES, COSINE_OF_SENTENCE = 24, 1.0
ALIKE = 0.55  # cosine from which on a sentence is taken to answer a question, whatever words they share
# The least of FOUND's score and cosine together where both are known: a short question about what the text has never
# heard of shares a word with it easily. Measured: docs/answers.md.
TOGETHER = 1.35
# Of what the best sentence shares with a question, that another must share to say something of the same thing.
OF_THE_SAME = 0.5
BETWEEN = 3  # code points between two sentences of which one comes right after the other


class Origin(StrEnum):
    """Where the words of an answer come from, surest first."""

    NAMED = "named"  # the model's, borne out by the sentence that fits the question best
    BACKED = "backed"  # the model's, borne out by another of the best sentences
    AGAIN = "again"  # the model's, asked a second time, of the best sentence alone
    SENTENCE = "sentence"  # the best sentence: nothing that the model said is borne out
    COLLECTED = "collected"  # the model's, of many sentences one by one
    COMPOSED = "composed"  # the model's, of several sentences, each of them borne out
    CONTENTS = "contents"  # the document's headings, or the tree of a folder
    EXACT = "exact"  # the text's, compared, counted or listed without a model
    BESIDE = "beside"  # the text's about two things, side by side


# The share of answers of each origin that is right, where the best sentence shares much with the question and where it
# does not, by how often it was (docs/answers.md).
CONFIDENCE = {Origin.NAMED: 0.9, Origin.BACKED: 0.5, Origin.AGAIN: 0.5, Origin.SENTENCE: 0.5}
CONFIDENCE |= {Origin.COLLECTED: 0.5, Origin.COMPOSED: 0.5, Origin.CONTENTS: 0.9, Origin.EXACT: 0.9, Origin.BESIDE: 0.5}
UNSURE = {Origin.NAMED: 0.5, Origin.BACKED: 0.3, Origin.AGAIN: 0.3, Origin.SENTENCE: 0.3, Origin.COMPOSED: 0.3}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, where its words come from, and how likely it is to be right, from 0 to 1. `sure`: its evidence is;
    `numbered`: it names its quotes by their numbers."""

    text: str
    origin: Origin
    sure: bool = True
    numbered: bool = False

    @property
    def confidence(self) -> float:
        return (CONFIDENCE if self.sure else UNSURE)[self.origin]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What recall found for a question: the passages for the model, the best sentences without any answer. `fit`: the
    best score of a sentence; `cosine`: the greatest of these sentences, None where they were not compared with the
    question in meaning. `kindred` stood for words of the question where those alone found too little to be `sure`.
    `about`: words of what was said before that it was also looked for by. `lacking`: names in it that stand nowhere in
    the text. `untold`: the kind of thing, in words ("an age"), that it asks for and that these sentences have none of;
    else "".
    """

    passages: tuple[Passage, ...]
    quotes: tuple[Quote, ...]
    fit: float
    kindred: Kindred
    sure: bool
    about: str = ""
    cosine: float | None = None
    lacking: tuple[str, ...] = ()
    untold: str = ""

    @property
    def found(self) -> bool:
        """Whether the text can be taken to answer the question."""
        return not self.untold and self.near

    @property
    def near(self) -> bool:
        """Whether it can be taken to say something about what the question is about."""
        cosine = self.cosine or 0.0
        by_words = self.cosine is None or bool(self.about)  # a question that goes on from another is not whole
        least = FOUND if by_words else max(FOUND, TOGETHER - cosine)
        return not self.lacking and (self.fit >= least or cosine >= ALIKE)


def gather(reading: Reading, question: str, limit: int, about: str = "") -> Evidence:
    """Passages and the `limit` best sentences for a question by their words, best first. `about`: words that it goes on
    from."""
    return _evidence(reading, question, limit, NONE, None, about)


def gather_by_meaning(
    reading: Reading, question: str, limit: int, evidence: Evidence, near_words: Near | None, encode: Encode | None
) -> Evidence:
    """As `gather`, for a question of which that found `evidence` that shares little with it: words of the text that are
    near those of the question may stand for them, and what is near to the question in meaning goes first."""
    kin = kindred(reading.index, question, near_words) if near_words else NONE
    code = not evidence.passages or is_code(evidence.passages[0].source)  # of which the encoder knows nothing
    wider = _evidence(reading, question, limit, kin, None if code else encode, evidence.about)
    by_words = replace(evidence, cosine=wider.cosine)
    return replace(wider, sure=False) if wider.near or not by_words.near else by_words


def _evidence(reading: Reading, question: str, limit: int, kin: Kindred, encode: Encode | None, about: str) -> Evidence:
    index = reading.index
    hits = select(index, question, COMPARED if encode else CANDIDATES, kin, about)
    if encode:
        hits = [hit for hit, _ in _by_meaning(encode, question, hits, lambda hit: hit.passage.text, COSINE_OF_PASSAGE)]
    passages = tuple(hit.passage for hit in hits[:CANDIDATES])
    quotes = best_quotes(index, question, None, passages, SENTENCES if encode else limit, kin, about)
    fit, cosine = quotes[0].score if quotes else 0.0, None
    if encode and quotes:
        compared = _by_meaning(encode, question, quotes, lambda quote: quote.text, COSINE_OF_SENTENCE)[:limit]
        quotes, cosine = [quote for quote, _ in compared], max(cosine for _, cosine in compared)
    lacking = tuple(index.lacking(question))
    found = Evidence(passages, tuple(quotes), fit, kin, fit >= SURE, about, cosine, lacking)
    return replace(found, untold=_untold(index, question, found))


def _untold(index: RecallIndex, question: str, evidence: Evidence) -> str:
    """What kind of thing a question asks for that no sentence has of those that say as much of the same thing, or that
    come right after one; nor of code the passages, where a fact is seldom on the line that fits."""
    kind, quotes = kind_asked(question), evidence.quotes
    if kind is None or not quotes:
        return ""
    texts = [_told(evidence, quote) for quote in quotes]
    if code := _code_of(evidence):
        return "" if has_kind(kind, question, [*texts, *code]) else kind.name
    weights = index.question_weights(question, evidence.about)
    shares = [share(index.stems_of(text), weights, evidence.kindred) * adds(index, question, text) for text in texts]
    same = [quote for quote, one in zip(quotes, shares, strict=True) if one >= OF_THE_SAME * max(shares)]
    near = [
        text
        for quote, text in zip(quotes, texts, strict=True)
        if quote in same or any(_comes_after(quote, other) for other in same)
    ]
    return "" if has_kind(kind, question, near) else kind.name


def _comes_after(quote: Quote, other: Quote) -> bool:
    return quote.source == other.source and 0 <= quote.start - other.end <= BETWEEN


def _code_of(evidence: Evidence) -> list[str]:
    """The passages that are code, but for tables and logs: there the fact is on the line that fits."""
    code = [one for one in evidence.passages if is_code(one.source) and not stands_alone(one.source)]
    return [f"{passage.headings}\n{passage.text}" for passage in code]


def _by_meaning(
    encode: Encode, question: str, found: Sequence[Scored], text: Callable[[Scored], str], weight: float
) -> list[tuple[Scored, float]]:
    """Best first, by score and by how near the text of each is to the question: that cosine comes with it."""
    directions = encode([question, *map(text, found)])
    compared = zip(found, map(float, directions[1:] @ directions[0]), strict=True)
    return sorted(compared, key=lambda pair: -pair[0].score - weight * pair[1])


def answer(
    session: Session, reading: Reading, asked: Sequence[tuple[str, Evidence]], after: Conversation | None = None
) -> list[Said]:
    """For each question with its evidence what the model says where one of the best sentences bears it out, else what
    it says of the best of them alone, else that sentence; of a single word, of search terms, and of what is as long as
    a text, that sentence. The answers are written together. `after`: the conversation that a single question goes on
    from.

    A guess without evidence is never returned, so nothing can be shown before it is whole.
    """
    asks = [after is not None or _asks(question) for question, _ in asked]
    written = iter(write(session, reading, list(compress(asked, asks)), after) if any(asks) else ())
    said = [
        _held(reading, *one, next(written)) if by_model else _sentence(reading, *one)
        for one, by_model in zip(asked, asks, strict=True)
    ]
    again = [one for one, known in zip(asked, said, strict=True) if known is None]
    sentences = [(question, _best_sentence(reading, question, evidence)) for question, evidence in again]
    tries = iter(zip((text for _, text in sentences), named(session, sentences), strict=True) if again else ())
    return [
        known or _of_sentence(reading, question, evidence, *next(tries))
        for known, (question, evidence) in zip(said, asked, strict=True)
    ]


def _asks(question: str) -> bool:
    """Whether a model can be asked it. A word, or search terms, only name what is looked for: a model makes up what is
    asked, then."""
    asked = len(question.split()) > 1 and is_framed(question)
    return len(question) <= LONGEST and (asked or spaceless(question) > 2)


def _held(reading: Reading, question: str, evidence: Evidence, text: str) -> Said | None:
    """What of it the best sentences bear out, or for code any passage. In tables and logs another line is about
    something else."""
    best, *others = [_bearing(evidence, question, quote) for quote in _bearers(reading, question, evidence)]
    others += _code_of(evidence)
    for origin, texts in ((Origin.NAMED, [best]), (Origin.BACKED, [best, *others])):
        if kept := _kept(reading, question, text, texts):
            return Said(kept, origin, evidence.sure)
    return None


def _bearers(reading: Reading, question: str, evidence: Evidence) -> list[Quote]:
    """The quotes that may bear an answer out. Where the first surely says something of what is asked, others that have
    no word of the question say nothing of it, but for one that goes on from the first."""
    index, (best, *others) = reading.index, evidence.quotes
    if not evidence.sure or not adds(index, question, best.text):
        return [best, *others]
    weights = index.question_weights(question, evidence.about)
    return [best] + [
        other
        for other in others
        if share(index.stems_of(_told(evidence, other)), weights, evidence.kindred)
        or (_comes_after(other, best) and points_back(other.text))
    ]


def _kept(reading: Reading, question: str, text: str, texts: Sequence[str]) -> str:
    """What of it these texts bear out, if it is the kind of thing that is asked for."""
    kept = borne_out(reading.index, question, text, texts)
    return kept if is_kind(question, kept) else ""


def _bearing(evidence: Evidence, question: str, quote: Quote) -> str:
    """What of a quote bears an answer out: the number of a clause says nothing, unless it is asked for."""
    told = _told(evidence, quote)
    return unlabelled(told if asks_for_place(question) else unmarked(told))


def _best_sentence(reading: Reading, question: str, evidence: Evidence) -> str:
    """The first quote that says more than the question does, and has the kind of thing that is asked for: a heading may
    have all of its words and no other, or only name what comes below."""
    kind, place = kind_asked(question), asks_for_place(question)

    def worth(quote: Quote) -> tuple[bool, bool, bool]:
        says_more = adds(reading.index, question, unmarked(quote.text))
        of_the_kind = kind is None or has_kind(kind, question, [_told(evidence, quote)])
        return says_more, place or not is_heading(quote.text), of_the_kind

    return _bearing(evidence, question, max(evidence.quotes, key=worth))


def _of_sentence(reading: Reading, question: str, evidence: Evidence, sentence: str, text: str) -> Said:
    if kept := _kept(reading, question, text, [sentence]):
        return Said(kept, Origin.AGAIN, evidence.sure)
    return _sentence(reading, question, evidence)


def _sentence(reading: Reading, question: str, evidence: Evidence) -> Said:
    sentence = _best_sentence(reading, question, evidence)
    parts = [sentence[start:end] for start, end in sentences(sentence)]
    told = (
        " ".join(parts[1:]) if len(parts) > 1 and is_question(parts[0]) else sentence
    )  # the question need not be repeated
    return Said(" ".join(told.split()), Origin.SENTENCE, evidence.sure)


def named(session: Session, asked: Sequence[tuple[str, str]]) -> list[str]:
    """What the model says to questions of each of which it reads one sentence."""
    prompts = [sentence_prompt(session.template, sentence, question) for question, sentence in asked]
    return _generated(session, None, prompts, min(session.settings.max_tokens, NAMING_TOKENS))


def write(
    session: Session, reading: Reading, asked: Sequence[tuple[str, Evidence]], after: Conversation | None = None
) -> list[str]:
    """What the model says: after a conversation or the state of a full reading, which stay as they are, or from
    nothing.

    For each question it reads what is `seen_again`.
    """
    prompts, states = [], []
    for question, evidence in asked:
        passages, quotes = seen_again(evidence, session.settings.passages)
        state, prompt = (after or Conversation(session, reading)).begin(passages, quotes, question)
        prompts.append(prompt)
        states += [] if state is None else [state]
    return _generated(session, states or None, prompts, session.settings.max_tokens)


def seen_again(evidence: Evidence, passages: int | None) -> tuple[list[str], list[str]]:
    """What the model reads of a text for a question: the first passages, so many where it is said, and the best
    sentences of all of them."""
    if passages is None:
        alone = evidence.sure and not evidence.about
        code = any(is_code(passage.source) for passage in evidence.passages[:1])
        passages = PASSAGES_OF_CODE if code else 0 if alone else PASSAGES
    return (
        [_readable(passage) for passage in evidence.passages[:passages]],
        [_told(evidence, quote) for quote in evidence.quotes],
    )


def _readable(passage: Passage) -> str:
    """Rows of a table with the names of their columns."""
    text, names = passage.text.strip(), names_in(passage.headings) if is_table(passage.source) else ""
    return text if names in text else f"{names}\n{text}"


def _told(evidence: Evidence, quote: Quote) -> str:
    """A quote as the model reads it: the cells of a row with the names of their columns. They bear out what it says."""
    if not is_table(quote.source):
        return quote.text
    return next(
        labelled(names_in(passage.headings), quote.text)
        for passage in evidence.passages
        if passage.source == quote.source and quote.start < passage.end and passage.start < quote.end
    )


def _generated(session: Session, states: "Befores | None", prompts: Sequence[Sequence[int]], limit: int) -> list[str]:
    assert session.writer  # the session was prepared
    texts = [""] * len(prompts)
    for number, piece in generate(session.writer, session.tokenizer, states, prompts, limit, session.policy.chunk):
        texts[number] += piece
    return [text.strip() for text in texts]
