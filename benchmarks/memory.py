"""Peak memory by size of the input, from a file and through a pipe.

    python benchmarks/memory.py 50M 500M              (mmx count: every token is found, 2 to 3 MB a second)
    python benchmarks/memory.py --index 5M 50M        (mmx read --read recall: counted and indexed)
    python benchmarks/memory.py --only-read 50M 5G 10G   (opened, decoded and cut into segments, without tokens)

The text is made of sentences with numbers, by the benchmark itself; the file is removed again. A pipe is kept in a file
without a name: there must be room for it in TMPDIR.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from mmxcli.config import SIZE, Settings
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Segment

BLOCK = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*")
    parser.add_argument("--only-read", action="store_true")
    parser.add_argument("--index", action="store_true")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.read:
        read(chosen.read)
        return
    os.environ.setdefault("MMX_WEIGHTS", str(Settings().weights_folder))
    command = [sys.executable, "-P", "-m", "mmxcli", "count", "--json"]
    if chosen.only_read:
        command = [sys.executable, __file__, "--read"]
    if chosen.index:
        command = [sys.executable, "-P", "-m", "mmxcli", "read", "--read", "recall", "--quiet"]
    for size in chosen.sizes:
        number = int(str(SIZE.parse(size)))
        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            for block in text(number):
                file.write(block)
            file.flush()
            print(f"{size:>5} from a file   {peak([*command, file.name])}", flush=True)
        print(f"{size:>5} from a pipe   {peak([*command, '-'], text(number))}", flush=True)


def text(size: int) -> Iterator[bytes]:
    number = 0
    while size > 0:
        lines = []
        length = 0
        while length < BLOCK:
            line = (
                f"Day {number}: the keeper of light {number % 977} saw {number * 7 % 31} ships in the bay.\n".encode()
            )
            lines.append(line)
            length += len(line)
            number += 1
        block = b"".join(lines)[:size]
        size -= len(block)
        yield block


def peak(command: list[str], pipe: Iterator[bytes] | None = None) -> str:
    """Runs it and tells its largest resident memory, that of the largest process where there are several."""
    start = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE if pipe else None,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "MMX_HOME": home},
        ) as child,
    ):
        if pipe and child.stdin:
            for block in pipe:
                child.stdin.write(block)
            child.stdin.close()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
    return f"{usage.ru_maxrss / 1024:7.1f} MiB  {time.perf_counter() - start:7.1f} s  exit code {status >> 8}"


def read(source: str) -> None:
    count = 0
    for document in open_sources([source], stdin=sys.stdin.buffer):
        assert isinstance(document, Document)
        count += sum(len(item.text) for item in document.segments() if isinstance(item, Segment))
    print(f"{count:,} characters")


if __name__ == "__main__":
    main()
