"""How well recall alone tells questions that a text answers from those that it does not.

    python benchmarks/refusals.py SET [--drop PATTERN]

SET is a folder with books.jsonl ("doc", "question") beside the documents. Each question is asked of its own document
and of the others, without a model; what is compared is the score of the best sentence, which answering.FOUND divides.
PATTERN is a regular expression of words that would give the document away, such as its title.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path

from mmxcli.reading.answering import CANDIDATES, FOUND
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.quotes import best_quotes
from mmxcli.recall.select import select
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Segment

TITLES = r"(?i)\b(in|of|according to)?\s*(Krehbiel's )?(Moby-Dick|How to Listen to Music|Guernsey Folk Lore)\b'?,?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--drop", default=TITLES, metavar="PATTERN")
    args = parser.parse_args()
    items = [json.loads(line) for line in (args.set / "books.jsonl").read_text(encoding="utf-8").splitlines()]
    own, other = [], []
    with tempfile.TemporaryDirectory() as folder:
        names = sorted({item["doc"] for item in items})
        indexes = {
            name: indexed(args.set / name, Path(folder) / f"{number}.sqlite") for number, name in enumerate(names)
        }
        for item in items:
            question = re.sub(args.drop, "", item["question"])
            for name, index in indexes.items():
                (own if name == item["doc"] else other).append(score(index, question))
    print(f"border {FOUND}")
    for name, scores in (("own document", sorted(own)), ("another document", sorted(other))):
        below = sum(found < FOUND for found in scores)
        marks = [f"{scores[int(share * (len(scores) - 1))]:.2f}" for share in (0, 0.05, 0.5, 0.95, 1)]
        print(f"{name}: {len(scores)} questions, {below} below the border; least, 5 %, median, 95 %, most: {marks}")


def indexed(path: Path, target: Path) -> RecallIndex:
    with IndexWriter(target) as writer:
        for document in open_sources([str(path)]):
            assert isinstance(document, Document)
            for segment in document.segments():
                assert isinstance(segment, Segment)
                writer.add(segment)
        writer.finish()
    return RecallIndex(target)


def score(index: RecallIndex, question: str) -> float:
    passages = [hit.passage for hit in select(index, question, CANDIDATES)]
    quotes = best_quotes(index, question, None, passages, 1)
    return quotes[0].score if quotes else 0.0


if __name__ == "__main__":
    main()
