"""Numba, made ready: for this processor, with a folder for what it compiles."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from mmxcli.errors import ModelError
from mmxcli.models.files import locked, private_folder


def load_compiler() -> Path:
    """Comes before whatever is to be compiled is imported. The folder of what was compiled before."""
    import llvmlite.binding
    import numba

    folder = Path(numba.config.CACHE_DIR or _private())
    numba.config.CACHE_DIR = str(folder)  # before the functions are made that it is for
    from mmxcli.models.lanes import UNHINDERED, features, is_wide

    if is_wide():
        numba.config.CPU_NAME = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
        numba.config.CPU_FEATURES = features().removesuffix(UNHINDERED) + UNHINDERED
    return folder


def first_run(run: Callable[[], object], folder: Path) -> None:
    """Runs what is compiled by it, or loaded. What was compiled can be damaged, as after a power loss, and Numba loads
    it unseen: whatever goes wrong, all that is kept is thrown away, and it is done once more.

    One process at a time: Numba counts the files of a function's variants by an index that it reads, changes and writes
    again, so of two processes one can keep its code under the name of another variant. Where the folder cannot be
    written to nothing is kept, and nobody is waited for."""
    with ExitStack() as alone:
        with suppress(ModelError, OSError):
            folder.mkdir(parents=True, exist_ok=True)
            alone.enter_context(locked(folder / "compiled.lock", lambda: None))
        try:
            run()
        except Exception:  # noqa: BLE001 - anything can come of damaged code
            for left in folder.glob("*/*.nb[ci]"):
                left.unlink(missing_ok=True)
            run()


def compiles(run: Callable[[], object], folder: Path) -> bool:
    """Whether `first_run` succeeds, and is allowed: for what torch does as well, if more slowly."""
    import numba

    if numba.config.DISABLE_JIT:  # somebody debugs
        return False
    try:
        first_run(run, folder)
    except Exception:  # noqa: BLE001 - a compiler on a machine that nobody has seen
        return False
    return True


@contextmanager
def as_many_threads() -> Iterator[None]:
    """What is compiled uses as many threads as torch. Numba's first use of its own changes how many torch has, where
    both use the same library for them: torch has as many as before afterwards."""
    import numba
    import torch

    threads = torch.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    yield
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def _private() -> Path:
    """Numba runs what it finds in its folder, so nobody else may write to it: where that is not so, it is a folder for
    this process alone."""
    folder = private_folder(user_cache_path("mmx") / "compiled")
    about = folder.stat()
    if about.st_uid == os.getuid() and not about.st_mode & 0o022:
        return folder
    own = Path(tempfile.mkdtemp(prefix="mmx-compiled-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own
