"""From disk to tokens, next to the tokenizer library's own speed, and what of it is finding the files.

    python benchmarks/tokens.py SOURCE... [--model NAME] [--rounds 5]

For a file, mmx opens, decodes and encodes it so that the ids are those of the whole text; the library encodes the same
text, which it is given in memory and in pieces of 65,536 characters, one by one and many at once (on all cores). For a
folder, tells how long finding and recognising its files takes, and how long reading and encoding them. Best of the
rounds, in turn.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mmxcli.config import load_settings
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading.session import Session
from mmxcli.reading.tokens import BUFFER, TokenStream
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Segment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    session = Session(load_settings({"model": chosen.model}, environ={}, cwd=Path.cwd(), sources=[]))
    list(session.open_weights())
    for source in chosen.sources:
        (folder if Path(source).is_dir() else file)(source, session.tokenizer, chosen.rounds)


def file(source: str, tokenizer: Tokenizer, rounds: int) -> None:
    text = "".join(texts(source))
    size = Path(source).stat().st_size / 1e6
    pieces = [text[start : start + BUFFER] for start in range(0, len(text), BUFFER)]
    library = tokenizer._vocabulary
    ways: dict[str, Callable[[], object]] = {
        "mmx, from disk": lambda: encoded(texts(source), tokenizer),
        "library, one by one": lambda: [library.encode(piece, add_special_tokens=False).ids for piece in pieces],
        "library, many at once": lambda: [each.ids for each in library.encode_batch(pieces, add_special_tokens=False)],
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            best[name] = min(best[name], seconds(way))
    ours = best["mmx, from disk"]
    print(f"{Path(source).name}, {size:.1f} MB")
    for name, its in best.items():
        print(f"  {name:<22} {size / its:6.2f} MB/s  mmx is {its / ours:.2f} times as fast")


def folder(source: str, tokenizer: Tokenizer, rounds: int) -> None:
    found = min(seconds(lambda: list(open_sources([source]))) for _ in range(rounds))
    count = sum(isinstance(item, Document) for item in open_sources([source]))
    whole = seconds(lambda: encoded(texts(source), tokenizer))
    print(
        f"{source}, {count:,} files: finding and recognising them {found:.1f} s of {whole:.1f} s, {found / whole:.1%}"
    )


def texts(source: str) -> Iterator[str]:
    for document in open_sources([source]):
        if isinstance(document, Document):
            yield from (item.text for item in document.segments() if isinstance(item, Segment))


def encoded(pieces: Iterator[str], tokenizer: Tokenizer) -> int:
    return sum(len(chunk.ids) for chunk in TokenStream(tokenizer).feed(pieces))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
