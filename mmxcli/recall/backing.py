"""Whether passages bear out what was written about them."""

from collections.abc import Sequence

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.passages import Passage
from mmxcli.recall.words import content_words, words

ECHO = 3  # so many words of the question may be an answer: a choice between two


def backed(index: RecallIndex, question: str, answer: str, passages: Sequence[Passage]) -> bool:
    """True when every telling word, name and number of `answer` stands in one of `passages`, in any form, and
    the answer is more than the question said over again."""
    claimed = set(index.stems(content_words(answer)).values()) - {""}
    if not claimed:
        return False
    asked = set(index.stems(content_words(question)).values())
    if claimed <= asked and len(claimed) > ECHO:
        return False
    return any(
        claimed <= set(index.stems(word.text for word in words(f"{passage.headings}\n{passage.text}")).values()) | asked
        for passage in passages
    )
