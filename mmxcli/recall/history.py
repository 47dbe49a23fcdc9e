"""What a section says that a question names by its version, date or number: its items, or what tells most of it."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmxcli.recall.found import Found, Span, cut
from mmxcli.recall.gist import Told, gist, statements
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
        listed = list(_items(index, section))
        items = _meant(index, listed, question)
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


def _items(index: RecallIndex, section: Section) -> Iterator[_Item]:
    """Its items; of one without, an extract."""
    text = index.text(section.source, section.below, min(section.end, section.below + LOOKED_AT))
    above = [(heading.start, heading.words) for heading in headings(text)]
    found = list(_ITEM.finditer(text))
    for item in found:
        said, end = cut(item["said"], section.below + item.start("said"), LONGEST)
        over = next((words for start, words in reversed(above) if start < item.start()), "")
        yield _Item(said, (section.source, section.below + item.start("said"), end), over)
    if not found:
        offered = list(statements(index, section.source, section.below, section.end))
        for told in gist(index, offered, Told(index, text).weights(index), GIST):
            said, end = cut(index.text(told.source, told.start, told.end), told.start, LONGEST)
            yield _Item(said, (told.source, told.start, end), listed=False)


def _meant(index: RecallIndex, items: Sequence[_Item], question: str) -> list[_Item]:
    """Those about what the question asks: a topic, a kind of change; all, where none is of that kind."""
    plain = label(question)
    weights = index.question_weights(" ".join(content_words(_FRAME.sub(" ", plain))))
    if weights:
        items = [item for item in items if share(index.stems_of(f"{item.text} {item.above}"), weights) >= ABOUT]
    kinds = [said for asked, said in _KINDS.items() if asked.search(plain)]
    fitting = [item for item in items if any(kind.search(f"{item.above} {item.text}") for kind in kinds)]
    return fitting or list(items)
