"""Answers of several sentences, put together by a model from what a text says in several places."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from mmxcli.reading.prompts import composing_prompt
from mmxcli.reading.scribe import Scribe
from mmxcli.reading.session import Session, Told
from mmxcli.recall.backing import LONGEST, Stems
from mmxcli.recall.bearing import bearers
from mmxcli.recall.quotes import Quote
from mmxcli.recall.sentences import sentences

GIVEN = 8  # sentences at most that an answer is put together from
TOKENS = 120
TWO = 2  # sentences that an answer must take up: one alone is quoted as well without a model
_TELLING = re.compile(
    r"^\W*(?:(?:and|so|but|please)\W+)?(?:why\b|how\b(?! (?:many|much|old|long|far|often|tall|high|deep|big|large|wide"
    r"|heavy|fast|soon|late|early)\b)|compare\b|describe\b|explain\b|tell (?:me|us) (?:about|more|how|why)\b"
    r"|what (?:has |had )?(?:changed|happens|happened)\b|what (?:is|was) known\b"
    r"|what (?:is|are|was|were) the differences?\b|what does .* do\b|in what ways?\b)",
    re.I,
)
_MARK = re.compile(r"\s*\[\d{1,2}\]")


@dataclass(frozen=True, slots=True)
class Composed:
    """A text with the numbers of its quotes, from 1, after each sentence."""

    text: str
    quotes: tuple[Quote, ...]


def asks_to_tell(question: str) -> bool:
    """Whether a question wants to be told something, more than a name, a number or a word."""
    return _TELLING.search(question) is not None


def compose(
    session: Session, index: Stems, question: str, quotes: Sequence[Quote]
) -> Generator[Told, None, Composed | None]:
    """What the model makes of the quotes, as far as they bear it out; None where that is not of TWO of them."""
    given = sorted(quotes[:GIVEN], key=lambda quote: (quote.source, quote.start))
    texts = [quote.text for quote in given]
    with Scribe(session) as scribe:
        prompt = composing_prompt(session.template, texts, question)
        (written,) = yield from scribe.write([prompt], TOKENS, "answer")
    text, taken = marked(index, question, written, texts)
    return Composed(text, tuple(given[place] for place in taken)) if len(taken) >= TWO else None


def marked(index: Stems, question: str, written: str, texts: Sequence[str]) -> tuple[str, list[int]]:
    """The sentences that are borne out, each followed by the numbers of those of `texts` that do; and these, by their
    places, in the order of their numbers."""
    written = _MARK.sub("", written)
    kept: list[str] = []
    taken: list[int] = []
    for start, end in sentences(written):
        sentence = " ".join(written[start:end].split())
        places = bearers(index, question, sentence, texts)
        if not places or len(" ".join([*kept, sentence]).split()) > LONGEST:
            continue
        taken += [place for place in places if place not in taken]
        kept.append(sentence + "".join(f" [{taken.index(place) + 1}]" for place in places))
    return " ".join(kept), taken
