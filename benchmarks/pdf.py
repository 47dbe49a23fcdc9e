"""How fast the text of PDFs is read, and whether it is the same words, next to pypdf.

    python benchmarks/pdf.py FILE.pdf... [--pages N]
    python benchmarks/pdf.py FILE.pdf... --index MODEL   (processor seconds of the pages and of the rest)

mmx reads as it always does, in its other process. Words are compared page by page: those that both found, of those that
either found. Runs of letters and runs of digits are words, in compatibility form (pypdf gives ligatures, and sets
exponents closer), after lines that end in a hyphen are joined. With --pages, pypdf reads no more than the first N, and
times are told for those.
"""

import argparse
import re
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import pypdf

from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading.tokens import TokenStream
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Segment

WORD = re.compile(r"[^\W\d_]+|\d+")
HYPHEN = re.compile(r"[-\u00ad]\n(?=\w)|\u00ad")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--pages", type=int, default=1 << 30)
    parser.add_argument("--index", type=Path, metavar="MODEL", help="the folder of a model, whose tokens are counted")
    chosen = parser.parse_args()
    if chosen.index:
        for file in chosen.files:
            print(f"{Path(file).name:<24} {indexed(file, Tokenizer(chosen.index))}")
        return
    print(f"{'':<24} {'pages':>6} {'mmx':>9} {'pypdf':>9} {'times':>6}  {'words in both':>13} {'worst page':>11}")
    for file in chosen.files:
        count = len(pypdf.PdfReader(file).pages)
        ours, our_s = read(file)
        pages = min(count, chosen.pages)
        theirs, their_s = read_by_pypdf(file, pages)
        shares = [(shared(ours[page], theirs[page]), page) for page in range(1, pages + 1)]
        both, either = (sum(numbers) for numbers in zip(*(share for share, _ in shares), strict=True))
        worst, at = min((both / either if either else 1.0, page) for (both, either), page in shares)
        our_s *= pages / count
        print(
            f"{Path(file).name:<24} {pages:>6} {our_s:>7.2f} s {their_s:>7.2f} s {their_s / our_s:>6.1f}"
            f"  {both / either:>13.2%} {worst:>5.0%} (p. {at})"
        )


def read(file: str) -> tuple[dict[int, str], float]:
    """The text of each page, and the seconds it took."""
    [document] = open_sources([file])
    assert isinstance(document, Document)
    list(document.segments())  # starts the other process, which reads many documents
    start = time.perf_counter()
    pages: defaultdict[int, str] = defaultdict(str)
    for item in document.segments():
        if isinstance(item, Segment):
            pages[item.page or 0] += item.text
    return pages, time.perf_counter() - start


def indexed(file: str, tokenizer: Tokenizer) -> str:
    """As `mmx read --read recall` does it, without starting and opening the model."""
    [document] = open_sources([file])
    assert isinstance(document, Document)
    start, own = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder, IndexWriter(Path(folder) / "index") as writer:

        def texts() -> Iterator[str]:
            for item in document.segments():
                if isinstance(item, Segment):
                    writer.add(item)
                    yield item.text

        tokens = sum(len(chunk.ids) for chunk in TokenStream(tokenizer).feed(texts()))
        writer.finish()
    [parser] = psutil.Process().children()
    pages, rest = sum(parser.cpu_times()[:2]), time.process_time() - own
    passed = time.perf_counter() - start
    return f"{tokens:,} tokens: pages {pages:.1f} s, index and tokens {rest:.1f} s, {passed:.1f} s passed"


def read_by_pypdf(file: str, pages: int) -> tuple[dict[int, str], float]:
    start = time.perf_counter()
    reader = pypdf.PdfReader(file)
    texts = {number + 1: reader.pages[number].extract_text() for number in range(pages)}
    return texts, time.perf_counter() - start


def shared(one: str, other: str) -> tuple[int, int]:
    """How many words both have, and how many either has."""
    a, b = (Counter(WORD.findall(unicodedata.normalize("NFKC", HYPHEN.sub("", text)))) for text in (one, other))
    return (a & b).total(), (a | b).total()


if __name__ == "__main__":
    main()
