"""Files that hold people's text: private, and never half-written."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Makes a folder, and those above it that are missing, for its owner alone (0700)."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`; what is written there is flushed to disk and takes the place of
    `path` when the block ends well, and is removed when it does not."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        aside.chmod(0o600)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        aside.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
