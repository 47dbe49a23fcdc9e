"""Files that hold people's text: private, and never half-written."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Makes a folder, and those above it that are missing, for its owner alone (0700)."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Gives an empty private file beside `path`; what is written there is flushed to disk and takes the place of
    `path` when the block ends well, and is removed when it does not."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(descriptor)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o600)  # whoever wrote it may have made it anew
        flush(aside)
        aside.replace(path)
        flush(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def passing_folder(parent: Path | None, prefix: str) -> Iterator[Path]:
    """A private folder that is gone after the block, in `parent`, by default where temporary files belong. What
    processes that were killed have left there is removed first."""
    parent = parent or Path(tempfile.gettempdir())
    remove_abandoned(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Removes the folders `<prefix>-<process id>-…` whose process is not there any more."""
    import psutil

    for left in parent.glob(f"{prefix}-*-*"):
        owner = left.name.removeprefix(f"{prefix}-").split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def sizes_in(folder: Path, names: Iterable[str] | None = None) -> dict[str, int]:
    """Bytes of the files in `folder`, or of those of these names, that are there and that no other process removes at
    this moment."""
    found = {}
    with suppress(FileNotFoundError):
        for name in names if names is not None else [file.name for file in folder.iterdir()]:
            with suppress(FileNotFoundError):
                about = (folder / name).stat()
                if stat.S_ISREG(about.st_mode):
                    found[name] = about.st_size
    return found


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
