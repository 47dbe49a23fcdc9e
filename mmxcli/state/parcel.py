"""A reading as one file, to be taken to another machine: a tar, not compressed, of its files."""

import re
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from mmxcli.errors import DamagedError
from mmxcli.state.files import written_aside
from mmxcli.state.record import INDEX, RECORD

STATE = re.compile(r"(state|pages)-[0-9a-f]{32}\.safetensors")


def pack(files: Iterable[Path], target: Path) -> None:
    """Writes `files`, of any size, into `target`, for its owner alone. Raises OSError."""
    with written_aside(target) as aside, tarfile.open(aside, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in files:
            with path.open("rb") as content:
                about = tarfile.TarInfo(path.name)
                about.size, about.mode, about.mtime = path.stat().st_size, 0o600, int(path.stat().st_mtime)
                tar.addfile(about, content)


def unpack(file: Path, folder: Path) -> None:
    """Writes what `pack` has packed into `folder`, which is empty. Nothing else can come of it: other names, links,
    folders and twins are refused.

    Raises DamagedError for a file that `pack` has not written, OSError for one that cannot be read.
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
                with (folder / member.name).open("xb") as target:
                    (folder / member.name).chmod(0o600)
                    shutil.copyfileobj(content, target)
                if (folder / member.name).stat().st_size != member.size:
                    raise strange
    except (tarfile.TarError, ValueError, OverflowError, UnicodeError):
        raise strange from None
    if not {RECORD, INDEX} <= seen:
        raise strange
