"""What a text says of itself: sentences about "this book", and those that say what its subject is."""

import re

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.words import STOP_WORDS, word_texts

_KINDS = """
    account agreement article book collection document documentation edition essays? guide handbook history lectures?
    letters licen[cs]e manual memoir monograph narrative notes novel pages paper papers poems? program project
    publication report specification standard story study survey text thesis tool treatise tutorial volumes? work
"""
_ITSELF = re.compile(rf"\b(?:this|the present|the following|these) (?:\w+ )?(?:{'|'.join(_KINDS.split())})\b", re.I)
_IS = re.compile(
    r"(?P<subject>[^.,;:!?]{1,60}?) (?:is|are|was|were) (?:an?|the|one|published|written|intended|designed)\b", re.I
)
DEFINING, ITSELF, ASIDE = 2.0, 1.0, 0.5  # what a sentence weighs that says what the text is, speaks of it, names it
EARLY = 60  # code points in which a sentence names what it speaks of
TITLED, MOST = 0.3, 3  # of each word of the title in such a sentence; of so many at most


class OwnWords:
    """Finds them by what the text is called."""

    def __init__(self, index: RecallIndex, title: str) -> None:
        self._index = index
        self._subject = self._telling(title)

    def weight(self, text: str) -> float:
        """0 for a sentence that says nothing of the text itself; more, the more it does."""
        defining = (found := _IS.match(text)) is not None and self._is_subject(found["subject"])
        itself = _ITSELF.search(text)
        weight = DEFINING * defining + ((ITSELF if itself.start() < EARLY else ASIDE) if itself else 0)
        return weight and weight + TITLED * min(MOST, len(self._telling(text) & self._subject))

    def _is_subject(self, named: str) -> bool:
        telling = self._telling(named)
        return bool(telling) and 2 * len(telling & self._subject) >= len(telling)

    def _telling(self, text: str) -> set[str]:
        found = (word for word in word_texts(text) if word.lower() not in STOP_WORDS)
        return set(self._index.stems(found).values()) - {""}
