"""How much of what a text says its summary says, beside an extract of the same length by the usual means.

    python benchmarks/answers/summaries.py SET/summaries.jsonl benchmarks/answers/sections.jsonl --texts SET
        [--documents great_expectations.txt=FILE gpl-3.txt=FILE] [--words 60 150] [--alone] [--show]
    python benchmarks/answers/summaries.py benchmarks/answers/wholes.jsonl --texts SET --words 60 150 400
        --documents gpl-3.txt=FILE mpl-2.0.txt=FILE maximabook.pdf=FILE libtasn1.pdf=FILE click-8.1.7/docs=FOLDER

The files have texts, one JSON object a line, with "doc" (in the folder SET, or named by --documents), "span_char"
and "key_points": groups of words, of each of which a summary should have one. "a + b" is for words that should stand in
the same line. All were written before any summary was seen.

Those with a "chapter" are sections: `sections.jsonl` has 24, of three books, Great Expectations (Project Gutenberg
1400) and the GNU GPL, version 3. How sentences are chosen (`recall/gist.py`) was chosen by them, so that none is
unseen. A section is told as a part of its document or, with --alone, as a document of its own. The others are whole
texts, told as `mmx summarize` tells them: `wholes.jsonl` has 14, and the seven that are "unseen" had no part in how
wholes are told.

The other extract of a section is half its beginning, half what TextRank (Mihalcea and Tarau, 2004) finds in it; that of
a whole text is its beginning. "repeated" is the share of sequences of four words that came before, "foreign" the share
of names and numbers that the text does not have.
"""

import argparse
import json
import math
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from recalled import indexed as indexed_place
from scores import normalised

from mmxcli.reading.summary import Summary, Wanted, summarise
from mmxcli.recall.gist import Told, gist, length, statements
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.parts import parts_of
from mmxcli.recall.sentences import sentences
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.segment import Segment

NAME = "document.txt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--texts", type=Path, required=True, help="the folder of the documents")
    parser.add_argument("--documents", nargs="*", default=[], metavar="DOC=PATH", help="where a document lies")
    parser.add_argument("--words", type=int, nargs="+", default=[60, 150])
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--show", action="store_true", help="print the summaries")
    chosen = parser.parse_args()
    places = dict(item.split("=", 1) for item in chosen.documents)
    by_document: defaultdict[Path, list[dict[str, Any]]] = defaultdict(list)
    for file in chosen.sets:
        for line in file.read_text("utf-8").splitlines():
            section = json.loads(line)
            by_document[Path(places.get(section["doc"], chosen.texts / section["doc"]))].append(section)
    rows: defaultdict[tuple[int, str], list[tuple[float, float, float, int]]] = defaultdict(list)
    for place, sections in by_document.items():
        for section in sections:
            told = told_whole if "chapter" not in section else told_section
            for words, name, lines, text in told(place, section, chosen):
                summary = " ".join(lines)
                covered = coverage(section["key_points"], lines)
                rows[words, name].append((covered, repeated(summary), foreign(summary, text), length(summary)))
                if chosen.show:
                    print(f"\n{section['id']}, {name}, {words} words, {covered:.2f}\n" + "\n".join(lines))
    print(f"{'':<28}{'texts':>9}{'key points':>12}{'repeated':>10}{'foreign':>9}{'words':>7}")
    for (words, name), scores in rows.items():
        means = [sum(column) / len(scores) for column in zip(*scores, strict=True)]
        told = f"{len(scores):>9}{means[0]:>12.3f}{means[1]:>10.3f}{means[2]:>9.3f}{means[3]:>7.0f}"
        print(f"{name + f', {words} words':<28}{told}")


Made = Iterator[tuple[int, str, list[str], str]]  # of how many words, whose, its lines, and what they are of


def told_section(place: Path, section: dict[str, Any], chosen: argparse.Namespace) -> Made:
    whole = place.read_text("utf-8")
    text = whole[slice(*section["span_char"])]
    start, document = (0, text) if chosen.alone else (section["span_char"][0], whole)
    with tempfile.TemporaryDirectory() as folder:
        index = indexed(document, Path(folder) / "index")
        for words in chosen.words:
            for name, summary in extracts(index, text, start, words).items():
                yield words, name, [summary], text
        index.close()


