"""Which of several texts bear out a sentence that was put together from them, clause by clause."""

import re
from collections.abc import Sequence

from mmxcli.recall.backing import Stems, claims, names

SHARED = 0.6  # of the other telling words of a clause that the text must have which bears it out
# Where one thing is said after another. "And" alone joins names as often, and what it joins must be true of one text.
_BORDER = re.compile(
    r";\s+|,\s+(?:while|whereas|but|although|though|because|since|so|and then|which)\s+"
    r"|\s+(?:while|whereas|because|although)\s+",
    re.I,
)
_NOT = re.compile(r"\b(?:not|never|no|none|nor|nobody|nothing|cannot|without)\b|n['’]t\b", re.I)


def bearers(index: Stems, question: str, sentence: str, texts: Sequence[str]) -> tuple[int, ...]:
    """The places in `texts` of those that bear the sentence out, each of its clauses by one of them: every name and
    number of a clause stands there, at least a share of its other telling words, and a "not" if it has one. What the
    question says need not stand there, but for names where it has several: which of them did what is just what is
    asked. () where a clause is borne out by none."""
    asked, asked_names = claims(index, question), names(index, question)
    excused = asked_names if len(asked_names) < 2 else set()
    known = asked_names.union(*(names(index, text) for text in texts))  # as a clause may begin with one
    of_texts = [(claims(index, text), _NOT.search(text) is not None) for text in texts]
    found: set[int] = set()
    for clause in _BORDER.split(sentence):
        said = claims(index, clause)
        named = (names(index, clause) | said & known) - excused
        others = said - asked - named
        denies = _NOT.search(clause) is not None
        if not (named or others or denies):
            continue  # the question over again
        shares = {
            place: len(others & claimed) / len(others) if others else 1.0
            for place, (claimed, denying) in enumerate(of_texts)
            if named <= claimed and denies <= denying
        }
        best = max(shares, key=lambda place: shares[place], default=None)
        if best is None or shares[best] < SHARED:
            return ()
        found.add(best)
    return tuple(sorted(found))
