"""Whole numbers of an English text, in figures or in words: "three hundred and sixty-five", "the 50th", "fiftieth"."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_UNITS = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL = {word: number for number, word in enumerate(f"{_UNITS} {_TEENS}".split())}
SMALL |= {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
_ORDINALS |= {f"{word.removesuffix('y')}{'ie' * word.endswith('y')}th": number for word, number in SMALL.items()}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SCALES |= {f"{word}th": number for word, number in _SCALES.items()}
_TOKEN = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d{1,15})(?:st|nd|rd|th)?(?![\w]|[.,]\d)|[^\W\d_]+")


_ALONE = {"zero", "one", "first", "second"}  # say something else more often than a number


class Number(NamedTuple):
    """A value and the half-open range of code points that says it."""

    value: int
    start: int
    end: int


def numbers(text: str) -> Iterator[Number]:
    """In order. Words that follow each other as parts of one number are one; "one" alone is none."""
    return (number for number in _numbers(text) if text[number.start : number.end].lower() not in _ALONE)


def _numbers(text: str) -> Iterator[Number]:
    whole = part = start = end = 0
    last = 0  # value of the word before; 0 where none is open
    for match in _TOKEN.finditer(text):
        word = match.group().lower()
        value = SMALL.get(word, _ORDINALS.get(word))
        scale = _SCALES.get(word)
        apart = last and re.fullmatch(r"[\s-]+(?:and\s+)?", text[end : match.start()].lower()) is None
        if word == "and" and last >= 100:
            continue
        fits = scale or (value is not None and (last >= 100 or (last >= 20 and 0 < value < 10)))
        if last and (apart or not fits):
            yield Number(whole + part, start, end)
            whole = part = last = 0
        if match[1]:
            figures = int(match[1].replace(",", ""))
            yield Number(figures, match.start(), match.end())
        elif scale and (last or word in ("hundred", "thousand", "million")):
            start = start if last else match.start()
            part = max(1, part) * scale
            whole, part = (whole + part, 0) if scale >= 1000 else (whole, part)
            last, end = scale, match.end()
        elif value is not None:
            start = start if last else match.start()
            part += value
            last, end = max(1, value), match.end()
    if last:
        yield Number(whole + part, start, end)
