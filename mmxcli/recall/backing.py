"""Whether passages bear out what was written about them."""

from collections.abc import Sequence

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.passages import Passage
from mmxcli.recall.words import content_words, words


def backed(index: RecallIndex, question: str, answer: str, passages: Sequence[Passage]) -> bool:
    """True when every telling word, name and number of `answer` stands in one of `passages`, in any form, and
    one of them at least is not the question's own: small models like to say the question over again."""
    claimed = set(index.stems(content_words(answer)).values()) - {""}
    asked = set(index.stems(content_words(question)).values())
    if claimed <= asked:
        return False
    return any(
        claimed <= set(index.stems(word.text for word in words(f"{passage.headings}\n{passage.text}")).values()) | asked
        for passage in passages
    )
