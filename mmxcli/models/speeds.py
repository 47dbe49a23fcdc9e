"""How fast a model reads and writes, by mmx's code or by transformers': one engine in a process of its own.

    python -m mmxcli.models.speeds '{"engine": "mmx", "folder": …}'

prints one JSON object: tokens a second by what was done.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

PIECE = 512  # tokens that are timed at a depth; the prompt that writing follows
WRITTEN = 32  # tokens whose writing is timed
WARMING = 64  # tokens that are read before anything is timed


@dataclass(frozen=True, slots=True)
class Job:
    """`engine`: mmx or transformers. `lengths`: texts read from their beginning; `depths`: places at which the next
    PIECE tokens are timed. `file`: that of the weights in 8 bits (models/writing.py). `only_first`: no more than one
    token after a prompt, for the time of the whole process."""

    engine: str
    folder: str
    file: str
    lengths: tuple[int, ...]
    depths: tuple[int, ...]
    window: int | None
    chunk: int
    threads: int
    quant: str
    device: str = "cpu"
    only_first: bool = False

    def as_argument(self) -> str:
        return json.dumps(asdict(self))


def reads(length: int) -> str:
    return f"read {length:,}"


def reads_at(depth: int) -> str:
    return f"read {PIECE:,} at {depth:,}"


WRITES = f"write {WRITTEN} after {PIECE:,}"


def measure(job: Job) -> dict[str, float]:
    """Tokens a second by what was done."""
    import torch

    torch.set_num_threads(job.threads)
    engine = _Mmx(job) if job.engine == "mmx" else _Transformers(job)
    if job.only_first:
        engine.write(_ids(engine.vocabulary, PIECE), 1)
        return {}
    engine.new_reader()(_ids(engine.vocabulary, WARMING))
    found = dict(_reading(engine.new_reader(), engine.vocabulary, job))
    found[WRITES] = WRITTEN / engine.write(_ids(engine.vocabulary, PIECE), WRITTEN)
    return found


def _reading(read: Callable[[Sequence[int]], None], vocabulary: int, job: Job) -> Iterator[tuple[str, float]]:
    """One text, read once as far as the deepest of what is asked for."""
    marks = sorted({*job.lengths, *job.depths, *(depth + PIECE for depth in job.depths)})
    ids, start, spent, there = _ids(vocabulary, max(marks, default=0)), 0, 0.0, 0.0
    for mark in marks:
        begun = time.perf_counter()
        for at in range(start, mark, job.chunk):
            read(ids[at : min(mark, at + job.chunk)])
        spent += time.perf_counter() - begun
        if mark in job.lengths:
            yield reads(mark), mark / spent
        if mark - PIECE in job.depths:
            yield reads_at(mark - PIECE), PIECE / (spent - there)
        if mark in job.depths:
            there = spent
        start = mark


def _ids(vocabulary: int, count: int) -> list[int]:
    """Tokens without sense, the same every time."""
    return [(number * 7919 + 13) % min(vocabulary, 30_000) for number in range(count)]


class _Mmx:
    def __init__(self, job: Job) -> None:
        from mmxcli.models.anatomy import Quant
        from mmxcli.models.load import load_model
        from mmxcli.models.writing import Writer, writer

        self._model = load_model(Path(job.folder), quant=cast(Quant, job.quant), device=job.device)
        self._job = job
        self.vocabulary = _vocabulary(job.folder)
        self._writer = Writer(lambda: self._model)
        if job.quant == "none" and job.file:
            self._writer = writer(lambda: self._model, Path(job.folder), Path(job.file), job.threads)

    def new_reader(self) -> Callable[[Sequence[int]], None]:
        state = self._model.new_state(self._job.window)

        def read(ids: Sequence[int]) -> None:
            self._model.advance(state, ids)
            _wait(self._job.device)

        return read

    def write(self, prompt: Sequence[int], count: int) -> float:
        """Seconds for so many tokens, one a step."""
        writing = self._writer.begin(1, [prompt[:-1]], self._job.chunk)
        token, start = prompt[-1], time.perf_counter()
        for _ in range(count):
            token = int(writing.step([[token]]).argmax())
            writing.keep([1])
        return time.perf_counter() - start


class _Transformers:
    def __init__(self, job: Job) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self._device = job.device
        model: Any = AutoModelForCausalLM.from_pretrained(job.folder, dtype=torch.bfloat16).eval()
        self._model = model.to(job.device)
        self.vocabulary = _vocabulary(job.folder)

    def new_reader(self) -> Callable[[Sequence[int]], None]:
        cache: Any = None

        def read(ids: Sequence[int]) -> None:
            nonlocal cache
            cache = self._step(ids, cache)[0]

        return read

    def _step(self, ids: Sequence[int], cache: Any) -> tuple[Any, int]:
        import torch

        with torch.inference_mode():
            given = torch.tensor([list(ids)], device=self._device)
            found = self._model(given, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return found.past_key_values, int(found.logits[0, -1].argmax())

    def write(self, prompt: Sequence[int], count: int) -> float:
        cache, _ = self._step(prompt[:-1], None)
        token, start = prompt[-1], time.perf_counter()
        for _ in range(count):
            cache, token = self._step([token], cache)
        return time.perf_counter() - start


def _wait(device: str) -> None:
    """Until it is done: a GPU works on while the processor goes on."""
    if device != "cpu":
        import torch

        torch.cuda.synchronize()


def _vocabulary(folder: str) -> int:
    from mmxcli.models.checkpoint import vocabulary_size
    from mmxcli.models.small_files import read_json

    return vocabulary_size(read_json(Path(folder) / "config.json")) or 1000


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Job(**json.loads(sys.argv[1])))) + "\n")
