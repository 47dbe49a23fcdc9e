"""How often a text names something: its words counted, not guessed."""

import re
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from mmxcli.recall.found import Found, Span
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.quotes import sentence_at
from mmxcli.recall.sections import names_a_section, sections
from mmxcli.recall.words import word_texts
from mmxcli.sources.tree import is_tree

WINDOW = 1 << 20  # code points that are looked at together
REACH = 300  # code points that words which belong together may take
MOST_WORDS = 8
FORMS = 8  # ways of writing it that are told apart
_QUOTED = r"""["'“‘«](?P<quoted>[^"”»]+?)["'”’»]"""
_WHERE = r"(?:\s+(?:in|throughout|within)\s+(?P<where>.+?))?\W*$"
_NAMED = r"(?:mentioned|named|referred to|called by name|mention|name)"
_STANDS = r"(?:used|written|found|printed|appears?|occurs?|stands?|comes? up|there|said|spelled)"
_ASKED = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        # The word is marked as one: by quotation marks, or called a word.
        rf"\bhow (?:many times|often) (?:is|are|was|were|do|does|did|has|have)\s+(?:the\s+)?(?:\w+\s+)?{_QUOTED}\s+"
        rf"(?:been\s+)?(?:{_NAMED}|{_STANDS}){_WHERE}",
        r"\bhow (?:many times|often) (?:is|are|was|were|do|does|did|has|have)\s+(?:the\s+)?(?:word|name|phrase|term)\s+"
        rf"(?P<word>.+?)\s+(?:been\s+)?(?:{_NAMED}|{_STANDS}){_WHERE}",
        # Or it is asked how often it is mentioned.
        r"\bhow (?:many times|often) (?:is|are|was|were|has|have)\s+(?:the\s+)?(?P<named>.+?)\s+(?:been\s+)?"
        rf"(?:mentioned|named|referred to){_WHERE}",
        r"\bhow (?:many times|often) (?:do|does|did)\s+(?:the|this|that|it)\s*(?:\w+\s+)??(?:mention|name)\s+"
        rf"(?P<mention>.+?){_WHERE}",
        rf"\b(?:how many|count (?:all )?(?:the )?) ?(?:mentions|occurrences|instances) of\s+(?:the\s+)?"
        rf"(?:(?:word|name|phrase|term)\s+)?(?P<instances>.+?)(?:\s+(?:are|is) there)?{_WHERE}",
    )
)
_WHOLE = re.compile(
    r"^(?:it|here|all|(?:the|this|that|these) (?:\w+ )?(?:text|book|novel|document|file|story|manual|source|paper)s?)$",
    re.I,
)


@dataclass(slots=True)
class _Count:
    """Of one source: the forms of what was looked for, how often each, and where it stands first and last."""

    forms: Counter[str] = field(default_factory=Counter)
    longer: Counter[str] = field(default_factory=Counter)  # words that only begin so
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None


def asks_how_often(question: str) -> bool:
    """Whether a question may be one that words are counted for."""
    return any(kind.search(question) for kind in _ASKED)


def mentions(index: RecallIndex, question: str) -> Generator[int, None, Found | None]:
    """How often the text has the words that the question asks for, and in which forms; the quotes are the first place
    and the last. Yields the code points that were looked at. None where it is no such question, or it asks of a part
    of the text that no heading names."""
    asked = next((found for kind in _ASKED if (found := kind.search(question))), None)
    if not asked:
        return None
    named = {name: words for name, words in asked.groupdict().items() if words}
    where = named.pop("where", "").strip()
    where = "" if _WHOLE.match(where) else where
    what = next(iter(named.values()), "").strip("\"'“”‘’«»?.! ")
    if not what or len(what.split()) > MOST_WORDS or not any(letter.isalnum() for letter in what):
        return None
    spans: list[Span] = [(source, 0, index.length(source)) for source in index.sources if not is_tree(source)]
    if where:
        parts = sections(index, where) or [] if names_a_section(where) else []
        spans = [(part.source, part.start, part.end) for part in parts] or spans
        where = parts[0].title if parts else ""
    done, counts = 0, dict[str, _Count]()
    for source, start, end in spans:
        count = counts.setdefault(source, _Count())
        for window in range(start, end, WINDOW):
            _add(count, index, (source, window, min(end, window + WINDOW)), what)
            yield done + min(end, window + WINDOW) - start
        done += end - start
    return _told(index, what, where, counts)


def places(text: str, what: str) -> Iterator[re.Match[str]]:
    """Where a text has these words, one after another, with what their last word goes on with as `rest`. A capital of
    theirs is asked for."""
    for found in _pattern(what).finditer(text):
        if all(
            one.islower() or other.isupper() for one, other in zip(_initials(what), _initials(found[0]), strict=False)
        ):
            yield found


def places_in(index: RecallIndex, span: Span, what: str) -> Iterator[tuple[int, re.Match[str]]]:
    """As `places`, of a part of a source: with where those stand that begin in it."""
    source, start, end = span
    low = max(0, start - 1)  # to see whether a word begins at the start
    for found in places(index.text(source, low, end + REACH), what):
        if start <= (at := low + found.start()) < end:
            yield at, found


def _initials(text: str) -> list[str]:
    return [word[0] for word in word_texts(text) if word[0].isalpha()]


def _pattern(what: str) -> re.Pattern[str]:
    parts = map(re.escape, what.replace("’", "'").split())
    return re.compile(r"(?<!\w)" + r"\s+".join(parts).replace("'", "['’]") + r"(?P<rest>\w*)", re.I)


def _add(count: _Count, index: RecallIndex, window: Span, what: str) -> None:
    """Counts those that begin in a window."""
    for at, found in places_in(index, window, what):
        form = " ".join(found[0].split())
        if found["rest"]:
            count.longer[form] += 1
            continue
        count.forms[form] += 1
        count.last = (at, at + len(found[0]))
        count.first = count.first or count.last


def _told(index: RecallIndex, what: str, where: str, counts: dict[str, _Count]) -> Found | None:
    forms, longer = Counter[str](), Counter[str]()
    for count in counts.values():
        forms += count.forms
        longer += count.longer
    if not forms and not longer:
        return None
    times = forms.total()
    ways = ", ".join(f"{form} {number:,}" for form, number in forms.most_common(FORMS))
    text = f"{times:,} {'time' if times == 1 else 'times'}"
    text += f" in {where}" if where else ""
    text += f" ({ways})" if len(forms) > 1 else f": {ways.rpartition(' ')[0]}" if forms else f": {what}"
    having = {source: count.forms.total() for source, count in counts.items() if count.forms}
    if 1 < len(having) <= FORMS:
        text += "; " + ", ".join(f"{number:,} in {source}" for source, number in having.items())
    if longer:
        more = ", ".join(f"{form} {number:,}" for form, number in longer.most_common(FORMS))
        text += f"; not counted: {more}"
    ends = [(source, place) for source, count in counts.items() for place in (count.first, count.last) if place]
    spans = [sentence_at(index, source, *place) for source, place in dict.fromkeys((ends or [])[:1] + ends[-1:])]
    return Found(text, tuple(dict.fromkeys(spans)), numbered=False)
