"""What an answer is worth, held against a question with a known answer.

Answers are compared as SQuAD does it (Rajpurkar et al. 2016): small letters, no punctuation, no articles; a dash parts
words. An answer of at most LONGEST words is right where one of the known ones stands in it on word borders, where its
script shows them; it is crisp where it takes at most CRISP.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from mmxcli.recall.numbers import numbers
from mmxcli.recall.quotes import find_words

LONGEST, CRISP = 50, 12  # words of an answer
SLACK = 3  # lines of code that a citation may be off

Gold = Mapping[str, Any]
Made = Mapping[str, Any]


def normalised(text: str) -> str:
    plain = "".join(c for c in re.sub("[—–]|--", " ", text.lower()) if unicodedata.category(c)[0] not in "PS")
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


def is_right(gold: Gold, answer: str, longest: int = LONGEST) -> bool:
    """All groups of a question that has several, in their order where it asks for one."""
    if len(answer.split()) > longest:
        return False
    groups = gold.get("must_include") or [gold["answers"]]
    there = normalised(answer)
    places = [
        min((place[0] for one in group if (place := find_words(normalised(one), there))), default=-1)
        for group in groups
    ]
    return min(places) >= 0 and (not gold.get("ordered") or places == sorted(places))


def is_gold(gold: Gold, cited: Made) -> bool:
    """Whether a citation, as `mmx ask --json` has it, stands where the answer does."""
    if "page" in gold:
        return bool(cited["page"] == gold["page"])
    if "file" in gold:
        last = cited["line"] + cited["quote"].count("\n")
        near = cited["line"] - SLACK <= gold["line"] <= last + SLACK
        return near and f"/{cited['source']}".endswith(f"/{gold['file']}")
    if "evidence_char" not in gold:
        one, other = " ".join(gold["evidence"].split()), " ".join(cited["quote"].split())
        return one in other or other in one
    spans = gold["evidence_char"]
    spans = spans if isinstance(spans[0], list) else [spans]
    return any(cited["start"] < end and start < cited["end"] for start, end in spans)


def telling(text: str) -> set[str]:
    """Names and numbers: words with a digit, and those in capitals that do not begin a sentence."""
    found = re.finditer(r"[^\W_]+(?:['’.,:-]\d+)*", text)
    begins = {match.end() for match in re.finditer(r"(?:^|[.!?:]\s|[\"“‘(]|\n)\s*", text)}
    return {
        match.group()
        for match in found
        if any(map(str.isdigit, match.group())) or (match.group()[0].isupper() and match.start() not in begins)
    }


def is_backed(made: Made) -> bool:
    """Whether each name and number of an answer stands in something that it cites, or in its question."""
    text = " ".join([made["question"], *(cited["quote"] for cited in made["citations"])])
    there, values = _words(text), {number.value for number in numbers(text)}
    return all(
        _words(word) <= there or {number.value for number in numbers(word)} & values for word in telling(made["answer"])
    )


def _words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[^\W_]+", text)}


def interval(good: int, count: int) -> tuple[float, float]:
    """Wilson's interval of 95 in 100 for a share (Wilson 1927)."""
    if not count:
        return 0.0, 1.0
    z, p = 1.96, good / count
    middle, width = p + z * z / (2 * count), z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return max(0.0, (middle - width) / (1 + z * z / count)), min(1.0, (middle + width) / (1 + z * z / count))


def share(flags: Sequence[bool]) -> str:
    """As a table has it: share, its interval, and of how many."""
    low, high = interval(sum(flags), len(flags))
    return f"{sum(flags) / len(flags):.2f} ({low:.2f}-{high:.2f})" if flags else "-"
