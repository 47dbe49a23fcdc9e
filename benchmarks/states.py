"""What a stored state saves, and what storing it costs.

    python benchmarks/states.py ask TEXT "first question" "second question" [--model NAME]
    python benchmarks/states.py read [--family granitemoehybrid] [--tokens 8192] [--every 1024]
    python benchmarks/states.py disk [--snapshots 100] [--every 16384]

`ask`: the command, twice, each in a process of its own; of the second, the seconds beside loading and writing.

`read`: a random hybrid model of about 100 million parameters reads a text in full; what share of the time goes into
storing states? Another process then restores the last, and both answer a question: token for token the same?

`disk`: a state with keys and values of every token grows, and is stored again and again; what all of it takes, beside
the last state alone. Contents are random, since only their size matters.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

from plan import alone, make, outcome, pseudo_words

from mmxcli.config import Settings, load_settings
from mmxcli.reading.answering import gather, write
from mmxcli.reading.session import Session

TOKENIZER = "smollm2-135m"
QUESTION = "Which word comes first?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("ask", "read", "disk"))
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--family", default="granitemoehybrid")
    parser.add_argument("--tokens", type=int, default=8_192)
    parser.add_argument("--snapshots", type=int, default=100)
    parser.add_argument("--every", type=int)
    args = parser.parse_args()
    known = load_settings({}, environ=os.environ, cwd=Path.cwd())
    with tempfile.TemporaryDirectory() as temporary:
        if args.what == "ask":
            ask(Path(temporary), known, args.model, *args.arguments)
        elif args.what == "read":
            hybrid(Path(temporary), known, args.family, args.tokens, args.every or 1_024)
        else:
            alone(disk, Path(temporary), args.snapshots, args.every or 16_384)


def ask(home: Path, known: Settings, model: str, text: str, *questions: str) -> None:
    for question in questions:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "mmxcli", "ask", text, question, "-m", model, "--json"],
            env=os.environ | {"MMX_HOME": str(home), "MMX_WEIGHTS": str(known.weights_folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        seconds, answer = time.perf_counter() - start, json.loads(done.stdout)
        timing, tokens = answer["timing"], answer["coverage"]["tokens"]
        print(
            f"{seconds:6.2f} s in all: finding or reading {timing['read_s']:.2f} s, recall {timing['recall_s']:.2f}, "
            f"loading {timing['load_s']:.2f}; {answer['state']['reused_tokens']:,} of {tokens:,} tokens were there",
            flush=True,
        )


def hybrid(folder: Path, known: Settings, family: str, tokens: int, every: int) -> None:
    alone(make, family, folder / "model", known.weights_folder / TOKENIZER)
    text = folder / "text.txt"
    text.write_text(pseudo_words(tokens))
    settings = replace(known, model=str(folder / "model"), weights=folder / "weights", read="full", size_limit=None)
    short = folder / "short.txt"
    short.write_text(pseudo_words(40))
    alone(whole, replace(settings, home=folder / "first"), short)  # tries the checkpoint, once
    home = replace(settings, home=folder / "home", checkpoint_tokens=every)
    first, second = alone(whole, home, text), alone(whole, home, text)
    sizes = [file.stat().st_size for file in (folder / "home" / "states").iterdir()]
    print(f"{family}, {first['tokens']:,} tokens, {first['snapshots']} states, {sum(sizes) / 2**20:.0f} MiB")
    print(f"read in {first['read_s']:.2f} s, of which storing took {first['stored_s'] / first['read_s']:.2%}")
    print(f"restored in {second['read_s']:.2f} s: {second['read_s'] / first['read_s']:.2%} of reading")
    same = first["answer"] == second["answer"] and second["reused"] == first["tokens"]
    print(f"the answers are {'the same' if same else 'NOT the same'}, {len(first['answer'])} characters")


def whole(settings: Settings, text: Path) -> dict[str, Any]:
    """Reads, or restores, and answers; the seconds without loading the weights."""
    from mmxcli.reading.keeper import Keeper

    save, stored = Keeper.save, [0.0]

    def timed(keeper: Keeper, state: Any) -> None:
        start = time.perf_counter()
        save(keeper, state)
        stored[0] += time.perf_counter() - start

    Keeper.save = timed  # type: ignore[method-assign]
    with Session(settings) as session:
        deque(session.open_weights())
        _ = session.model
        reading = outcome(session.read([str(text)], None))
        for _ in session.prepare_writing():
            pass
        (answer,) = write(session, reading, [(QUESTION, gather(reading, QUESTION, 3))])
    return {
        "read_s": reading.read_s,
        "stored_s": stored[0],
        "tokens": reading.stored.tokens,
        "reused": reading.reused_tokens,
        "snapshots": len(reading.stored.snapshots),
        "answer": answer,
    }


def disk(folder: Path, snapshots: int, every: int) -> None:
    import torch

    from mmxcli.state.fixed import RecurrentState
    from mmxcli.state.maker import Maker
    from mmxcli.state.mixed import MixedState
    from mmxcli.state.model_state import ModelState
    from mmxcli.state.pages import PagedState
    from mmxcli.state.saving import save_snapshot
    from mmxcli.state.store import ReadingStore, StoredReading

    sums = [RecurrentState({"sums": torch.randn(24, 64, 128)}) for _ in range(10)]
    pages = [PagedState() for _ in range(2)]
    state = ModelState([*sums, *(MixedState({"attention": page}) for page in pages)])
    store = ReadingStore(folder / "home")
    with store.building() as building:
        (building / "recall.sqlite").write_bytes(b"")
        maker = Maker("0", 0, "", "full")
        total = snapshots * every
        reading = StoredReading("a", store.path("a"), "", maker, ("a",), "a", "full", "hybrid", total, 0, 0, False, 0.0)
        store.adopt(building, reading)
    last, seconds = None, 0.0
    for number in range(1, snapshots + 1):
        for page in pages:
            page.append(*torch.randn(2, 4, every, 64).bfloat16())
        state.chain.extend([number] * every)
        state.position += every
        start = time.perf_counter()
        last = store.keep(reading, state, last, state.position)
        seconds += time.perf_counter() - start
    sizes = sum(file.stat().st_size for file in store.states.iterdir())
    (folder / "alone").mkdir()
    save_snapshot(state, folder / "alone", "alone")
    one = sum(file.stat().st_size for file in (folder / "alone").iterdir())
    left = store.get("a")
    assert left is not None
    print(f"{snapshots} states stored, {state.position:,} tokens, {len(left.snapshots)} kept")
    print(f"{seconds / snapshots:.3f} s to store one")
    print(f"{sizes / 2**20:.0f} MiB; the last state alone {one / 2**20:.0f} MiB: {sizes / one:.3f}")


if __name__ == "__main__":
    main()
