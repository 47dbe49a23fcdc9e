"""Changes that were planted into texts: how many of them are reported, and how many of the reports are of one.

    python benchmarks/answers/changed.py TEXT... [--changes 100] [--seed 1]

A text is any file in UTF-8 whose paragraphs are parted by blank lines. In its second version prose is broken into lines
of another length, quotation marks are others, a tenth of the paragraphs stands at other places, and there are so many
changes of each kind, all in different paragraphs:

number    a number is another one
word      a word is another one of the text
not       "not" comes after is, was, had, and such
removed   a sentence is gone
added     a sentence of the text's own words, put together anew

A change is reported where a line tells it by its kind, with quotes of it from each version that has it. A report is of
a change where its quotes are of one.
"""

import argparse
import random
import re
import resource
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recalled import indexed

from mmxcli.recall.changes import changes
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.sentences import sentences
from mmxcli.recall.sides import sides

KINDS = ("number", "word", "not", "removed", "added")
_VERB = re.compile(r"\b(?:is|was|are|were|had|has|could|would)\b(?! not)")
_NUMBER = re.compile(r"\b[1-9]\d{0,3}\b|\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty|fifty)\b")
_WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty", "fifty"]


@dataclass(frozen=True)
class Planted:
    """The sentence in each version, in one line; "" where it is not there."""

    kind: str
    old: str
    new: str

    @property
    def told(self) -> str:
        return self.kind if self.kind in ("removed", "added") else "altered"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--changes", type=int, default=100, metavar="N", help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    print(
        f"{'':<28}" + "".join(f"{kind:>10}" for kind in KINDS) + f"{'reports':>10}{'of one':>8}{'seconds':>9}{'MiB':>7}"
    )
    for path in chosen.texts:
        dice = random.Random(f"{chosen.seed} {path.name}")
        old = path.read_text(encoding="utf-8")
        new, planted = changed(old, chosen.changes, dice)
        with tempfile.TemporaryDirectory() as folder:
            names = [Path(folder) / name for name in ("old.txt", "new.txt")]
            for name, text in zip(names, (old, new), strict=True):
                name.write_text(text, encoding="utf-8")
            index = indexed([str(name) for name in names], Path(folder) / "index")
            start = time.perf_counter()
            reports = reported(index, [str(name) for name in names])
            seconds = time.perf_counter() - start
        told = Counter(one.kind for one in planted if any(is_of(report, one) for report in reports))
        asked = Counter(one.kind for one in planted)
        right = sum(any(touches(report, one) for one in planted) for report in reports)
        columns = "".join(f"{f'{told[kind]}/{asked[kind]}':>10}" for kind in KINDS)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{path.name:<28}{columns}{len(reports):>10}{right:>8}{seconds:>9.1f}{memory:>7}", flush=True)


def changed(text: str, count: int, dice: random.Random) -> tuple[str, list[Planted]]:
    """The second version, and what was planted in it."""
    paragraphs = [one if is_list(one) else " ".join(one.split()) for one in re.split(r"\n\s*\n", text)]
    planted: list[Planted] = []
    every = [" ".join(text[low:high].split()) for low, high in sentences(text)]
    words = sorted(set(re.findall(r"\b[a-z]{5,}\b", text)))
    once = Counter(every)
    free = [at for at in dice.sample(range(len(paragraphs)), len(paragraphs)) if not is_list(paragraphs[at])]
    for kind in [kind for kind in KINDS for _ in range(count)]:
        for at in free:
            own = [paragraphs[at][low:high] for low, high in sentences(paragraphs[at])]
            fitting = [number for number, one in enumerate(own) if len(one.split()) > 5 and once[one] == 1]
            fitting = [number for number in fitting if kind != "added" or own[number].endswith((".", "!", "?"))]
            number = dice.choice(fitting) if fitting else 0
            other = altered(kind, own[number], words, dice) if fitting else None
            if other is None or other == own[number]:
                continue
            planted.append(Planted(kind, "" if kind == "added" else own[number], other))
            own[number : number + 1] = [own[number], other] if kind == "added" else [other] if other else []
            paragraphs[at] = " ".join(own)
            free.remove(at)
            break
    for _ in range(len(paragraphs) // 10):
        moved = paragraphs.pop(dice.randrange(len(paragraphs)))
        paragraphs.insert(dice.randrange(len(paragraphs) + 1), moved)
    wrapped = "\n\n".join(
        one if is_list(one) else textwrap.fill(one, 60, break_long_words=False, break_on_hyphens=False)
        for one in paragraphs
    )
    return wrapped.translate(str.maketrans("“”‘’", "\"\"''")) + "\n", planted


def is_list(paragraph: str) -> bool:
    """Whether its lines are broken for another reason than their length: verses, tables, lists."""
    *lines, _ = paragraph.split("\n")
    return any(len(line) < 50 for line in lines)


def altered(kind: str, sentence: str, words: Sequence[str], dice: random.Random) -> str | None:
    """None where this sentence cannot be."""
    if kind == "removed":
        return ""
    if kind == "added":
        return " ".join(dice.sample(words, 12)).capitalize() + "."
    pattern = {"number": _NUMBER, "word": re.compile(r"\b[a-z]{5,}\b"), "not": _VERB}[kind]
    found = list(pattern.finditer(sentence))
    if not found:
        return None
    place = dice.choice(found)
    instead = {
        "number": str(int(place[0]) + dice.randint(1, 90)) if place[0].isdigit() else dice.choice(_WORDS),
        "word": dice.choice(words),
        "not": f"{place[0]} not",
    }[kind]
    return sentence[: place.start()] + instead + sentence[place.end() :]


@dataclass(frozen=True)
class Report:
    kind: str
    old: str  # quotes, in one line
    new: str


def reported(index: RecallIndex, names: Sequence[str]) -> list[Report]:
    work = changes(index, sides(index, names), "what changed?", 1_000_000)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found = end.value
            break
    assert found
    quotes = [(source, " ".join(index.text(source, low, high).split())) for source, low, high in found.spans]
    reports = []
    for line in found.text.split("\n")[1:]:
        kind = line.partition(":")[0]
        numbers = [int(number) for number in re.findall(r"\[(\d+)\](?= ->|$| and [\d,]+ more)", line)]
        said = dict(quotes[number - 1] for number in numbers)
        reports.append(Report(kind, said.get(names[0], ""), said.get(names[1], "")))
    return reports


def is_of(report: Report, planted: Planted) -> bool:
    return report.kind == planted.told and touches(report, planted)


def touches(report: Report, planted: Planted) -> bool:
    return all(
        bool(quote) == bool(own) and (not own or plain(quote) in plain(own) or plain(own) in plain(quote))
        for quote, own in ((report.old, planted.old), (report.new, planted.new))
    )


def plain(text: str) -> str:
    return re.sub(r"\W", "", text)


if __name__ == "__main__":
    main()
