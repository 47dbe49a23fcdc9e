"""Parts a text into sentences, a piece of code into lines, with exact offsets."""

import re
from collections.abc import Iterator

_SHORTENED = """
    mr mrs ms messrs mme mlle dr prof rev revd hon st ste mt capt col gen lt maj sgt sir gov sen rep jr
    sr esq no nos vol vols ch chap sec fig figs eq p pp vs v cf viz e.g i.e al etc ed eds trans op ib
    ibid approx dept inc ltd co corp bros jan feb mar apr jun jul aug sept sep oct nov dec a.m p.m art
    tom mss ms bd nr str abs bzw ca evtl ggf hrsg inkl mio mrd std tel vgl zzgl sr sra srta dña env av им ул тыс млн
"""
# What German numbers with a full stop: "am 1. Juli", "im 19. Jahrhundert".
_NUMBERED = """
    Januar Jänner Februar Feber März April Mai Juni Juli August September Oktober November Dezember Jahrhunderts?
    Jahrtausends? Lebensjahre?s? Weltkriege?s? Auflage Band Kapitels? Klasse Stocks? Geburtstage?s? Tage?s? Woche
    Monate?s? Quartals? Jahre?s? Mal Platze?s? Runde Teile?s? Stufe
"""
_ABBREVIATIONS = frozenset(_SHORTENED.split())
# A full stop and what closes with it; a blank line; the line before a bullet, a numbered item, a date or the
# row of a table.
_END = re.compile(
    r"""(?P<mark>[.!?…]+(?:[ ]\.)*)["'”’»)\]_*]*(?=\s|--|—)
    | [。！？]+[」』”’）]*
    | \n\s*\n
    | \n(?=[ \t]*(?:[-*•+][ ]|\d{1,3}[.)][ ]|\d{4}-\d\d-\d\d|\|))""",
    re.X,
)
_BEFORE = re.compile(r"[^\s(\[\"'“‘_—-]*\Z")
_ORDINAL = re.compile(r"(?<!\d)\d{1,2}\Z")
_COUNTED = re.compile(rf"\s+(?:{'|'.join(_NUMBERED.split())})\b")
_OPENING = re.compile(r"[\s\"'“‘«(\[_*—-]*")
_ASKS = re.compile(r"[?？؟][)\]_*]*\Z")
_POINTS_BACK = re.compile(
    r"\W*(?:he|she|it|they|this|that|these|those|but|and|so|yet|or|for|then|however|which)\b", re.I
)


def sentences(text: str, code: bool = False) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence (of each line, for code), without the white space around it."""
    start = 0
    ends = (match.end() for match in re.finditer(r"\n", text)) if code else _ends(text)
    for end in [*ends, len(text)]:
        sentence = text[start:end]
        stripped = sentence.strip()
        if stripped:
            at = start + sentence.index(stripped)
            yield at, at + len(stripped)
        start = end


def is_question(sentence: str) -> bool:
    """Whether it is a question, and not one that somebody is told to have said."""
    return _ASKS.search(sentence) is not None


def points_back(sentence: str) -> bool:
    """Whether it begins with a word that goes on from what stands before it."""
    return _POINTS_BACK.match(sentence) is not None


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        if not match["mark"] or _closes(text, match):
            yield match.end()


def _closes(text: str, match: re.Match[str]) -> bool:
    """Whether the mark ends a sentence: no abbreviation, initial or number of what follows before it, no small letter
    after it."""
    opening = _OPENING.match(text, match.end())
    following = text[opening.end() : opening.end() + 1] if opening else ""
    if following.islower():
        return False
    if match["mark"] != ".":
        return True
    before = _BEFORE.search(text, max(0, match.start() - 20), match.start())
    word = before.group() if before else ""
    initial = len(word) == 1 and word.isalpha() and word != "I"  # a small one too: "z. B.", "d. h."
    ordinal = _ORDINAL.search(word) and _COUNTED.match(text, match.end())
    return not initial and not ordinal and word.lower() not in _ABBREVIATIONS
