"""Whether a model can do what small ones seldom can: tried on small cases, not told by its name.

The cases here are of putting sentences of a text together to an answer.
"""

import re
from collections.abc import Generator, Sequence
from typing import NamedTuple, Protocol

from mmxcli.models.chat import ChatTemplate
from mmxcli.reading.composing import TOKENS, marked
from mmxcli.reading.prompts import composing_prompt
from mmxcli.reading.scribe import Scribe
from mmxcli.reading.session import Session, Told
from mmxcli.recall.stems import Stemmer

# So many cases a model must do right, and in none may it take up what does not belong, or twist what is said: an answer
# that takes up too little is not shown. The first cases are tried alone: who does none of them right is not able.
RIGHT, FIRST = 4, 3
TO_COMPOSE = "compose"


class Trial(Protocol):
    """Something small that a model is to do."""

    def prompt(self, template: ChatTemplate) -> list[int]: ...

    def done(self, written: str) -> tuple[bool, bool]:
        """Whether it is just what was wanted, and whether something went astray."""
        ...


class Case(NamedTuple):
    """A question and sentences, of which the first `telling` answer it. `twisted`: what those say who have not
    understood them, though each word of it stands there: no check of words finds that out."""

    question: str
    sentences: tuple[str, ...]
    telling: int
    twisted: str | None = None

    @property
    def given(self) -> list[str]:
        """In another order: what does not belong stands between what does."""
        told, others = self.sentences[: self.telling], self.sentences[self.telling :]
        return [told[0], *others, *told[1:]]

    def prompt(self, template: ChatTemplate) -> list[int]:
        return composing_prompt(template, self.given, self.question)

    def done(self, written: str) -> tuple[bool, bool]:
        """Whether just what answers was taken up, and whether something went astray."""
        text, places = marked(Stemmer(), self.question, written, self.given)
        taken, told = {self.given[place] for place in places}, set(self.sentences[: self.telling])
        twisted = self.twisted is not None and re.search(self.twisted, text, re.I) is not None
        return taken == told and not twisted, twisted or bool(taken - told)


CASES = (
    Case(
        "How do the two pumps differ?",
        (
            "The red pump moves 40 litres a minute and runs on petrol.",
            "The blue pump is electric and moves 25 litres a minute.",
            "The shed has a window to the south.",
            "The shed was painted in 1987.",
        ),
        2,
    ),
    Case(
        "How was the ferry run?",
        (
            "Lena, whose brother Karl owned the ferry, steered it for thirty years.",
            "Karl kept the books and sold the tickets.",
            "The lake is deep.",
        ),
        2,
        r"lena,? (?:who )?owned|owned by lena|lena[^.]{0,20} owned and|karl,? (?:who )?steered|steered by karl",
    ),
    Case(
        "Why was the mill closed?",
        (
            "The mill was closed because its owner, Peter Holm, had died the winter before.",
            "Flour from the city had also become cheaper than what the mill could grind.",
            "The miller's cat was called Minka.",
            "The river has trout above the weir.",
        ),
        2,
    ),
    Case(
        "What does the scheduler do when a job fails?",
        (
            "A failed job is tried again after ten minutes, up to three times.",
            "When the third try has failed, the scheduler writes to the operators.",
            "The dashboard was designed by Ana Ruiz.",
            "Reports are printed on Mondays.",
        ),
        2,
    ),
    Case(
        "How was the bridge paid for?",
        (
            "Half of the price of the bridge came from the county.",
            "The rest was raised by a toll on carts until 1901.",
            "Its arches are of granite.",
            "Swallows nest below the second arch.",
        ),
        2,
    ),
    Case(
        "What changed in version 2?",
        (
            "Version 2 keeps the index in a file, so that it survives a restart.",
            "Version 2 also removed the export to CSV.",
            "The logo shows a heron.",
            "The office moved to Leeds in May.",
        ),
        2,
    ),
    Case(
        "What is known of the captain's family?",
        (
            "The captain's wife, Solveig, kept a shop on the quay.",
            "Their only son, Leif, went to sea at fourteen.",
            "The ship carried salt and cloth.",
            "The harbour freezes in January.",
        ),
        2,
    ),
    Case(
        "How is the cheese made?",
        (
            "The milk for the cheese is warmed to 32 degrees and curdled with rennet.",
            "The curd is then cut, pressed, and laid in brine for two days.",
            "The dairy has eleven windows.",
            "Its owner sings in a choir.",
        ),
        2,
    ),
    Case(
        "Compare the two routes to the pass.",
        (
            "The eastern route to the pass takes six hours and crosses a glacier.",
            "The western route takes nine hours, but has no ice at all.",
            "The hut sells soup and postcards.",
            "Marmots whistle in the morning.",
        ),
        2,
    ),
    Case(
        "How do guests and members of the club differ?",
        (
            "On the other hand guests, unlike members, may bring any number of dogs.",
            "Members may only ever bring one dog.",
            "The club has a pond.",
        ),
        2,
        r"(?<!unlike )members,?[^.,;]* any number|guests,?[^.,;]* one dog",
    ),
    Case(
        "How were the two locks built?",
        (
            "The upper lock was built by Greta Moe, long before the lower one.",
            "The lower lock, unlike the upper, was cut into the rock.",
            "The canal is popular with anglers.",
        ),
        2,
        r"(?:two|both|lower) locks? (?:was|were) built by|(?<!unlike the )upper(?: lock)? was cut",
    ),
    Case(
        "How does the alarm work?",
        (
            "The alarm is raised by heat, and not by smoke.",
            "It calls the guard, who decides whether to call the fire brigade.",
            "The hall was painted last year.",
        ),
        2,
        r"raised by (?:heat (?:and|or) )?smoke|(?:alarm|it),? (?:also )?(?:calls|decides)[^.]{0,12} the fire brigade",
    ),
)


def able(
    session: Session, what: str = TO_COMPOSE, cases: Sequence[Trial] = CASES, tokens: int = TOKENS
) -> Generator[Told, None, bool]:
    """Whether it can, which `session.abilities` then says. What it wrote is kept with the weights: it is tried once."""
    if what not in session.abilities:
        session.abilities[what] = yield from _tried(session, cases, tokens)
    return session.abilities[what]


def _tried(session: Session, cases: Sequence[Trial], tokens: int) -> Generator[Told, None, bool]:
    right = 0
    with Scribe(session, session.settings.weights_folder) as scribe:
        for some in (cases[:FIRST], cases[FIRST:]):
            prompts = [case.prompt(session.template) for case in some]
            written = yield from scribe.write(prompts, tokens, "try what the model can")
            done = [case.done(text) for case, text in zip(some, written, strict=True)]
            right += sum(just for just, _ in done)
            if not right or any(astray for _, astray in done):
                return False
    return right >= RIGHT
