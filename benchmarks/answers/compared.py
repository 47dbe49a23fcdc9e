"""Comparisons with known sides: how many of the facts about each are given beside each other, and what else is.

    python benchmarks/answers/compared.py TEXT... [--questions 50] [--seed 1]

Between the paragraphs of a text stand, at any places, what eight things weigh, cost and are made of: sentences of their
own, in one of several wordings. Two things are compared at a time; of every fifth pair one is not in the text.
"""

import argparse
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from needles import COLOURS, THINGS
from recalled import indexed
from scores import share

from mmxcli.recall.comparison import comparison

THINGS_OF_ONE_TEXT = 8
FACTS = (
    (
        "The {} weighs {n} kilograms.",
        "With its {n} kilograms the {} is hard to move.",
        "A scale gave {n} kilograms for the {}.",
    ),
    (
        "The {} was sold for {n} crowns.",
        "A price of {n} crowns was paid for the {}.",
        "The {} cost its owner {n} crowns.",
    ),
    ("The {} is made of {m}.", "They built the {} entirely of {m}.", "It is {m} that the {} was made of."),
)
MATERIALS = ["oak", "brass", "granite", "marble", "iron", "willow", "slate", "copper"]
QUESTIONS = (
    "Compare the {} and the {}.",
    "What is the difference between the {} and the {}?",
    "How does the {} differ from the {}?",
    "How do the {} and the {} compare?",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    print(f"{'':<28}{'facts given':>20}{'of what is given':>20}{'missing side told':>20}")
    for path in chosen.texts:
        dice = random.Random(f"{chosen.seed} {path.name}")
        every = list(told_of(path.read_text(encoding="utf-8"), chosen.questions, dice))
        given, right, missing = (sum((one[at] for one in every), list[bool]()) for at in (1, 2, 3))
        print(f"{path.name:<28}{share(given):>20}{share(right):>20}{share(missing):>20}", flush=True)


def told_of(
    text: str, questions: int, dice: random.Random
) -> Iterator[tuple[bool, list[bool], list[bool], list[bool]]]:
    """Of each question whether its answer is right as a whole; which of the facts it gives, which of its sentences are
    such facts, and whether it tells a missing side."""
    pairs = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS]
    things = dice.sample(pairs, THINGS_OF_ONE_TEXT)
    absent = [pair for pair in pairs if pair not in things]
    facts = {thing: [said(kind, thing, dice) for kind in FACTS] for thing in things}
    paragraphs = text.split("\n\n")
    for fact in [one for its in facts.values() for one in its]:
        paragraphs.insert(dice.randrange(len(paragraphs) + 1), fact)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "text.txt"
        place.write_text("\n\n".join(paragraphs), encoding="utf-8")
        index = indexed(str(place), Path(folder) / "index")
        for number in range(questions):
            given, right, missing = list[bool](), list[bool](), list[bool]()
            one, other = dice.sample(things, 2)
            other = dice.choice(absent) if number % 5 == 4 else other
            found = comparison(index, QUESTIONS[number % len(QUESTIONS)].format(one, other))
            told = {} if found is None else dict(line.split(": ", 1) for line in found.text.split("\n") if line)
            for thing in (one, other):
                said_of = re.sub(r" \[\d+\]", "", told.get(f"the {thing}", ""))
                if thing in facts:
                    given += [fact in said_of for fact in facts[thing]]
                    parts = re.split(r"(?<=\.) (?=[A-Z])", said_of)
                    right += [sentence in facts[thing] for sentence in parts if sentence]
                else:
                    missing.append("does not seem to say" in said_of)
            yield all([*given, *right, *missing]), given, right, missing


def said(kind: tuple[str, ...], thing: str, dice: random.Random) -> str:
    return dice.choice(kind).format(thing, n=dice.randint(2, 900), m=dice.choice(MATERIALS))


if __name__ == "__main__":
    main()
