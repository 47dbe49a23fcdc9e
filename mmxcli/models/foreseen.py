"""The forecasts that were made on this machine. Making one takes torch and some seconds: it is good for a day."""

import hashlib
import json
import math
import platform
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from mmxcli import __version__
from mmxcli.errors import DamagedError
from mmxcli.models.anatomy import Quant
from mmxcli.models.blueprint import Blueprint
from mmxcli.models.files import write
from mmxcli.models.small_files import read_json

FILE = "forecasts.json"
GOOD_S = 24 * 3600  # seconds: a machine that was busy while it was measured is not believed for longer
MOST = 64  # forecasts that are kept


@dataclass(frozen=True, slots=True)
class Point:
    """Seconds for a chunk when `depth` tokens were read before."""

    depth: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """`chunk` is in tokens. Between the points a chunk's time is a straight line; after the last it grows by `slope`
    seconds a token. `activation_bytes`: of the tensors that a chunk has at once, beside weights and state. `begin_s`:
    seconds that the first chunks of a process take longer."""

    chunk: int
    points: tuple[Point, ...]
    slope: float
    activation_bytes: int
    begin_s: float = 0.0

    def chunk_seconds(self, depth: float) -> float:
        """For a whole chunk after `depth` tokens."""
        last = self.points[-1]
        if depth >= last.depth:
            return last.seconds + self.slope * (depth - last.depth)
        for left, right in pairwise(self.points):
            if depth < right.depth:
                share = max(0.0, depth - left.depth) / (right.depth - left.depth)
                return left.seconds + share * (right.seconds - left.seconds)
        return last.seconds

    def seconds(self, tokens: int) -> float:
        """To read so many tokens from nothing: the area under the line, each chunk counted at its own beginning."""
        start, end = -self.chunk / 2, tokens - self.chunk / 2
        edges = [start, *(point.depth for point in self.points if start < point.depth < end), end]
        areas = (
            (right - left) * (self.chunk_seconds(left) + self.chunk_seconds(right)) / 2
            for left, right in pairwise(edges)
        )
        return sum(areas) / self.chunk + (self.begin_s if tokens else 0.0)


def foreseen(
    blueprint: Blueprint,
    quant: Quant,
    window: int | None,
    store: str,
    chunk: int,
    *,
    folder: Path,
    threads: int,
    anew: bool = False,
) -> Forecast:
    """What `forecast` gives with so many threads; unless it is wanted `anew`, as it is kept in `folder`, where it is
    kept now."""
    file = folder / FILE
    what = [blueprint.config, blueprint.dtype, quant, window, store, chunk, threads]
    key = _key(*map(repr, what))
    known = _known(file)
    if key in known and not anew:
        return known[key][1]
    import torch

    from mmxcli.models.forecast import forecast

    torch.set_num_threads(threads)
    made = forecast(blueprint, quant, window, store, chunk)
    latest = sorted({**known, key: (time.time(), made)}.items(), key=lambda item: item[1][0])[-MOST:]
    with suppress(OSError):  # then it is made again
        write(file, [json.dumps({name: asdict(one) | {"at": at} for name, (at, one) in latest}).encode()])
    return made


def _key(*parts: str) -> str:
    """Of everything that a forecast depends on: who computes, and where."""
    from importlib.metadata import version

    machine = (platform.node(), platform.machine(), platform.processor())
    who = (__version__, version("torch"), version("transformers"), *machine)
    return hashlib.sha256(repr((*who, *parts)).encode()).hexdigest()[:32]


def _known(file: Path) -> dict[str, tuple[float, Forecast]]:
    """Those that are still good, and when they were made; none when the file cannot be understood."""
    now = time.time()
    try:
        found = {key: _read(value) for key, value in read_json(file).items()}
    except (OSError, DamagedError, ValueError, TypeError, KeyError, OverflowError):
        return {}
    return {key: (at, one) for key, (at, one) in found.items() if 0 <= now - at < GOOD_S}


def _read(value: Any) -> tuple[float, Forecast]:
    """Raises ValueError, TypeError, KeyError or OverflowError where it is none."""
    points = tuple(Point(_number(point["depth"]), _number(point["seconds"])) for point in value["points"])
    if not points or value["chunk"] < 1 or any(left.depth >= right.depth for left, right in pairwise(points)):
        raise ValueError
    slope, begin_s = _number(value["slope"]), _number(value["begin_s"])
    one = Forecast(int(value["chunk"]), points, slope, int(value["activation_bytes"]), begin_s)
    return _number(value["at"]), one


def _number(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError
    return number
