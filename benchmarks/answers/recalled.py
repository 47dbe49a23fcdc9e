"""Where recall alone has the sentence that answers: among its passages, and among its best sentences.

python benchmarks/answers/recalled.py SET [--files books pdf_qa repo_qa] [--documents click-8.1.7=DIR] [--model NAME]
    [--encoder]

Where words find too little, with --model words that are near in its embedding may stand for those of a question, and
with --encoder what is near to it in meaning goes first.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ask import by_document, read
from scores import is_gold

from mmxcli.config import load_settings
from mmxcli.reading.answering import Encode, Evidence, gather, gather_by_meaning
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import Near
from mmxcli.recall.passages import Passage
from mmxcli.recall.quotes import Quote
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Segment

RANKS = (1, 2, 3, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--files", nargs="+", default=["books", "pdf_qa", "repo_qa"])
    parser.add_argument("--documents", nargs="*", default=[], metavar="DOC=PATH", help="where a document lies")
    add_means(parser)
    chosen = parser.parse_args()
    means = Means.of(chosen)
    places = dict(item.split("=", 1) for item in chosen.documents)
    print(f"{'':<40}{'questions':>10}   passages, first " + " ".join(f"{rank:>3}" for rank in RANKS) + "   sentences")
    for name in chosen.files:
        every: list[tuple[int, int]] = []
        documents = by_document(read(chosen.set / f"{name}.jsonl"))
        for document, golds in documents.items():
            with tempfile.TemporaryDirectory() as folder:
                index = indexed(places.get(document, str(chosen.set / document)), Path(folder) / "index")
                found = [ranks(index, gold, means) for gold in golds]
            row(f"{name} {document}", found)
            every += found
        if len(documents) > 1:
            row(name, every)


def row(name: str, found: Sequence[tuple[int, int]]) -> None:
    columns = [" ".join(f"{sum(one[at] <= rank for one in found):>3}" for rank in RANKS) for at in (0, 1)]
    print(f"{name:<40}{len(found):>10}{'':>19}{columns[0]}   {columns[1]}", flush=True)


def indexed(place: str | Sequence[str], target: Path) -> RecallIndex:
    with IndexWriter(target) as writer:
        for document in open_sources([place] if isinstance(place, str) else place):
            if isinstance(document, Document):
                for item in document.segments():
                    if isinstance(item, Segment):
                        writer.add(item)
        writer.finish()
    return RecallIndex(target)


@dataclass(frozen=True)
class Means:
    """What helps where words find too little."""

    near_words: Near | None
    encode: Encode | None

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> "Means":
        settings = {"model": chosen.model} if chosen.model else {}
        session = Session(load_settings(settings, environ=dict(os.environ), cwd=Path.cwd(), sources=[]))
        if chosen.model:
            list(session.open_weights())
        return cls(session.near_words() if chosen.model else None, encoder(session) if chosen.encoder else None)


def add_means(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="whose embedding tells which words are near")
    parser.add_argument("--encoder", action="store_true", help="compare with the question in meaning")


def encoder(session: Session) -> Encode | None:
    work = session.sentence_encoder()
    while True:
        try:
            next(work)
        except StopIteration as done:
            return cast(Encode | None, done.value)


def evidence(index: RecallIndex, question: str, limit: int, means: Means) -> Evidence:
    reading = cast(Reading, SimpleNamespace(index=index))
    found = gather(reading, question, limit)
    if found.sure or not found.quotes or means == Means(None, None):
        return found
    return gather_by_meaning(reading, question, limit, found, means.near_words, means.encode)


def ranks(index: RecallIndex, gold: dict[str, Any], means: Means) -> tuple[int, int]:
    """Of the first passage and of the first sentence that stand where the answer does; 99 where none does."""
    found = evidence(index, gold["question"], RANKS[-1], means)
    first, second = (
        next((at for at, one in enumerate(some, 1) if is_gold(gold, cited(one))), 99)
        for some in (found.passages, found.quotes)
    )
    return first, second


def cited(found: Passage | Quote) -> dict[str, Any]:
    """In the form of a citation."""
    names = ("source", "start", "end", "line", "page")
    return {name: getattr(found, name) for name in names} | {"quote": found.text}


if __name__ == "__main__":
    main()
