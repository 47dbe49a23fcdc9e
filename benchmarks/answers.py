"""Answers, citations and quotes on a set of questions with gold answers, through the public command.

    python benchmarks/answers.py SET [--files books pdf_qa] [--model NAME] [--documents click-8.1.7=DIR]

SET is a folder of JSONL files, one question a line with "id", "doc" and "question", beside the documents and a
`score.py` that reads predictions. Prints what the scorer prints, then seconds a question.
"""

import argparse
import collections
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--files", nargs="+", default=["books", "pdf_qa", "repo_qa"])
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--documents", nargs="*", default=[], metavar="DOC=PATH", help="where a document lies")
    parser.add_argument("--keep", type=Path, help="also write the predictions here")
    parser.add_argument("arguments", nargs="*", help="further arguments of mmx ask, after --")
    args = parser.parse_args()
    places = dict(item.split("=", 1) for item in args.documents)

    by_document = collections.defaultdict(list)
    for name in args.files:
        for line in (args.set / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            by_document[item["doc"]].append(item)
    predictions, seconds = [], []
    for document, items in by_document.items():
        place = places.get(document, str(args.set / document))
        start = time.perf_counter()
        answers = ask(place, items, args.model, args.arguments)
        spent = time.perf_counter() - start
        print(f"{document}: {len(items)} questions in {spent:.0f} s", file=sys.stderr)
        seconds.append(spent / len(items))
        predictions += [prediction(answer, place) for answer in answers]
    with tempfile.TemporaryDirectory() as folder:
        file = args.keep or Path(folder) / "predictions.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in predictions), encoding="utf-8")
        texts = [f"--text={item}" for item in args.documents]
        print(
            subprocess.run(
                [sys.executable, args.set / "score.py", file, *texts], capture_output=True, text=True, check=True
            ).stdout
        )
    found = sum(row["found"] for row in predictions)
    print(f"found {found} of {len(predictions)}; a question took {statistics.mean(seconds):.1f} s, reading included")


def ask(place: str, items: list[dict], model: str, arguments: list[str]) -> list[dict]:
    """What `mmx ask --json` says to each item."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as questions:
        for item in items:
            questions.write(json.dumps({"id": item["id"], "question": item["question"]}) + "\n")
        questions.flush()
        command = [sys.executable, "-m", "mmxcli", "ask", place, "--questions", questions.name, "--json", "-m", model]
        done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def prediction(answer: dict, place: str) -> dict:
    """An answer in the scorer's form. Every quote must be verified."""
    citations = answer["citations"] or answer.get("nearest") or []
    assert all(cited["verified"] for cited in citations), answer
    return {
        "id": answer["id"],
        "question": answer["question"],
        "answer": answer["answer"],
        "found": answer["found"],
        "citations": [where(cited, place) for cited in citations],
        "quotes": [cited["quote"] for cited in citations],
    }


def where(cited: dict, place: str) -> dict:
    if cited["page"] is not None:
        return {"page": cited["page"]}
    if Path(place).is_dir():
        last = cited["line"] + cited["quote"].count("\n")
        return {"file": str(Path(cited["source"]).relative_to(place)), "line": cited["line"], "end_line": last}
    return {"start": cited["start"], "end": cited["end"]}


if __name__ == "__main__":
    main()
