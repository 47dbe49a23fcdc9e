"""Damaged files of every format: each must end in text or in a reason, soon, and without a traceback.

    python benchmarks/fuzz.py [--files 20000] [--seed 1]

Takes good files of every format, changes, cuts and mixes their bytes, and reads each as mmx does, in folders of 200.
Counts what gave text, what gave a reason, and what gave neither; what took longer than ten seconds; what raised.
"""

import argparse
import gzip
import lzma
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "tests"), str(Path(__file__).parent.parent / "tests" / "sources")]

from formats import docx, epub, html, mailbox, message, notebook, pptx, subtitles, xlsx, zipped  # noqa: E402
from pdfs import encrypted, pdf, showing, structured, without_map  # noqa: E402

from mmxcli.sources.document import Document  # noqa: E402
from mmxcli.sources.open import open_sources  # noqa: E402
from mmxcli.sources.segment import Gap, Segment  # noqa: E402

BATCH, SLOW = 200, 10.0
BOOK = [(f"Chapter {n}", [f"The keeper saw ship number {n * m} from the tower." for m in range(9)]) for n in range(6)]
ROWS = [["Item", "Price"], *([f"thing {n}", n * 1.5] for n in range(40))]


def good() -> dict[str, bytes]:
    mail = message("The lamp", "It burned whale oil until 1902.", attachment=docx(BOOK), name="log.docx")
    pages = pdf(*[showing(f"Page {n}", "The storm took the pier.") for n in range(1, 5)])
    return {
        "text": "Grüße aus Port Halvard.\n".encode() * 40,
        "gb18030": "北京是中华人民共和国的首都。\n".encode("gb18030") * 20,
        "utf-16": "Die Brücke.\n".encode("utf-16") * 20,
        "pdf": pages,
        "outline.pdf": structured(pages, [("Page 2", 2), ("Page 4", 4)], [(1, 2, "/r"), (3, 4, "/D")]),
        "glyphs.pdf": without_map("by glyph"),
        "encrypted.pdf": encrypted(pdf(showing("hidden")), "secret"),
        "html": html(BOOK),
        "epub": epub(BOOK),
        "docx": docx(BOOK, [["a", "b"], ["c", "d"]], "A footnote."),
        "pptx": pptx(BOOK, "Notes."),
        "xlsx": xlsx({"Prices": ROWS}),
        "ipynb": notebook(BOOK, "42\n"),
        "eml": mail,
        "mbox": mailbox([mail] * 4),
        "zip": zipped({"a.txt": "A text.\n" * 50, "b.docx": docx(BOOK)}),
        "srt": subtitles([(9 * n, f"Ship {n} in sight.") for n in range(40)]),
        "vtt": subtitles([(9 * n, f"<v Ada>Ship {n} in sight.") for n in range(40)], web=True),
        "gz": gzip.compress(b"error: the disk is full\n" * 100),
        "xz": lzma.compress(b"error: the disk is full\n" * 100),
    }


def damaged(kinds: dict[str, bytes], dice: random.Random) -> Iterator[tuple[str, bytes]]:
    while True:
        kind = dice.choice(list(kinds))
        data = bytearray(kinds[kind])
        for _ in range(dice.randint(1, 8)):
            at = dice.randrange(len(data) + 1)
            match dice.randrange(6):
                case 0:
                    data[at : at + dice.randint(1, 9)] = dice.randbytes(dice.randint(0, 9))
                case 1 if at < len(data):
                    data[at] ^= 1 << dice.randrange(8)
                case 2:
                    data[at:at] = data[at : at + dice.randint(1, 200)]
                case 3:
                    del data[at : at + dice.randint(1, 200)]
                case 4:
                    other = kinds[dice.choice(list(kinds))]
                    start = dice.randrange(len(other))
                    data[at:at] = other[start : start + dice.randint(1, 60)]
                case 5 if dice.random() < 0.2:
                    del data[at:]
        yield kind, bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    files = damaged(good(), random.Random(args.seed))
    counts, raised, slowest, begun = Counter[str](), list[str](), 0.0, time.monotonic()
    for _ in range(args.files // BATCH):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(BATCH):
                kind, data = next(files)
                path = Path(folder) / f"{number}.{kind}"
                path.write_bytes(data)
                start = time.monotonic()
                try:
                    outcome = of(path) if data else "a reason alone"
                except Exception as error:  # noqa: BLE001 - what this looks for
                    outcome = "raised"
                    raised.append(f"{kind}: {type(error).__name__}: {error}")
                spent = time.monotonic() - start
                slowest = max(slowest, spent)
                counts[outcome] += 1
                counts["slow"] += spent > SLOW
    print(
        f"{args.files:,} files of {len(good())} kinds in {time.monotonic() - begun:.0f} s, the slowest {slowest:.1f} s"
    )
    for outcome in ("text alone", "text and a reason", "a reason alone", "neither", "raised", "slow"):
        print(f"  {outcome:<18} {counts[outcome]:>7,}")
    print(*sorted(set(raised))[:20], sep="\n")
    sys.exit(bool(counts["neither"] or counts["raised"] or counts["slow"]))


def of(path: Path) -> str:
    """What reading the file ends in."""
    items = [
        item for one in open_sources([str(path)]) for item in (one.segments() if isinstance(one, Document) else [one])
    ]
    text, reason = (any(isinstance(item, kind) for item in items) for kind in (Segment, Gap))
    names = {(True, True): "text and a reason", (True, False): "text alone", (False, True): "a reason alone"}
    return names.get((text, reason), "neither")


if __name__ == "__main__":
    main()
