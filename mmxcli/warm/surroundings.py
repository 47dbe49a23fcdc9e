"""What a copy of the warm process cannot take over from a command. Where it differs, the command starts cold."""

import hashlib
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mmxcli import __version__

# What libraries look at once, when they are loaded.
_LOOKED_AT_ONCE = (
    *("LC_", "LANG", "PYTHON", "LD_", "MALLOC_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "DNNL_", "ONEDNN_"),
    *("NUMBA_", "TORCH", "ATEN_", "CUDA_", "RAYON_", "TOKENIZERS_", "HF_", "TRANSFORMERS_"),
)


def surroundings() -> str:
    """A digest of the code that runs, of what the libraries have looked at, and of the limits that this process was
    started under."""
    package = Path(__file__).parent.parent
    environment = sorted((name, value) for name, value in os.environ.items() if name.startswith(_LOOKED_AT_ONCE))
    code = [__version__, sys.version, sys.executable, str(package), *_newest(package)]
    return hashlib.sha256(repr((code, environment, sorted(_limits()))).encode()).hexdigest()


def _newest(folder: Path) -> Iterator[int]:
    """When the code was changed last."""
    for inside, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".py"):
                yield Path(inside, name).stat().st_mtime_ns


def _limits() -> Iterator[tuple[str, object]]:
    for name in dir(resource):
        if name.startswith("RLIMIT_"):
            yield name, resource.getrlimit(getattr(resource, name))
    yield "priority", os.getpriority(os.PRIO_PROCESS, 0)
    if hasattr(os, "sched_getaffinity"):
        yield "cores", sorted(os.sched_getaffinity(0))
    for name in ("mnt", "net", "pid", "user"):
        with suppress(OSError):
            yield name, str(Path(f"/proc/self/ns/{name}").readlink())
