"""What happens to stored states when processes are killed, the disk is full, files change, and many work at once.

    python benchmarks/crashes.py kills [--kills 200]
    python benchmarks/crashes.py bytes [--changes 100000]
    python benchmarks/crashes.py together [--processes 8] [--seconds 180]

`kills`: a small hybrid model reads a text in full in a process of its own, which is killed (SIGKILL) at a random
moment, and again until the text is read; then a longer text that begins alike. In every fourth process the disk takes
no state beyond a few bytes (RLIMIT_FSIZE). After each kill everything that the records name is read, and the next
process must go on from the last checkpoint that the killed one had announced. In the end the state is held against that
of an uninterrupted reading, bit for bit.

`bytes`: changes or cuts a random file of a store at a random place. Each must be noticed, or what is loaded be the
same.

`together`: processes read texts that begin alike, look at their states, and prune and verify the store, all at once.
"""

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from plan import make, pseudo_words

from mmxcli.config import Settings, load_settings
from mmxcli.errors import DamagedError
from mmxcli.reading.corpus import Corpus
from mmxcli.reading.keeper import Keeper
from mmxcli.reading.session import Reading, Session
from mmxcli.state.files import sha256_of, written_aside
from mmxcli.state.model_state import ModelState
from mmxcli.state.record import read_record
from mmxcli.state.saving import check_files, load_snapshot
from mmxcli.state.store import ReadingStore
from mmxcli.tasks.states import prune_states, verify_states

TOKENIZER = "smollm2-135m"
SMALL = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "shared_intermediate_size": 64,
    "num_hidden_layers": 3,
    "layer_types": ["mamba", "attention", "mamba"],
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "mamba_n_heads": 4,
    "mamba_d_head": 32,
    "mamba_d_state": 16,
    "num_local_experts": 2,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kills", "bytes", "together"))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)  # a process that is forked has no other threads
    with tempfile.TemporaryDirectory() as temporary:
        settings = prepared(Path(temporary))
        chance = random.Random(args.seed)
        if args.what == "kills":
            kills(settings, Path(temporary), args.kills, chance)
        elif args.what == "bytes":
            changes(settings, Path(temporary), args.changes, chance)
        else:
            together(settings, Path(temporary), args.processes, args.seconds, args.seed)


def prepared(folder: Path) -> Settings:
    """A small hybrid model, tried once, and the settings to read with it."""
    known = load_settings({}, environ=os.environ, cwd=Path.cwd())
    if os.fork() == 0:
        make("granitemoehybrid", folder / "model", known.weights_folder / TOKENIZER, SMALL)
        os._exit(0)
    os.wait()
    settings = Settings(
        home=folder / "home",
        weights=folder / "weights",
        model=str(folder / "model"),
        read="full",
        chunk=64,
        checkpoint_tokens=256,
        threads=1,
    )
    (folder / "text.txt").write_text("A word or two.")
    read(settings, folder / "text.txt")
    return settings


def read(settings: Settings, *sources: Path) -> Reading:
    with Session(settings) as session:
        for _ in session.open_weights():
            pass
        steps = session.read([str(source) for source in sources], None)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]


def same(one: Reading, other: Reading, *, bits: bool) -> bool:
    """Whether two states are equal; not `bits`: but for the rounding of other cuts."""
    assert one.state and other.state
    for a, b in zip(one.state.layers, other.state.layers, strict=True):
        here, there = a.fixed() | a.grown(0), b.fixed() | b.grown(0)
        for name in here:
            x, y = here[name].float(), there[name].float()
            if not (torch.equal(x, y) if bits else torch.allclose(x, y, atol=0.1, rtol=0.1)):
                return False
    return True


