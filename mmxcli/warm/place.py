"""Where the warm process is found: a folder that nobody else can enter, with its socket, its lock and its log."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

SOCKET, LOCK, LOG = "warm.sock", "warm.lock", "warm.log"


def folder(*, create: bool = False) -> Path | None:
    """The folder, where it is a folder of this user's alone; None where it is not, or not there and not to be made."""
    place = _parent() / f"mmx-{os.getuid()}"
    with suppress(OSError):
        if create:
            place.mkdir(mode=0o700, exist_ok=True)
        about = place.lstat()  # a link of somebody else's would lead anywhere
        if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o077:
            return place
    return None


def _parent() -> Path:
    """What the system keeps for this user while they are logged in, or for temporary files."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) if runtime and Path(runtime).is_dir() else Path(tempfile.gettempdir())
