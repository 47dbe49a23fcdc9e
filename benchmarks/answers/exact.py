"""How often an answer is right as a whole that the text gives by itself: what changed, how often, in what order, and
two things beside each other.

    python benchmarks/answers/exact.py TEXT... [--questions 50] [--seed 1]

A TEXT is any file in UTF-8 whose paragraphs are parted by blank lines. `changed`: as in changed.py, but two changes of
each kind and a tenth as many questions; right is an answer of which each line is one of them. `how often`: of any word,
against a count that shares no code with it. `order`: of three names, against where each stands first. `beside`: as in
compared.py, but right is an answer with all facts about both, or that one is missing, and with nothing else.
"""

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from changed import changed, reported, touches
from compared import told_of
from recalled import indexed
from scores import share

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.mentions import mentions
from mmxcli.recall.order import order

SHOWN = 8  # changes that an answer tells
KINDS = ("changed", "how often", "order", "beside")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    every: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for path in chosen.texts:
        dice = random.Random(f"{chosen.seed} {path.name}")
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            index = indexed(str(path), Path(folder) / "index")
            right = {
                "changed": [changes_are_right(text, dice) for _ in range(-(-chosen.questions // 10))],
                "how often": list(counts(index, text, chosen.questions, dice)),
                "order": list(orders(index, text, chosen.questions, dice)),
                "beside": [is_whole for is_whole, *_ in told_of(text, chosen.questions, dice)],
            }
        print(f"{path.name:<28}" + "".join(f"{kind} {sum(right[kind])} of {len(right[kind])}  " for kind in KINDS))
        for kind in KINDS:
            every[kind] += right[kind]
    print("all: " + ", ".join(f"{kind} {share(every[kind])} of {len(every[kind])}" for kind in KINDS))


def changes_are_right(text: str, dice: random.Random) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder) / name for name in ("old.txt", "new.txt")]
        new, planted = changed(text, 2, dice)
        for name, version in zip(names, (text, new), strict=True):
            name.write_text(version, encoding="utf-8")
        index = indexed([str(name) for name in names], Path(folder) / "index")
        told = reported(index, [str(name) for name in names])[:SHOWN]
        return bool(told) and all(any(touches(report, one) for one in planted) for report in told)


def counts(index: RecallIndex, text: str, number: int, dice: random.Random) -> Iterator[bool]:
    there = Counter(re.findall(r"\w+", text))
    for word in dice.sample(sorted(word for word in there if word.isalpha() and len(word) > 3), number):
        # A small letter asks for either.
        times = sum(
            count
            for one, count in there.items()
            if one.lower() == word.lower() and (word.islower() or one[0].isupper())
        )
        work = mentions(index, f'How often is the word "{word}" used?')
        try:
            while True:
                next(work)
        except StopIteration as end:
            said = re.match(r"[\d,]+", end.value.text) if end.value else None
        yield said is not None and int(said[0].replace(",", "")) == times


def orders(index: RecallIndex, text: str, number: int, dice: random.Random) -> Iterator[bool]:
    first: dict[str, int] = {}
    for found in re.finditer(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?!\w)", text):
        first.setdefault(found[0], re.search(rf"\b{found[0]}\b", text).start())  # type: ignore[union-attr]
    for _ in range(number):
        names = dice.sample(sorted(first), 3)
        found = order(index, f"In what order are {names[0]}, {names[1]} and {names[2]} named?")
        said = re.findall(r"(\w+) \[\d\]", found.text) if found else []
        yield said == sorted(names, key=first.__getitem__)


if __name__ == "__main__":
    main()