def told_whole(place: Path, section: dict[str, Any], chosen: argparse.Namespace) -> Made:
    seen = "unseen" if section.get("unseen") else "seen"
    with tempfile.TemporaryDirectory() as folder:
        if "span_char" in section:
            text = place.read_text("utf-8")[slice(*section["span_char"])]
            place = Path(folder) / NAME
            place.write_text(text, "utf-8")
        index = indexed_place(str(place), Path(folder) / "index")
        text = "\n".join(block.text for source in index.sources for block in index.blocks(source))
        for words in chosen.words:
            made = drained(summarise(index, parts_of(index, section["doc"]), Wanted(words, 0)))
            yield words, f"mmx, {seen}", [one.text for one in made.statements], text
            yield words, f"its beginning, {seen}", [beginning(text, words)], text
        index.close()


def drained(work: Generator[object, None, Summary]) -> Summary:
    while True:
        try:
            next(work)
        except StopIteration as done:
            return cast(Summary, done.value)


def beginning(text: str, words: int) -> str:
    return " ".join(text[: 20 * words].split()[:words])


def indexed(text: str, target: Path) -> RecallIndex:
    with IndexWriter(target) as writer:
        writer.add(Segment(NAME, text, 0, 1))
        writer.finish()
    return RecallIndex(target)


def extracts(index: RecallIndex, text: str, start: int, words: int) -> dict[str, str]:
    offered = list(statements(index, NAME, start, start + len(text)))
    ours = gist(index, offered, Told(index, text).weights(index), words)
    return {"mmx": " ".join(one.text for one in ours), "lead and TextRank": usual(index, text, words)}


def usual(index: RecallIndex, text: str, words: int) -> str:
    every = [" ".join(text[low:high].split()) for low, high in sentences(text)]
    chosen, left = list[int](), words
    for at, sentence in enumerate(every):
        if length(sentence) > left - words / 2:
            break
        chosen.append(at)
        left -= length(sentence)
    for at in np.argsort(-textrank([set(Told(index, sentence).stems) for sentence in every])).tolist():
        if at not in chosen and length(every[at]) <= left:
            chosen.append(at)
            left -= length(every[at])
    return " ".join(every[at] for at in sorted(chosen))


def textrank(stems: list[set[str]]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """The rank of each sentence (n,), by the words that two share over the logarithms of their lengths."""
    links = np.zeros((len(stems), len(stems)))
    for one, first in enumerate(stems):
        for other, second in enumerate(stems[:one]):
            if (shared := len(first & second)) and min(len(first), len(second)) > 1:
                links[one, other] = links[other, one] = shared / (math.log(len(first)) + math.log(len(second)))
    total = links.sum(1, keepdims=True)
    steps = np.divide(links, total, out=np.zeros_like(links), where=total > 0)
    rank = np.full(len(stems), 1 / max(1, len(stems)))
    for _ in range(60):
        rank = 0.15 / len(stems) + 0.85 * (steps.T @ rank)
    return rank


def coverage(points: list[list[str]], lines: list[str]) -> float:
    there = [f" {normalised(line)} " for line in lines]

    def is_said(choice: str) -> bool:
        parts = [f" {normalised(part)} " for part in choice.split(" + ")]
        return any(all(part in line for part in parts) for line in there)

    return sum(any(map(is_said, group)) for group in points) / len(points)


def repeated(summary: str) -> float:
    words = re.findall(r"\w+", summary.lower())
    grams = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    return 1 - len(grams) / (sum(grams.values()) or 1)


def foreign(summary: str, text: str) -> float:
    names = re.findall(r"(?<=[a-z,;] )[A-Z]\w+|\d+", summary)
    having = set(re.findall(r"\w+", text))
    return sum(name not in having for name in names) / (len(names) or 1)


if __name__ == "__main__":
    main()
