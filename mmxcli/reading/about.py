"""What a long text is, before what it says: its title, its parts, whom and what it names, its words about itself."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from mmxcli.recall.front import FEWEST, title_pages
from mmxcli.recall.gist import FAR, Statement, length, stands_alone
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.names import Names, introductions
from mmxcli.recall.own_words import OwnWords
from mmxcli.recall.parts import Part, contents

TITLE, CONTENTS, OWN, WHO = 0.25, 0.2, 0.3, 0.3  # of the words of a summary
NAMED, FEWEST_NAMED, MORE = 8, 3, 12  # names that are told, if there are so many; those that sentences should have
PREFACE, BEGINNING = 0.02, 0.1  # of a text that counts as its preface, as its beginning
PREFATORY, LATER = 2.0, 0.5  # times what a sentence there, or after the beginning, is about the text itself
LEAST, NEARLY = 2.0, 0.6  # that it must be; of the best
FIRST, EACH = 2.0, 0.2  # times that a sentence counts which begins with a name; more for each that it has
UNCLEAR, USUAL = 0.8, 0.35  # for each word that stands for another; the share of common words in a plain sentence
LABELLED = 0.5  # of one that begins with a number, or with "Example:"
_README = ("readme", "index")  # documents that say what their folder is
_WORD = re.compile(r"[^\W\d_]+")
_LABEL = re.compile(r"\W*(?:\d|\w+:)")
_POINTING = re.compile(
    r"\b(?:he|she|they|his|her|him|them|their|it|this|that|these|those|such|i|me|my|you|your)\b", re.I
)


class About:
    """Of the parts of `whole` together, for a summary of so many words. Each part is to be looked at before it is
    told."""

    def __init__(self, index: RecallIndex, whole: Part, words: int) -> None:
        self._index, self._whole, self._words = index, whole, words
        self._titles = list(self._title_pages())
        names = Names()
        for part in whole.leaves:
            names.add(index.text(part.source, part.start, part.end))
        self._named, self._common = names.most(NAMED), names.common()
        self._words_of_names = {word for name in names.most(MORE) for word in _WORD.findall(name)}
        self._introductions = {name: introductions(name) for name in self._named}
        self._own_words = OwnWords(index, " ".join(title.text for title in self._titles))
        self._own: dict[Statement, float] = {}
        self._who: dict[str, tuple[int, Statement]] = {}  # with how plainly it is said: 0 is best
        self._first_named: Statement | None = None

    def _title_pages(self) -> Iterator[Statement]:
        readmes = [part.source for part in self._whole.parts if PurePosixPath(part.source).stem.lower() in _README]
        if source := self._whole.source or next(iter(readmes), ""):
            yield from title_pages(self._index, source, max(FEWEST, int(self._words * TITLE)))

    def look(self, part: Part, offered: Sequence[Statement]) -> None:
        """At the sentences of a part: what is said of the text itself, and who they are that it names."""
        prefatory = part.is_prefatory or part.end < self._whole.end * PREFACE
        later = bool(self._whole.source) and part.start > self._whole.end * BEGINNING
        times = PREFATORY if prefatory else LATER if later else 1.0
        for one in filter(stands_alone, offered):
            if length(one.text) >= FAR.shortest and (weight := times * self._own_words.weight(one.text)) >= LEAST:
                self._own[one] = weight
            for name, ways in self._introductions.items():
                if name in one.text:
                    self._first_named = self._first_named or one
                    known = self._who[name][0] if name in self._who else len(ways)
                    plain = next((at for at, way in enumerate(ways) if way.match(one.text)), len(ways))
                    if plain < known:
                        self._who[name] = plain, one

    def told(self, *, listed: bool) -> list[Statement]:
        """`listed`: with what its parts are called."""
        if len(self._titles) > 1:  # several books in one file
            return self._titles
        lines = [*self._titles, *(self._lists() if self._whole.source and listed else ())]
        least = NEARLY * max(self._own.values(), default=0)
        own = sorted((one for one in self._own if self._own[one] >= least), key=lambda one: -self._own[one])
        lines += self._fitting(own, OWN)
        who = (self._who[name][1] for name in self._named if name in self._who)
        return lines + self._fitting(dict.fromkeys(one for one in who if one not in lines), WHO)

    def _lists(self) -> Iterator[Statement]:
        if titles := contents(self._whole, int(self._words * CONTENTS)):
            parts = self._whole.parts
            first = next((part for part in parts if not part.is_prefatory), parts[0])
            line = self._index.text(first.source, first.start, first.end).lstrip().split("\n")[0]
            told = f"{titles[0].upper()}{titles[1:]}."
            yield Statement(told, first.source, first.start, min(first.end, first.start + len(line)), "found")
        if self._first_named and len(self._named) >= FEWEST_NAMED:
            one = self._first_named
            yield Statement(f"Named most: {', '.join(self._named)}.", one.source, one.start, one.end, "found")

    def favour(self, one: Statement) -> float:
        """How well a sentence from anywhere tells of the whole: one about whom it names most, without words that stand
        for others, and in the language of the text."""
        own = _WORD.findall(one.text)
        if not own:
            return 0.0
        first = FIRST if self._words_of_names & {*own[:3]} else 1.0
        names = 1 + EACH * min(3, len(self._words_of_names & {*own}))
        clear = UNCLEAR ** len(_POINTING.findall(one.text)) * (LABELLED if _LABEL.match(one.text) else 1.0)
        common = sum(word.lower() in self._common for word in own) / len(own) if self._common else USUAL
        return first * names * clear * min(1.0, common / USUAL) ** 2

    def _fitting(self, some: Iterable[Statement], share: float) -> list[Statement]:
        """As many as there is room for, the first ones first; in the order of the text."""
        room, kept = int(self._words * share), list[Statement]()
        for one in some:
            if length(one.text) <= room:
                kept.append(one)
                room -= length(one.text)
        return sorted(kept, key=lambda one: one.start)
