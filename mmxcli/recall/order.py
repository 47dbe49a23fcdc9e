"""In what order a text has the things that a question lists."""

import re

from mmxcli.recall.found import Found, Span
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.mentions import WINDOW, places, places_in
from mmxcli.recall.quotes import best_quotes, sentence_at
from mmxcli.recall.words import content_words
from mmxcli.sources.tree import is_tree

PASSAGES, SENTENCES = 16, 32  # in which is looked for what is said of each thing
FEWEST, MOST = 2, 12  # things
SENTENCE = 6  # words from which on a line is taken for one, and not for a title
_ASKED = re.compile(
    r"\bin (?:what|which) order (?:do|does|did|are|is|was|were|have|has)\s+(?P<things>.+?)[?.!\s]*$"
    r"|\b(?:which|what|who) (?:comes|came|is|was|appears|appeared) (?:mentioned |named )?first\s*[,:—-]?\s*"
    r"(?P<first>.+? or .+?)[?.!\s]*$",
    re.I,
)
_LIST = re.compile(r"^(?P<most>(?:[^,;]+[,;]\s*)*[^,;]+?),?\s+(?:and|or)\s+(?P<rest>.+)$", re.I)
_NAMED = re.compile(r"(?:first )?(?:introduced|mentioned|named|appear|come|occur|stand)\b.*", re.I)
_LEAD = re.compile(
    r"(?:they|he|she|it|we|you|I|one)\s+(?P<doing>\w+(?:\s+(?:to|at|in|on|by|with))?)\s+(?P<thing>.+)$", re.I
)
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.I)


def asks_for_order(question: str) -> bool:
    """Whether a question may be one."""
    found = _ASKED.search(question)
    return found is not None and bool(_things(found)[0])


def order(index: RecallIndex, question: str) -> Found | None:
    """The things by their first places in the text; where it says of each what the question does, by those. None where
    it is no such question, or less than two of them are named."""
    asked = _ASKED.search(question)
    things, doing = _things(asked) if asked else ([], "")
    if len(things) < FEWEST:
        return None
    said = {thing: _said_of(index, thing, doing) for thing in things} if doing else {}
    told = all(said.values()) and bool(said)
    first = {thing: said[thing] if told else _first(index, thing) for thing in things}
    rank = {source: at for at, source in enumerate(index.sources)}
    having = sorted(
        ((thing, place) for thing, place in first.items() if place), key=lambda one: (rank[one[1][0]], *one[1][1:])
    )
    if len(having) < FEWEST:
        return None
    named = "; ".join(f"{thing} [{number}]" for number, (thing, _) in enumerate(having, 1))
    missing = [thing for thing in things if not first[thing]]
    text = f"{'in the order of the text' if told else 'first named in this order'}: {named}"
    text += f"; not named: {', '.join(missing)}" if missing else ""
    spans = [sentence_at(index, *place) for _, place in having]
    return Found(text, tuple(spans))


def _things(asked: re.Match[str]) -> tuple[list[str], str]:
    """What is listed, and what the question says of it: a verb, and what comes after."""
    told, colon, listed_below = (asked["things"] or asked["first"]).strip().partition(":")
    if colon:
        things = [_ARTICLE.sub("", one.strip()) for one in re.split(r"[,;]\s*(?:and\s+)?", listed_below)]
        return (things, "") if FEWEST <= len(things) <= MOST and all(things) else ([], "")
    found = _LIST.match(told)
    if not found:
        return [], ""
    listed = [part.strip() for part in re.split(r"[,;]", found["most"])]
    last, doing = found["rest"].strip(), ""
    if asked["things"]:
        last, doing = _parted(last, max(len(_ARTICLE.sub("", one).split()) for one in listed))
    lead = _LEAD.match(listed[0])
    if lead and not doing:  # "did they meet the Rachel and the Virgin"
        listed[0], doing = lead["thing"], lead["doing"]
    things = [_ARTICLE.sub("", one).strip("\"'“”‘’ ") for one in [*listed, last]]
    doing = _NAMED.sub("", doing)
    return (things, doing) if FEWEST <= len(things) <= MOST and all(things) else ([], "")


def _parted(last: str, most: int) -> tuple[str, str]:
    """The last thing and what follows: as many words belong to it as begin with a capital, as the first does; else as
    many as the longest of the others has."""
    words = _ARTICLE.sub("", last).split()
    if words and words[0][:1].isupper():
        count = next((at for at, word in enumerate(words) if not word[:1].isupper()), len(words))
    else:
        count = min(most, max(1, len(words) - 1))
    return " ".join(words[:count]), " ".join(words[count:])


def _said_of(index: RecallIndex, thing: str, doing: str) -> Span | None:
    """The first sentence that names the thing and has all that the question says of it."""
    asked = index.stems_of(" ".join(content_words(doing)))
    if not asked:
        return None
    passages = [hit.passage for hit in index.search(f"{thing} {doing}", PASSAGES)]
    quotes = best_quotes(index, f"{thing} {doing}", None, passages, SENTENCES)
    rank = {source: at for at, source in enumerate(index.sources)}
    for quote in sorted(quotes, key=lambda quote: (rank[quote.source], quote.start)):
        if asked <= index.stems_of(quote.text) and (found := next(places(quote.text, thing), None)):
            return quote.source, quote.start + found.start(), quote.start + found.end()
    return None


def _first(index: RecallIndex, thing: str) -> Span | None:
    """The first sentence that names it, and not only a title."""
    title: Span | None = None
    for source in index.sources:
        for start in range(0, 0 if is_tree(source) else index.length(source), WINDOW):
            for at, found in places_in(index, (source, start, start + WINDOW), thing):
                place = source, at, at + len(found[0])
                if not found["rest"] and len(index.text(*sentence_at(index, *place)).split()) >= SENTENCE:
                    return place
                title = title or (None if found["rest"] else place)
    return title
