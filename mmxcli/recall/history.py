"""What a section says that a question names by its version, date or number: its items, or what tells most of it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mmxcli.recall.found import Found, Span, cut
from mmxcli.recall.gist import Statement, Told, gist, statements
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import share
from mmxcli.recall.outline import headings
from mmxcli.recall.quotes import LONGEST
from mmxcli.recall.sections import Section, label, names_a_section, sections
from mmxcli.recall.words import content_words

LOOKED_AT = 200_000  # code points of a section
GIST = 100  # words of an extract
ABOUT = 0.5  # of the weight of a topic's words that an item, or the heading above it, must hold
_DOES = r"(?:chang\w+|new|different|happen\w*|added|removed|dropped|deleted|fixed|deprecated|improved|introduced)"
_THING = (
    r"(?:changes?|fixes|bugs?|issues?|features?|options?|functions?|additions|removals|news|things?|items?|points?)"
)
# What may follow where nothing is the object of it: "what changed in 2.0", and not "what changed his mind".
AFTER = (
    r"(?=\W*$|\W+(?:\d|v\d"
    r"|(?:in|on|to|from|between|since|after|about|for|with|there|here|and|or|of|by|at|as|when)\b))"
)
_ASKED = re.compile(
    rf"^\W*(?:(?:in|with|since|for|as of)\b[^,]*,\W*)?(?:please\W+)?(?:"
    rf"what(?:\W+(?:is|s|was|were|are|has|have|had|been|all|else|did|does))*\W+{_DOES}\b{AFTER}"
    rf"|(?:what|which)(?:\W+\w+)?\W+{_THING}\W+(?:(?:is|are|was|were|have|has|been|does|did)\W+)*"
    rf"|(?:list|show|give|name|summari[sz]e|describe)\b(?:\W+(?:me|all|of|the))*\W+{_THING}\b"
    r"|what (?:did|does|do)\b.{1,40}\b(?:change|add|remove|fix|drop|deprecate|introduce|improve)\b)",
    re.I,
)
_FRAME = re.compile(
    rf"\b(?:{_DOES}|{_THING}|change|add|remove|fix|drop|deprecate|introduce|improve|list|show|give|name|summari[sz]e|"
    r"describe|version|release|between|since|from|year|month|day|date|change-?log)\b",
    re.I,
)
_KINDS = {
    re.compile(asked, re.I): re.compile(said, re.I)
    for asked, said in (
        (
            r"\b(?:new|add(?:ed)?|introduced?|features?|additions)\b",
            r"\b(?:add\w*|new|introduc\w+|features?|support\w*)\b",
        ),
        (r"\b(?:removed?|dropp?e?d?|deleted|removals)\b", r"\b(?:remov\w+|drop\w*|delet\w+|no longer)\b"),
        (r"\b(?:fix(?:e[sd])?|bugs?|issues?)\b", r"\b(?:fix\w*|bugs?|no longer|corrects?)\b"),
        (r"\bdeprecated?\b", r"\bdeprecat\w+\b"),
    )
}
_MARKER = r"[ \t]*(?:[-*•+]|\d{1,3}[.)])[ \t]+"
_ITEM = re.compile(rf"^{_MARKER}(?P<said>\S.*(?:\n(?!{_MARKER})(?!\s*\n)(?![#=~-]{{2,}}).*\S.*)*)", re.M)


class _Item(NamedTuple):
    """What a section says in one place. `above`: the heading within the section that it stands under; `listed`: it is
    one of a list."""

    text: str
    span: Span
    above: str = ""
    listed: bool = True


def asks_about_a_section(question: str) -> bool:
    """Whether a question may be one."""
    return _ASKED.search(question) is not None and names_a_section(question)


def history(index: RecallIndex, question: str, most: int) -> Found | None:
    """The items of the sections that the question names, up to `most`; its text is "" where it names a version that is
    not there among others. None where it is no such question, or nothing is called so, or says anything about what is
    asked."""
    named = sections(index, question) if asks_about_a_section(question) else None
    if named is None:
        return None
    lines, spans = list[str](), list[Span]()
    for section in named:
        items = _meant(index, section, question)
        if not items:
            continue
        shown = items[: most - len(spans)]
        count = f" {len(items):,} {'item' if len(items) == 1 else 'items'}" if items[0].listed else ""
        lines.append(f"{section.title}:{count}")
        for item in shown:
            spans.append(item.span)
            lines.append(f"- {item.text} [{len(spans)}]")
        if len(shown) < len(items):
            lines.append(f"and {len(items) - len(shown):,} more")
        if len(spans) >= most:
            break
    return Found("\n".join(lines), tuple(spans)) if spans or not named else None


def _meant(index: RecallIndex, section: Section, question: str) -> list[_Item]:
    """What a section says about what the question asks: a topic, a kind of change; all, where nothing is of that kind.
    Of a section without items it is an extract."""
    plain = label(question)
    weights = index.question_weights(" ".join(content_words(_FRAME.sub(" ", plain))))

    def fits(text: str) -> bool:
        return not weights or share(index.stems_of(text), weights) >= ABOUT

    text = index.text(section.source, section.below, min(section.end, section.below + LOOKED_AT))
    items = list(_items(section, text))
    if not items:
        offered = [one for one in statements(index, section.source, section.below, section.end) if fits(one.text)]
        return [_told(index, one) for one in gist(index, offered, Told(index, text).weights(index), GIST)]
    items = [item for item in items if fits(f"{item.text} {item.above}")]
    kinds = [said for asked, said in _KINDS.items() if asked.search(plain)]
    return [item for item in items if any(kind.search(f"{item.above} {item.text}") for kind in kinds)] or items


def _items(section: Section, text: str) -> Iterator[_Item]:
    above = [(heading.start, heading.words) for heading in headings(text)]
    for item in _ITEM.finditer(text):
        start = section.below + item.start("said")
        said, end = cut(item["said"], start, LONGEST)
        over = next((words for place, words in reversed(above) if place < item.start()), "")
        yield _Item(said, (section.source, start, end), over)


def _told(index: RecallIndex, statement: Statement) -> _Item:
    said, end = cut(index.text(statement.source, statement.start, statement.end), statement.start, LONGEST)
    return _Item(said, (statement.source, statement.start, end), listed=False)
