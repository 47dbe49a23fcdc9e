"""Whether sentences of a text bear out what was written about them, and in which words."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from mmxcli.recall.numbers import numbers
from mmxcli.recall.passages import is_code
from mmxcli.recall.quotes import Quote, find_words
from mmxcli.recall.sentences import sentences
from mmxcli.recall.words import named, telling, word_texts

CRISP = 12  # words from which on an answer is cut down to what it adds to its question
LONGEST = 50  # words of an answer
ALIKE = 0.8  # of the other words of a sentence that one must have too that says otherwise
# How small models begin, and what they call what they were given.
_FRAME = re.compile(r"\s*(?:the\s+)?(?:\w+\s+)?answer(?:\s+to\s[^.:\n]{0,30}question)?(?:\s+is)?\b[:,]?\s*", re.I)
_GIVEN = "answer question text passage sentence"


class Stems(Protocol):
    """Where the stems of words are asked for: an index, or a Stemmer."""

    def stems(self, words: Iterable[str]) -> dict[str, str]: ...


def borne_out(index: Stems, question: str, written: str, texts: Sequence[str]) -> str:
    """The sentences of what a model wrote that are backed, each once, up to LONGEST words or at least one; "" where
    there is none. One that says the question over again is cut down to what it adds, and is left out where it still has
    a name or number then that only the question has."""
    frame = _FRAME.match(written)
    written = written[frame.end() :] if frame else written
    kept: list[str] = []
    for start, end in sentences(written):
        sentence = " ".join(written[start:end].split())
        if backed(index, question, sentence, texts):
            sentence = shortened(index, question, sentence, texts)
            if names(index, sentence) & _unknown(index, sentence, texts):
                continue
            if kept and len(" ".join([*kept, sentence]).split()) > LONGEST:
                break
            kept += [sentence] * (sentence not in kept)
    return " ".join(kept)


def backed(index: Stems, question: str, answer: str, texts: Sequence[str]) -> bool:
    """True when every telling word, name and number of `answer` stands in one of `texts`, in any form, and one of them
    at least is not the question's own: small models like to say the question over again. A number in figures is borne
    out by one in words, and the other way round."""
    claimed, asked = claims(index, answer), claims(index, f"{question} {_GIVEN}")
    return not claimed <= asked and any(claimed <= claims(index, text) | asked for text in texts)


def adds(index: Stems, question: str, text: str) -> bool:
    """Whether a text has a telling word, a name or a number that is not the question's own."""
    return not claims(index, text) <= claims(index, question)


def rival(index: Stems, question: str, answer: str, quotes: Sequence[Quote]) -> Quote | None:
    """One of `quotes` that says nearly what the one says that bears the answer out, but has something else in the
    answer's place: where it says 40 metres, 45. That place is the lesser part of it: a sentence that shares less is
    about something else, and so is one without a name or number that the question asks about. Where the answer is the
    whole sentence, only a name or number can be such a place. Also one that says less: nothing but what is asked about,
    as the other has it, and another name or number. Lines of code are too much alike for that."""
    asked = claims(index, f"{question} {_GIVEN}")
    claimed = claims(index, answer) - asked
    said = [(quote, claims(index, quote.text)) for quote in quotes if not is_code(quote.source)]
    borne, bearing = next(((quote, has) for quote, has in said if claimed and claimed <= has), (None, set()))
    if borne is None:
        return None
    about = names(index, question) & bearing
    of_borne = names(index, borne.text)
    places = bearing if bearing - claimed - asked else of_borne
    told = claimed & of_borne  # the names and numbers of the answer
    for quote, has in said:
        lacking, instead = claimed - has, has - bearing - asked
        frame = bearing - lacking
        alike = about <= has and len(frame & has) >= ALIKE * len(frame)
        less = told and not told & has and asked & bearing <= has and instead == has - bearing
        less = less and instead <= names(index, quote.text)
        if (alike or less) and instead and 0 < len(lacking) < len(frame) and lacking <= places:
            return quote
    return None


def shortened(index: Stems, question: str, answer: str, texts: Sequence[str]) -> str:
    """Of an answer that says the question over again and is long, or has words that only the question has, the words
    that it adds, if a text has them as they stand there; else the answer."""
    if len(answer.split()) <= CRISP and not _unknown(index, answer, texts):
        return answer
    asked = claims(index, f"{question} {_GIVEN}")
    added = [word for word in telling(answer) if not claims(index, word.text) <= asked]
    if added:
        said = answer[added[0].start : added[-1].end]
        for text in texts:
            if place := find_words(said, text):
                return " ".join(text[place[0] : place[1]].split())
    return answer


def _unknown(index: Stems, answer: str, texts: Sequence[str]) -> set[str]:
    """What an answer claims that stands in none of these texts."""
    return claims(index, answer).difference(*(claims(index, text) for text in texts))


def claims(index: Stems, text: str) -> set[str]:
    """The stems of its telling words, and its numbers by their value."""
    found = list(numbers(text))
    of_numbers = {at for number in found for at in range(number.start, number.end)}
    said = [word.text for word in telling(text) if word.start not in of_numbers]
    return set(index.stems(said).values()) - {""} | {f"={number.value}" for number in found}


def names(index: Stems, text: str) -> set[str]:
    """Those of them that are numbers, or look like names: words but the first with capitals, figures or underscores."""
    return claims(index, text) & (
        {*index.stems(named(text)).values()} | {f"={number.value}" for number in numbers(text)}
    )


def names_in(index: Stems, written: str, text: str, known: float) -> bool:
    """Whether every name and number in what was written stands in the text, and at least a share `known` of its telling
    words, in any form. What looks like a name: capitals, figures or underscores anywhere but at its beginning."""
    claimed = claims(index, written)
    of_text = set(index.stems(word_texts(text)).values())
    in_text = all(stem in of_text for stem in index.stems(named(written)).values())
    having = of_text | {f"={number.value}" for number in numbers(text)}
    return bool(claimed) and in_text and len(claimed & having) >= known * len(claimed)
