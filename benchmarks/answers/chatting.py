"""Questions that go on from the one before: how often the sentence that answers is the first quote, and among the first
three, with the words that a conversation carries over and without. No model is used.

    python benchmarks/answers/chatting.py SET [--answers [--model NAME] [--count N]]

SET is the folder of the books (benchmarks/answers/ask.py). `followups.jsonl` beside this file has 40 such questions.
The questions of SET's books.jsonl, one after the other, are changes of subject: there nothing should be carried over.
What was answered before is taken from SET where it is there, else it is left out. With --answers a model answers the
first COUNT questions, once after the state of the conversation and once after nothing, and right answers are counted.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from ask import TITLES, read
from recalled import cited, indexed
from scores import is_gold, is_right

from mmxcli.config import load_settings
from mmxcli.reading.answering import answer, gather
from mmxcli.reading.conversation import Conversation, Exchange
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.quotes import best_quotes
from mmxcli.recall.select import select


class Indexed:
    """What a conversation asks of a reading where only its recall is looked at."""

    state = None

    def __init__(self, index: RecallIndex) -> None:
        self.index = index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--answers", action="store_true")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--count", type=int, default=40)
    chosen = parser.parse_args()
    golds = read(Path(__file__).with_name("followups.jsonl"))
    books = read(chosen.set / "books.jsonl")
    if chosen.answers:
        answered(chosen.set, golds[: chosen.count], chosen.model)
        return
    print(f"{'':<24}{'questions':>10}{'carried':>9}{'first quote':>16}{'first three':>16}   (without, with)")
    with tempfile.TemporaryDirectory() as folder:
        documents = sorted({gold["doc"] for gold in golds})
        indexes = {doc: indexed(str(chosen.set / doc), Path(folder) / str(at)) for at, doc in enumerate(documents)}
        row("follow-ups", [(gold, Exchange(gold["before"], said(books, gold["before"]))) for gold in golds], indexes)
        row("changes of subject", list(changes(books)), indexes)


def said(books: list[dict[str, Any]], question: str) -> str:
    """What SET gives as the answer of a question, in whatever words it asks it; "" where it does not."""
    words = set(re.findall(r"\w{4,}", question.lower()))
    found = [
        book for book in books if len(words & set(re.findall(r"\w{4,}", book["question"].lower()))) > len(words) / 2
    ]
    return str(found[0]["answers"][0]) if found else ""


def changes(books: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Exchange]]:
    plain = [book | {"question": re.sub(TITLES, "", book["question"]).strip()} for book in books]
    for before, gold in pairwise(plain):
        if before["doc"] == gold["doc"]:
            yield gold, Exchange(before["question"], before["answers"][0])


def row(name: str, asked: list[tuple[dict[str, Any], Exchange]], indexes: dict[str, RecallIndex]) -> None:
    first, three, carried = [0, 0], [0, 0], 0
    for gold, before in asked:
        index: Any = indexes[gold["doc"]]
        session: Any = None
        reading: Any = Indexed(index)
        about = Conversation(session, reading, [before]).about(gold["question"])
        carried += bool(about)
        for at, words in enumerate(("", about)):
            passages = [hit.passage for hit in select(index, gold["question"], 8, words)]
            quotes = best_quotes(index, gold["question"], None, passages, 3, words)
            hits = [is_gold(gold, cited(quote)) for quote in quotes]
            first[at] += any(hits[:1])
            three[at] += any(hits)
    print(f"{name:<24}{len(asked):>10}{carried:>9}{first[0]:>10} {first[1]:>5}{three[0]:>10} {three[1]:>5}", flush=True)


def answered(folder: Path, golds: list[dict[str, Any]], model: str) -> None:
    """Right answers to the questions after their first ones, with the state of the conversation and after nothing."""
    settings = load_settings({"model": model, "read": "recall"}, environ={}, cwd=Path.cwd(), sources=[])
    right = {"after the conversation": 0, "after nothing": 0}
    with Session(settings) as session:
        list(session.open_weights())
        readings = {doc: finished(session, str(folder / doc)) for doc in sorted({gold["doc"] for gold in golds})}
        list(session.prepare_writing())
        for gold in golds:
            reading, before, question = readings[gold["doc"]], gold["before"], gold["question"]
            first = answer(session, reading, [(before, gather(reading, before, 3))])[0].text
            talk = Conversation(session, reading, [Exchange(before, first)])
            evidence = gather(reading, question, 3, talk.about(question))
            for name, after in (("after the conversation", talk), ("after nothing", None)):
                found = answer(session, reading, [(question, evidence)], after) if evidence.found else []
                right[name] += bool(found) and is_right(gold, found[0].text)
            print(json.dumps({"question": question, "right": right}), flush=True)
    for name, count in right.items():
        print(f"{name:<24}{count} of {len(golds)} right")


def finished(session: Session, place: str) -> Reading:
    work = session.read([place], None)
    while True:
        try:
            next(work)
        except StopIteration as ended:
            reading: Reading = ended.value
            return reading


if __name__ == "__main__":
    main()