def child(work: Callable[[], None]) -> int:
    """Runs `work` in a process of its own; its id. Exits with 1 and a line when it raises."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is counted
            print(f"  {type(error).__name__}: {error}", flush=True)
            os._exit(1)
        os._exit(0)
    return pid


def kills(settings: Settings, folder: Path, count: int, chance: random.Random) -> None:
    told: Counter[str] = Counter()
    text, words = folder / "text.txt", pseudo_words(4_000)
    text.write_text(words)
    announcements = folder / "announced"
    announced = 0  # tokens of this text that are stored, as a process has said
    started = time.monotonic()
    while told["kills"] < count:
        full = told["processes"] % 4 == 3
        announcements.write_text("0")
        pid = child(lambda announced=announced, full=full: read_on(settings, text, announcements, announced, full))
        ended, killed = followed(pid, chance.uniform(0.05, 3))
        told["processes"] += 1
        told["kills"] += killed
        told["with a full disk"] += full
        told["errors"] += not killed and ended != 0
        announced = max(announced, int(announcements.read_text() or 0))
        inspect(ReadingStore(settings.home), text, announced, told)
        if ended == 0 and not full:
            told["texts read to the end"] += 1
            if told["texts read to the end"] == 1:
                whole = read(settings, text)
                other = read(replace(settings, home=folder / "other"), text)
                told["states unlike an uninterrupted one"] += not same(whole, other, bits=True)
            words += "\n\nCHAPTER 2. More\n\n" + pseudo_words(1_500)
            text.write_text(words)
            announced = 0
    print(f"{time.monotonic() - started:.0f} s: " + ", ".join(f"{value} {name}" for name, value in told.items()))


def read_on(settings: Settings, text: Path, announcements: Path, announced: int, full: bool) -> None:
    """Reads, and announces each checkpoint as a person would see it. `full`: the disk takes nothing."""
    save = Keeper.save

    def announcing(keeper: Keeper, state: ModelState) -> None:
        if full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        save(keeper, state)
        with written_aside(announcements) as aside:
            aside.write_text(str(keeper.stored.read_tokens))

    Keeper.save = announcing  # type: ignore[method-assign]
    reused = read(settings, text).reused_tokens
    if reused < announced:
        raise RuntimeError(f"went on after {reused}, announced were {announced}")


def followed(pid: int, seconds: float) -> tuple[int, bool]:
    """The exit status of a process, and whether it had to be killed after so long."""
    limit, killed = time.monotonic() + seconds, False
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status, killed and os.WIFSIGNALED(status)
        if time.monotonic() > limit and not killed:
            os.kill(pid, signal.SIGKILL)
            killed = True
        time.sleep(0.005)


def inspect(store: ReadingStore, text: Path, announced: int, told: Counter[str]) -> None:
    """Reads everything that the records name."""
    digest = Corpus.open([str(text)], None).digest
    for identifier in store.identifiers():
        record = read_record(store.path(identifier))
        told["snapshots read"] += len(record.snapshots)
        told["damaged"] += len(list(check_files(record.snapshots, store.states)))
        told["lost"] += record.text == digest and record.read_tokens < announced


def changes(settings: Settings, folder: Path, count: int, chance: random.Random) -> None:
    text = folder / "text.txt"
    text.write_text(pseudo_words(600))
    stored = read(settings, text).stored
    store, told = ReadingStore(settings.home), Counter[str]()
    own = [*stored.path.iterdir(), *(store.states / name for name in stored.files)]
    files = {file: file.read_bytes() for file in own}
    states = {snapshot.file: load_snapshot(snapshot, store.states, stored.stream) for snapshot in stored.snapshots}
    for _ in range(count):
        file = chance.choice(list(files))
        content = files[file]
        changed = bytearray(content)
        if chance.random() < 0.1:
            del changed[chance.randrange(len(changed)) :]
        else:
            changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
        file.write_bytes(changed)
        noticed = True
        with suppress(DamagedError):
            found = read_record(stored.path)
            if found.index_sha256 != sha256_of(found.index_path):
                raise DamagedError("index")
            for snapshot in found.snapshots:
                if file.name in snapshot.files:
                    state = load_snapshot(snapshot, store.states, found.stream)
                    for a, b in zip(state.layers, states[snapshot.file].layers, strict=True):
                        here, there = a.fixed() | a.grown(0), b.fixed() | b.grown(0)
                        told["used though changed"] += not all(torch.equal(here[name], there[name]) for name in here)
            noticed = False
        told["noticed" if noticed else "harmless"] += 1
        file.write_bytes(content)
    print(f"{count} changes to {len(files)} files: " + ", ".join(f"{value} {name}" for name, value in told.items()))


def together(settings: Settings, folder: Path, processes: int, seconds: float, seed: int) -> None:
    texts, references, words = [], [], ""
    for number in range(6):
        words += f"\n\nCHAPTER {number}. Words\n\n" + pseudo_words(500 + 150 * number)
        path = folder / f"{number}.txt"
        path.write_text(words)
        texts.append(path)
        references.append(read(replace(settings, home=folder / f"reference{number}"), path))
    until = time.monotonic() + seconds
    counts = folder / "counts"
    counts.mkdir()

    def work(number: int) -> None:
        chance, told = random.Random(seed + number), Counter[str]()
        while time.monotonic() < until:
            action = chance.choice(("read", "read", "read", "prune", "verify"))
            if action == "read":
                which = chance.randrange(len(texts))
                reading = read(settings, texts[which])
                told["tokens reused"] += reading.reused_tokens
                told["tokens read"] += reading.stored.tokens - reading.reused_tokens
                if not same(reading, references[which], bits=False):
                    raise RuntimeError(f"a wrong state of text {which}")
            elif action == "prune":
                limit = chance.choice((1, 200_000, 2_000_000))
                told["pruned"] += len(prune_states(replace(settings, size_limit=limit)))
            else:
                told["verified"] += len(list(verify_states(settings, [])))
            told[action] += 1
        (counts / str(number)).write_text(json.dumps(told))

    pids = [child(lambda number=number: work(number)) for number in range(processes)]  # type: ignore[misc]
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in pids)
    total: Counter[str] = Counter()
    for file in counts.iterdir():
        total.update(Counter(json.loads(file.read_text())))
    print(f"{processes} processes, {failed} failed: " + ", ".join(f"{value} {name}" for name, value in total.items()))


if __name__ == "__main__":
    main()
