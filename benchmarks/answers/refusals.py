"""How well recall alone tells questions that a text answers from those that it does not.

    python benchmarks/answers/refusals.py SET [--drop PATTERN] [--model NAME] [--encoder]

SET is a folder with books.jsonl ("doc", "question") beside the documents. Each question is asked of its own document
and of the others, and nothing is written; what is compared is the score of the best sentence, which answering.FOUND
divides. --model and --encoder are those of recalled.py. PATTERN is a regular
expression of words that would give the document away, such as its title.
"""

import argparse
import re
import tempfile
from pathlib import Path

from ask import TITLES, read
from recalled import Means, add_means, evidence, indexed

from mmxcli.reading.answering import FOUND
from mmxcli.recall.index import RecallIndex


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--drop", default=TITLES, metavar="PATTERN")
    add_means(parser)
    args = parser.parse_args()
    means = Means.of(args)
    items = read(args.set / "books.jsonl")
    own, other = [], []
    with tempfile.TemporaryDirectory() as folder:
        names = sorted({item["doc"] for item in items})
        indexes = {
            name: indexed(str(args.set / name), Path(folder) / f"{number}.sqlite") for number, name in enumerate(names)
        }
        for item in items:
            question = re.sub(args.drop, "", item["question"])
            for name, index in indexes.items():
                (own if name == item["doc"] else other).append(score(index, question, means))
    print(f"border {FOUND}")
    for name, scores in (("own document", sorted(own)), ("another document", sorted(other))):
        below = sum(found < FOUND for found in scores)
        marks = [f"{scores[int(share * (len(scores) - 1))]:.2f}" for share in (0, 0.05, 0.5, 0.95, 1)]
        print(f"{name}: {len(scores)} questions, {below} below the border; least, 5 %, median, 95 %, most: {marks}")


def score(index: RecallIndex, question: str, means: Means) -> float:
    return evidence(index, question, 1, means).fit


if __name__ == "__main__":
    main()
