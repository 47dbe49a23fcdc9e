"""A reading as one file, to be taken to another machine: a tar, not compressed, of its files."""

import errno
import os
import re
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from mmxcli.errors import DamagedError, MmxError
from mmxcli.state.files import flush, written_aside
from mmxcli.state.record import INDEX, RECORD

STATE = re.compile(r"(state|pages)-[0-9a-f]{32}\.safetensors")


def pack(files: Iterable[Path], target: Path) -> None:
    """Writes `files`, of any size, into `target`, for its owner alone. Raises OSError."""
    with written_aside(target) as aside, tarfile.open(aside, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in files:
            with path.open("rb") as content:
                about, there = tarfile.TarInfo(path.name), os.fstat(content.fileno())
                about.size, about.mode, about.mtime = there.st_size, 0o600, int(there.st_mtime)
                tar.addfile(about, content)


def unpack(file: Path, folder: Path) -> None:
    """Writes what `pack` has packed into `folder`, which is empty. Nothing else can come of it: other names, links,
    folders and twins are refused.

    Raises DamagedError for a file that `pack` has not written, OSError for one that cannot be read, MmxError where
    `folder` has no room for it.
    """
    strange = DamagedError(f"{file} is no reading that mmx has exported, or was cut short")
    seen = set()
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
                known = member.name in (RECORD, INDEX) or STATE.fullmatch(member.name)
                if content is None or not known or member.name in seen:
                    raise strange
                seen.add(member.name)
                path = folder / member.name
                with path.open("xb") as target:
                    path.chmod(0o600)
                    shutil.copyfileobj(content, target)
                flush(path)
                if path.stat().st_size != member.size:
                    raise strange
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MmxError(f"{folder.parent} has no room for {file}: free some space") from None
        raise
    except (tarfile.TarError, ValueError, OverflowError, UnicodeError):
        raise strange from None
    if not {RECORD, INDEX} <= seen:
        raise strange
