"""A quote as it is shown: where it stands, and whether the source has it there."""

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.quotes import Quote, lines_around, shared_words, verify
from mmxcli.tasks.events import Citation


def cited(index: RecallIndex, quote: Quote, said: str = "", context: int = 0) -> Citation:
    """With so many lines around it, and its words that `said` has too marked."""
    before, after = lines_around(index, quote, context) if context else ("", "")
    return Citation(
        quote.source,
        quote.start,
        quote.end,
        quote.page,
        quote.line,
        quote.text,
        verify(quote, index),
        place=quote.place,
        matched=shared_words(index, quote.text, said) if said else (),
        before=before,
        after=after,
    )
