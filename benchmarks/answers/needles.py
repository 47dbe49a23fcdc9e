"""Needles in haystacks of any length, through the public command.

    python benchmarks/answers/needles.py [--tokens 4k 64k 512k] [--tasks single keys values tracking] [--samples 10]
        [--model NAME] [--text FILE] [--seed 1] [-- further arguments of mmx ask]

After the task descriptions of RULER (Hsieh et al. 2024, arXiv 2404.06654); texts and code are our own.

single    one sentence gives a thing a number; the question is which
keys      eight things have numbers of their own; the question is about one of them
values    one thing has four numbers, at four places; right is an answer with all of them
tracking  a name is given a value and handed on four times, beside two other such chains; right is all five names

The haystack is the text of FILE, or else made of sentences that say nothing of the kind, and has so many tokens of the
model. Needles lie between its sentences, their depths spread evenly over the samples of a task.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from scores import normalised, share

from mmxcli.config import TOKENS, load_settings
from mmxcli.reading.session import Session

_WORDS = {
    "colours": "amber azure copper crimson ebony golden indigo ivory olive purple scarlet silver teal violet",
    "things": "anchor bridge cabinet ferry garden harbour kettle lantern mirror orchard piano quarry tower violin",
    "people": "gardener teacher sailor baker clerk painter farmer doctor miller weaver tailor porter",
}
_PHRASES = {
    "acts": "watched the rain fall on, walked slowly past, wrote a letter about, asked about, thought again of",
    "places": "the old market, the river bank, the empty station, a field of barley, the white chapel, the poplars",
    "times": "In the morning, Before noon, After the harvest, On a cold evening, Towards the end, Years later",
}
COLOURS, THINGS, PEOPLE = (words.split() for words in _WORDS.values())
ACTS, PLACES, TIMES = (phrases.split(", ") for phrases in _PHRASES.values())


@dataclass(frozen=True)
class Sample:
    needles: tuple[str, ...]
    question: str
    answers: tuple[str, ...]  # all of them must be said


def single(dice: random.Random) -> Sample:
    key, number = _keys(dice, 1)[0], _number(dice)
    return Sample(
        (f"The secret number of the {key} is {number}.",), f"What is the secret number of the {key}?", (number,)
    )


def keys(dice: random.Random) -> Sample:
    numbers = {key: _number(dice) for key in _keys(dice, 8)}
    key = dice.choice(list(numbers))
    needles = tuple(f"The secret number of the {each} is {number}." for each, number in numbers.items())
    return Sample(needles, f"What is the secret number of the {key}?", (numbers[key],))


def values(dice: random.Random) -> Sample:
    key, numbers = _keys(dice, 1)[0], tuple(_number(dice) for _ in range(4))
    needles = tuple(f"One of the secret numbers of the {key} is {number}." for number in numbers)
    return Sample(needles, f"What are all the secret numbers of the {key}?", numbers)


def tracking(dice: random.Random) -> Sample:
    chains, needles = [], list[str]()
    for _ in range(3):
        names = ["".join(dice.choices("BCDFGHKLMNPRSTVWXZ", k=5)) for _ in range(5)]
        number = _number(dice)
        needles.append(f"VAR {names[0]} = {number}.")
        needles += [f"VAR {after} = VAR {before}." for before, after in pairwise(names)]
        chains.append((number, names))
    number, names = chains[0]
    return Sample(tuple(needles), f"Which variables have the value {number}, directly or through others?", tuple(names))


TASKS = {task.__name__: task for task in (single, keys, values, tracking)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", nargs="+", default=["4k", "64k", "512k"])
    parser.add_argument("--tasks", nargs="+", default=["single", "keys"], choices=list(TASKS))
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("arguments", nargs="*", help="further arguments of mmx ask, after --")
    chosen = parser.parse_args()
    session = Session(load_settings({"model": chosen.model}, environ={}, cwd=Path.cwd(), sources=[]))
    list(session.open_weights())
    print(f"{'task':<10} {'tokens':>8} {'all said':>18} {'cited':>18} {'seconds':>8}")
    for task in chosen.tasks:
        for length in chosen.tokens:
            dice = random.Random(f"{chosen.seed} {task} {length}")
            hay = haystack(int(str(TOKENS.parse(length))), session, dice, chosen.text)
            right, cited, seconds = [], [], []
            for number in range(chosen.samples):
                sample = TASKS[task](dice)
                text = hidden(hay, sample.needles, number / max(1, chosen.samples - 1), dice)
                said = ask(text, sample.question, chosen.model, chosen.arguments)
                answer = f" {normalised(said['answer'])} "
                right.append(all(f" {normalised(one)} " in answer for one in sample.answers))
                quotes = " ".join(one["quote"] for one in said["citations"])
                cited.append(all(one in quotes for one in sample.answers))
                seconds.append(said["timing"]["total_s"])
            print(
                f"{task:<10} {length:>8} {share(right):>18} {share(cited):>18} {statistics.median(seconds):>8.1f}",
                flush=True,
            )


def haystack(tokens: int, session: Session, dice: random.Random, file: Path | None) -> list[str]:
    """Sentences, as many as there is room for."""
    source = _sentences(dice) if file is None else iter(file.read_text(encoding="utf-8").split("\n\n"))
    found: list[str] = []
    left = tokens
    for sentence in source:
        left -= len(session.tokenizer.encode(sentence + "\n"))
        if left < 0:
            break
        found.append(sentence)
    return found


def hidden(hay: Sequence[str], needles: Sequence[str], depth: float, dice: random.Random) -> str:
    """The hay with the needles in it: the first at this depth, the others anywhere, chains in their order."""
    places = sorted([depth, *(dice.random() for _ in needles[1:])])
    text: list[str] = []
    start = 0
    for place, needle in zip(places, needles, strict=True):
        end = int(place * len(hay))
        text += [*hay[start:end], needle]
        start = end
    return "\n".join([*text, *hay[start:]]) + "\n"


def ask(text: str, question: str, model: str, arguments: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "mmxcli", "ask", "--json", "--no-cache", "-m", model, *arguments]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [*command, file.name, question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
        )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _sentences(dice: random.Random) -> Iterator[str]:
    while True:
        yield (
            f"{dice.choice(TIMES)} the {dice.choice(PEOPLE)} {dice.choice(ACTS)} {dice.choice(PLACES)}, and"
            f" the {dice.choice(PEOPLE)} {dice.choice(ACTS)} {dice.choice(PLACES)}."
        )


def _keys(dice: random.Random, count: int) -> list[str]:
    pairs = [f"{colour} {thing}" for colour in COLOURS for thing in THINGS]
    return dice.sample(pairs, count)


def _number(dice: random.Random) -> str:
    return str(dice.randint(1_000_000, 9_999_999))


if __name__ == "__main__":
    main()
