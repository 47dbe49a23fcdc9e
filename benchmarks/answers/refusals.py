"""How well recall alone tells questions that a text answers from those that it does not.

    python benchmarks/answers/refusals.py SET [--drop PATTERN] [--model NAME]

SET is a folder with books.jsonl ("doc", "question") beside the documents. Each question is asked of its own document
and of the others, and nothing is written; what is compared is the score of the best sentence, which answering.FOUND
divides. With --model, words that are near in its embedding may stand for those of a question. PATTERN is a regular
expression of words that would give the document away, such as its title.
"""

import argparse
import re
import tempfile
from pathlib import Path

from ask import TITLES, read
from recalled import evidence, indexed, near_words

from mmxcli.reading.answering import FOUND
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import Near


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--drop", default=TITLES, metavar="PATTERN")
    parser.add_argument("--model")
    args = parser.parse_args()
    near = near_words(args.model)
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
                (own if name == item["doc"] else other).append(score(index, question, near))
    print(f"border {FOUND}")
    for name, scores in (("own document", sorted(own)), ("another document", sorted(other))):
        below = sum(found < FOUND for found in scores)
        marks = [f"{scores[int(share * (len(scores) - 1))]:.2f}" for share in (0, 0.05, 0.5, 0.95, 1)]
        print(f"{name}: {len(scores)} questions, {below} below the border; least, 5 %, median, 95 %, most: {marks}")


def score(index: RecallIndex, question: str, near: Near | None) -> float:
    quotes = evidence(index, question, 1, near).quotes
    return quotes[0].score if quotes else 0.0


if __name__ == "__main__":
    main()
