"""How fast this machine reads and writes with a model: mmx beside transformers and llama.cpp, in turn in one run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmxcli.config import Settings
from mmxcli.errors import MmxError, UsageError
from mmxcli.libraries import untold
from mmxcli.models.speeds import PIECE, WRITES, WRITTEN, Job, reads, reads_at
from mmxcli.models.threads import threads
from mmxcli.models.writing import place
from mmxcli.reading.session import Session
from mmxcli.tasks.events import Event, Note

LENGTHS = (512, 2_048)
START, PEAK = f"first word, prompt of {PIECE}", "peak memory"
TEXT = "".join(f"Item {number} is kept in room {number * 7 % 997} of the house.\n" for number in range(4_000))
QUESTION = "In which room is item 1234 kept?"


@dataclass(frozen=True, slots=True)
class Measured:
    """One thing that was done, by every engine that can: `values` in the order of the rounds, in `unit`."""

    name: str
    unit: str
    values: dict[str, tuple[float, ...]]

    def best(self, engine: str) -> float:
        return (max if self.unit == "tokens/s" else min)(self.values[engine])

    def times_as_good(self, engine: str) -> float | None:
        """mmx against another engine, best to best; above 1 mmx is better. None where one of them was not measured."""
        if "mmx" not in self.values or engine not in self.values:
            return None
        ratio = self.best("mmx") / self.best(engine)
        return ratio if self.unit == "tokens/s" else 1 / ratio


@dataclass(frozen=True, slots=True)
class Bench:
    """Engines are mmx, transformers, and llama.cpp with the name of its file. `window` is that of mmx."""

    model: str
    engines: tuple[str, ...]
    threads: int
    window: int | None
    rounds: int
    measured: tuple[Measured, ...]


def bench(
    settings: Settings,
    depths: Sequence[int],
    rounds: int,
    *,
    transformers: bool = True,
    llama_bench: str | None = None,
    ggufs: Sequence[Path] = (),
) -> Generator[Event, None, Bench]:
    """Each engine in processes of its own, one after the other, `rounds` times.

    Raises UsageError when llama.cpp was asked for and is not there, MmxError when an engine fails.
    """
    program = shutil.which(llama_bench or "llama-bench")
    if (llama_bench or ggufs) and not program:
        raise UsageError(f"{llama_bench or 'llama-bench'} is not a program that can be run")
    for gguf in ggufs:
        if not gguf.is_file():
            raise UsageError(f"{gguf} is not a file")
    with Session(settings) as session:
        yield from session.open_weights()
        policy = session.policy
        window = policy.window(max((*LENGTHS, *depths)) + PIECE)
        file = place(settings.weights_folder, session.weights.identity)
        if policy.writes_in_8_bits(0):
            yield from session.prepare_writing()  # made once, and not part of what is timed
        job = Job(
            engine="mmx",
            folder=str(session.weights.path),
            file=str(file) if file.exists() else "",
            lengths=LENGTHS,
            depths=tuple(depths),
            window=window,
            chunk=policy.chunk,
            threads=threads(settings.threads),
            quant=session.quant,
            device=settings.device,
        )
    if program and not ggufs:
        yield Note(f"{program} is left out: name the model's file for it with --gguf")
    names = ["mmx", *(["transformers"] if transformers else []), *(f"llama.cpp {gguf.name}" for gguf in ggufs)]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    files = dict(zip(names[len(names) - len(ggufs) :], ggufs, strict=True))
    for number in range(rounds):
        for name in names:
            yield Note(f"round {number + 1} of {rounds}: {name}")
            if name in files:
                assert program
                runs[name].append(_llama(program, files[name], job))
            else:
                runs[name].append(_ours(settings, replace(job, engine=name)))
    kinds = [*map(reads, LENGTHS), *map(reads_at, depths), WRITES, START, PEAK]
    units = {START: "s", PEAK: "bytes"}
    measured = []
    for kind in kinds:
        values = {name: tuple(run[kind] for run in done) for name, done in runs.items() if kind in done[0]}
        measured.append(Measured(kind, units.get(kind, "tokens/s"), values))
    return Bench(session.weights.name, tuple(names), job.threads, window, rounds, tuple(measured))


@dataclass(frozen=True, slots=True)
class _Run:
    """Of one process: what it printed, how long it took, and its largest resident set."""

    printed: str
    seconds: float
    peak_bytes: float


def _ours(settings: Settings, job: Job) -> dict[str, float]:
    """What mmx or transformers reaches, in a process of its own, and how long another takes until its first word."""
    command = [sys.executable, "-P", "-m", "mmxcli.models.speeds"]
    ours = job.engine == "mmx"
    run = _run([*command, job.as_argument()], ours=ours)
    only_first = replace(job, only_first=True).as_argument()
    first = _asked(settings) if ours else _run([*command, only_first], ours=False)
    speeds: dict[str, float] = json.loads(run.printed.splitlines()[-1])
    return speeds | {PEAK: run.peak_bytes, START: first.seconds}


def _asked(settings: Settings) -> _Run:
    """From the command line to the answer of a second question."""
    with tempfile.TemporaryDirectory(prefix="mmx-bench-") as home:
        text = Path(home) / "text.txt"
        text.write_text(TEXT, encoding="utf-8")
        environment = {"MMX_HOME": home, "MMX_WEIGHTS": str(settings.weights_folder)}
        command = [sys.executable, "-P", "-m", "mmxcli", "ask", str(text), QUESTION, "-m", settings.model]
        command += ["--read", "recall", "--max-tokens", "1", "--device", settings.device, "--quiet"]
        _run(command, environment)
        return _run(command, environment)


def _llama(program: str, gguf: Path, job: Job) -> dict[str, float]:
    """By llama.cpp's own benchmark, a process for each depth."""
    arguments = [program, "-m", str(gguf), "-t", str(job.threads), "-r", "1", "-o", "json"]
    found = {PEAK: 0.0}

    def speeds(*more: str) -> list[dict[str, float]]:
        run = _run([*arguments, *more], ours=False)
        found[PEAK] = max(found[PEAK], run.peak_bytes)
        said: list[dict[str, float]] = json.loads(run.printed)
        return said

    lengths = ",".join(map(str, job.lengths))
    found |= {reads(int(one["n_prompt"])): one["avg_ts"] for one in speeds("-p", lengths, "-n", "0")}
    for depth in job.depths:
        found[reads_at(depth)] = speeds("-p", str(PIECE), "-n", "0", "-d", str(depth))[0]["avg_ts"]
    found[WRITES] = speeds("-p", "0", "-n", str(WRITTEN), "-d", str(PIECE))[0]["avg_ts"]
    return found


def _run(command: Sequence[str], more: Mapping[str, str] | None = None, *, ours: bool = True) -> _Run:
    """Raises MmxError, with the last line of what the program said, when it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as complaints:
        environment = {**(os.environ if ours else untold(os.environ)), **(more or {})}
        program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=complaints)
        try:
            assert program.stdout
            printed = program.stdout.read().decode(errors="replace")
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            program.kill()
            raise
        spent = time.perf_counter() - start
        if program.returncode:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            raise MmxError(f"{Path(command[0]).name} failed: {said[-1] if said else program.returncode}")
    return _Run(printed, spent, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
