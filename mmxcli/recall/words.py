"""The words of a text as the index sees them: where they stand, which say nothing, how names come apart."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mmxcli.recall.frames import ENGLISH, folded, frame

STOP_WORDS = ENGLISH  # say nothing about where an answer stands

# What is left of a word before an apostrophe, or after one: `won` of "won't", `s` of "who's".
_LIKE_A_NAME = re.compile(r"[A-Z\d_]")
_CONTRACTION = re.compile(r"\b[^\W\d_]+n['’]t\b|(?<=\w)['’](?:s|t|d|ll|m|re|ve)\b", re.I)
# Kinds of quotation marks and dashes, each as the plain one.
PLAIN = str.maketrans("‘’‚‛“”„‟«»‐‑–—", '\'\'\'\'""""""----')

# Scripts written without spaces: Thai to Khmer, kana, Han.
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0dff"  # written on or after letters
_RUN = re.compile(f"[{_SPACELESS}]+")
_SPECIAL = re.compile(f"[{_SPACELESS}{_MARKS}]")
_WORD = re.compile(rf"[{_SPACELESS}]+|(?:[^\W_{_SPACELESS}][{_MARKS}]*)+")
# Parts that belong together: `col_max`, `8.1.7`, `setup.cfg`.
_PART = rf"[^\W_{_SPACELESS}]{{1,40}}+"
_JOINED = re.compile(
    rf"(?<![^\W_])(?:{_PART}(?:(?:_{_PART}){{1,6}}|\.[a-z]{{1,4}}+)|\d{{1,9}}+(?:\.\d{{1,9}}+){{1,4}})(?![^\W_])"
)
_JOINED_HINT = re.compile(r"[^\W_][._][^\W_]")
_NAME = re.compile(r"[^\W_]++")
_CAMEL_CASE = re.compile(r"[a-z\d][A-Z]|[A-Z]{2}[a-z]")  # somewhere in a name
_CAMEL_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Word(NamedTuple):
    """A word and the half-open range of code points where it stands."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """The words of `text` in order; before joined parts the whole as one word, after a name in camel case its parts,
    for a run of a script without spaces its overlapping pairs of characters."""
    if _are_runs(text):
        return (Word(match.group(), match.start(), match.end()) for match in _NAME.finditer(text))
    return _closely(text)


def _closely(text: str) -> Iterator[Word]:
    """The words of a text that may have more than runs of letters and digits."""
    joined = {match.start(): match for match in _JOINED.finditer(text)} if _JOINED_HINT.search(text) else {}
    for match in _WORD.finditer(text):
        word, at = match.group(), match.start()
        if whole := joined.get(at):
            yield Word(_together(whole.group()), at, whole.end())
        if _RUN.match(word):
            for i, pair in enumerate(_pairs(word), at):
                yield Word(pair, i, i + len(pair))
            continue
        yield Word(word, at, match.end())
        if word.isalnum() and _CAMEL_CASE.search(word):
            for part in _CAMEL_PART.finditer(word):
                yield Word(part.group(), at + part.start(), at + part.end())


def word_texts(text: str) -> list[str]:
    """The words alone, sooner."""
    return _NAME.findall(text) if _are_runs(text) else [word.text for word in _closely(text)]


def _are_runs(text: str) -> bool:
    """Whether its words are its runs of letters and digits, and nothing else is, as in most texts."""
    return not (_JOINED_HINT.search(text) or _CAMEL_CASE.search(text) or _SPECIAL.search(text))


def searchable(text: str) -> str:
    """What the index is given for `text`, so that its tokenizer finds the same words."""
    names = (name for name in _NAME.findall(text) if not name.islower() and _CAMEL_CASE.search(name))
    joined = _JOINED.findall(text) if _JOINED_HINT.search(text) else ()
    if not text.isascii():
        text = _RUN.sub(lambda run: f" {' '.join(_pairs(run.group()))} ", text)
    parts = (part for name in names for part in _CAMEL_PART.findall(name))
    return " ".join([text, *parts, *map(_together, joined)])


def _together(joined: str) -> str:
    return joined.replace(".", "").replace("_", "")


def content_words(text: str) -> Iterator[str]:
    """The words of a question that may tell where its answer stands, each once, in order."""
    seen = set(frame(text))
    for word in telling(text):
        key = folded(word.text)
        if key not in seen:
            seen.add(key)
            yield word.text


def telling(text: str) -> Iterator[Word]:
    """The words of a text that are neither stop words nor pieces of contractions."""
    return (word for word in words(uncontracted(text)) if word.text.lower() not in STOP_WORDS)


def named(text: str) -> list[str]:
    """Its words that look like names; the first may have its capital for another reason."""
    return [word.text for word in words(text) if word.start and _LIKE_A_NAME.search(word.text)]


def uncontracted(text: str) -> str:
    """The text with spaces where contractions stand."""
    if "'" not in text and "’" not in text:
        return text
    return _CONTRACTION.sub(lambda found: " " * len(found.group()), text)


def spaceless(text: str) -> int:
    """How many characters of scripts without spaces a text has."""
    return 0 if text.isascii() else sum(len(run) for run in _RUN.findall(text))


def inside_word(text: str, at: int) -> bool:
    """Whether the place before text[at] is in the middle of a word of a script that has spaces."""
    around = text[max(0, at - 1) : at + 1]
    return at > 0 and len(around) == 2 and around.isalnum() and not _RUN.search(around)


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(max(1, len(run) - 1))]
