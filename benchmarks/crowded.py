"""Reading and writing while other programs want the same cores, by how long idle threads look for more to do.

    python benchmarks/crowded.py [--model qwen2.5-coder-0.5b] [--others 0 2 6] [--rounds 2]

So many other processes count without end. Each time is taken in a process of its own, in turn: with what mmx sets
(mmxcli/libraries.py) and with what libgomp does by itself. Needs the weights in 8 bits: `mmx ask` makes them.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from mmxcli.config import load_settings
from mmxcli.libraries import SPINS
from mmxcli.models.threads import threads
from mmxcli.models.weights import locate
from mmxcli.models.writing import fast_writer, place

PROMPT, WRITTEN = 512, 16  # tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--others", type=int, nargs="+", default=[0, 2, 6])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(once(args.model))
        return
    plain = {name: value for name, value in os.environ.items() if name not in SPINS}
    for others in args.others:
        with busy(others):
            for _ in range(args.rounds):
                for way, environment in (("mmx", plain | SPINS), ("libgomp", plain)):
                    command = [sys.executable, __file__, "--once", "--model", args.model]
                    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                    print(f"{others} others, {way}: {done.stdout.strip()}", flush=True)


def once(model: str) -> str:
    settings = load_settings({"model": model}, environ=os.environ, cwd=Path.cwd())
    weights = locate(model, settings.weights_folder)
    file = place(settings.weights_folder, weights.identity)
    writer = fast_writer(missing, weights.path, file, threads(settings.threads))
    assert writer
    writing = writer.begin([[]])
    start = time.perf_counter()
    writing.read([[number * 7919 % 5000 for number in range(PROMPT)]])
    read = PROMPT / (time.perf_counter() - start)
    start = time.perf_counter()
    for number in range(WRITTEN):
        writing.step([[number]])
        writing.keep([1])
    return f"read {read:.0f} tokens/s, write {WRITTEN / (time.perf_counter() - start):.1f} tokens/s"


def missing() -> NoReturn:
    raise SystemExit("the weights in 8 bits are not there: ask something first")


@contextmanager
def busy(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
