"""Answers, citations, quotes, refusals and time on questions with known answers, through the public command.

    python benchmarks/answers/ask.py SET [--files books pdf_qa] [--model NAME] [--documents click-8.1.7=DIR]
        [--absent 40] [--closed] [--keep FILE] [-- further arguments of mmx ask]

`expectations.jsonl` beside this file asks of Great Expectations (Project Gutenberg 1400), and nothing was chosen by it:
SET is this folder then, with --files expectations --documents great_expectations.txt=FILE. `readers.jsonl` has other
questions in a reader's words, about six texts; near words were chosen by them. Their places are offsets in the
development set's books, and in three of long.txt's, cut out as long.manifest.json has them.

`kinds/` beside this file has 90 questions about 16 short texts of other kinds, made for it: a lease, a manual, minutes,
mail, a table, a log, C, JavaScript, JSON, a play, texts in German, French, Chinese, Russian, Thai and Arabic. SET is
that folder then, with --files seen unseen nearly_seen nearly_unseen: the half that rules were chosen with, the half
that they were not, and questions whose answer the texts nearly say, for which it is right to say that they do not.
faq_seen and faq_unseen are 24 about four lists of questions and their answers.

SET is a folder of JSONL files, one question a line with "id", "doc", "question" and what `scores.py` reads, beside the
documents. With --absent, so many questions of one document are asked of the others too, which do not answer them;
titles of the documents are taken out of those. With --closed, the model is asked without any document as well. Seconds
are those of the whole command by the number of its questions.
"""

import argparse
import collections
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scores import CRISP, is_backed, is_gold, is_right, share

TITLES = (
    r"(?i)\b(?:in|of|according to)?\s*(?:Krehbiel's )?(?:Moby-Dick|How to Listen to Music|Guernsey Folk Lore)\b'?,?"
)
COLUMNS = ("questions", "answered", f"in {CRISP} words", "first cited", "first three", "refused", "backed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--files", nargs="+", default=["books", "pdf_qa", "repo_qa"])
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--documents", nargs="*", default=[], metavar="DOC=PATH", help="where a document lies")
    parser.add_argument("--absent", type=int, default=0, metavar="N")
    parser.add_argument("--closed", action="store_true")
    parser.add_argument("--keep", type=Path, help="write what mmx said here")
    parser.add_argument("arguments", nargs="*", help="further arguments of mmx ask, after --")
    chosen = parser.parse_args()
    places = dict(item.split("=", 1) for item in chosen.documents)
    made: dict[str, list[dict[str, Any]]] = {}
    right_by_confidence: collections.defaultdict[float, list[bool]] = collections.defaultdict(list)
    print(f"{'':<44}" + "".join(f"{name:>19}" for name in COLUMNS) + f"{'seconds':>9}")
    for name in chosen.files:
        documents = by_document(read(chosen.set / f"{name}.jsonl"))
        began = time.perf_counter()
        for document, golds in documents.items():
            place = places.get(document, str(chosen.set / document))
            start = time.perf_counter()
            said = ask(place, golds, chosen.model, chosen.arguments)
            made[f"{name} {document}"] = said
            row(f"{name} {document}", golds, said, time.perf_counter() - start)
            for gold, one in zip(golds, said, strict=True):
                right_by_confidence[one["confidence"]].append(is_right(gold, one["answer"]))
            if chosen.closed:
                closed = without_document(golds, chosen.model)
                right = share([is_right(gold, text) for gold, text in zip(golds, closed, strict=True)])
                print(f"{'  without the document':<44}{len(golds):>19}{right:>19}")
        if len(documents) > 1 and not chosen.closed:
            said = [one for document in documents for one in made[f"{name} {document}"]]
            row(name, [gold for golds in documents.values() for gold in golds], said, time.perf_counter() - began)
    if chosen.absent:
        said = absent(chosen.set, chosen.absent, chosen.model, chosen.arguments)
        made["absent"] = said
        print(f"asked of a document that does not answer: {share([not one['found'] for one in said])} say so")
    for confidence, right in sorted(right_by_confidence.items()):
        print(f"confidence {confidence:.2f}: {share(right)} of {len(right)} right")
    quotes = [cited for said in made.values() for one in said for cited in one["citations"]]
    print(f"{sum(cited['verified'] for cited in quotes)} of {len(quotes)} quotes stand verbatim where they are said to")
    if chosen.keep:
        chosen.keep.write_text("".join(json.dumps(one) + "\n" for said in made.values() for one in said))


def row(name: str, golds: Sequence[dict[str, Any]], said: Sequence[dict[str, Any]], seconds: float) -> None:
    pairs = list(zip(golds, said, strict=True))
    hits = [[is_gold(gold, cited) for cited in one["citations"] or one.get("nearest", [])] for gold, one in pairs]
    columns = (
        str(len(pairs)),
        share([is_right(gold, one["answer"]) for gold, one in pairs]),
        share([is_right(gold, one["answer"], CRISP) for gold, one in pairs]),
        share([any(hit[:1]) for hit in hits]),
        share([any(hit[:3]) for hit in hits]),
        share([not one["found"] for one in said]),
        share([is_backed(one) for one in said if one["found"]]),
    )
    print(f"{name:<44}" + "".join(f"{text:>19}" for text in columns) + f"{seconds / len(said):>9.1f}", flush=True)


def ask(place: str, golds: Sequence[dict[str, Any]], model: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """What `mmx ask --json` says to each question, in their order."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as questions:
        for gold in golds:
            questions.write(json.dumps({"id": gold["id"], "question": gold["question"]}) + "\n")
        questions.flush()
        command = [sys.executable, "-P", "-m", "mmxcli", "ask", place, "--questions", questions.name, "--json"]
        done = subprocess.run([*command, "-m", model, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def absent(folder: Path, count: int, model: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Questions about each book, evenly chosen, asked of the next one."""
    golds = by_document(read(folder / "books.jsonl"))
    documents = list(golds)
    said: list[dict[str, Any]] = []
    for number, document in enumerate(documents):
        each = -(-(count - len(said)) // (len(documents) - number))
        step = len(golds[document]) / each
        chosen = [golds[document][int(at * step)] for at in range(each)]
        asked = [gold | {"question": re.sub(TITLES, "", gold["question"]).strip()} for gold in chosen]
        said += ask(str(folder / documents[(number + 1) % len(documents)]), asked, model, arguments)
    return said


def without_document(golds: Sequence[dict[str, Any]], model: str) -> Iterator[str]:
    """What the model says from memory."""
    from mmxcli.config import load_settings
    from mmxcli.reading.generate import generate
    from mmxcli.reading.session import Session

    settings = load_settings({"model": model}, environ={}, cwd=Path.cwd(), sources=[])
    with Session(settings) as session:
        list(session.open_weights())
        list(session.prepare_writing())
        assert session.writer
        for gold in golds:
            system = "Answer the question with the shortest exact answer."
            prompt = [token for part in session.template.parts(system, [gold["question"]]) for token in part]
            yield "".join(text for _, text in generate(session.writer, session.tokenizer, None, [prompt], 64))


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def by_document(golds: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for gold in golds:
        found[gold["doc"]].append(gold)
    return dict(found)


if __name__ == "__main__":
    main()
