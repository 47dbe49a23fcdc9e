"""A repository as it was at a commit, read from git's objects: `repo@v1.2`."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mmxcli.errors import InputError
from mmxcli.sources.folder import is_readme
from mmxcli.sources.parts import MOST_MEMBERS
from mmxcli.sources.passed import HIDDEN, PassedOver
from mmxcli.sources.segment import Gap, Remark
from mmxcli.sources.spool import Slice, Spool

# Nothing of a stranger's repository is run, and nothing of the person's own settings changes what comes.
_CAREFULLY = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never")
_KINDS = {b"120000": "a symbolic link", b"160000": "a submodule"}


def split(source: str) -> tuple[Path, str] | None:
    """Repository and revision, where that is what the name means; None where it names something on the disk."""
    folder, at, revision = source.rpartition("@")
    if not at or not folder or not revision or os.path.lexists(source):
        return None
    path = Path(folder)
    within = (path / ".git", path / "HEAD", path / "objects")
    return (path, revision) if within[0].exists() or (within[1].is_file() and within[2].is_dir()) else None


def at_revision(source: str, names: set[str]) -> Iterator[Slice | Gap | Remark]:
    """The files of the commit, by their names, its README first; Remarks count hidden ones. `names`, in the commit, are
    added before any comes. Raises InputError where there is no such commit, or no git; MmxError where the disk is
    full."""
    found = split(source)
    assert found
    path, revision = found
    git = shutil.which("git")
    if git is None:
        raise InputError(f"{source}: git is needed to read a revision; install it, or name the folder alone")
    command = [git, *_CAREFULLY, "-C", str(path)]
    options = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    commit = subprocess.run([*command, *options], capture_output=True, check=False)
    if commit.returncode:
        raise InputError(f"{source}: the repository has no commit {revision}")
    listing = subprocess.run([*command, "ls-tree", "-rz", commit.stdout.strip()], capture_output=True, check=False)
    if listing.returncode:
        raise InputError(f"{source}: git cannot list it: {listing.stderr.decode(errors='replace').strip()}")
    with tempfile.TemporaryFile(prefix="mmx-") as wanted:
        entries: list[tuple[str, bytes]] = []
        passed = PassedOver()
        for line in filter(None, listing.stdout.split(b"\0")):
            about, _, name = line.partition(b"\t")
            mode, kind, number = about.split(b" ")[:3]
            plain = name.decode("utf-8", "replace")
            if any(part.startswith(".") for part in plain.split("/")):
                passed.add(HIDDEN, plain)
                continue
            if kind != b"blob" or mode in _KINDS:
                yield Gap(f"{source}/{plain}", _KINDS.get(mode, "not a file"))
            elif len(entries) == MOST_MEMBERS:
                yield Gap(source, f"a repository of more than {MOST_MEMBERS:,} files: the others are not read")
                break
            else:
                names.add(plain)
                entries.append((f"{source}/{plain}", number))
        entries.sort(key=lambda entry: not is_readme(entry[0].removeprefix(f"{source}/")))
        yield from passed.remarks(source)
        wanted.writelines(number + b"\n" for _, number in entries)
        wanted.flush()
        wanted.seek(0)
        with subprocess.Popen([*command, "cat-file", "--batch"], stdin=wanted, stdout=subprocess.PIPE) as objects:
            assert objects.stdout
            yield from _taken(objects.stdout, [name for name, _ in entries])


def _taken(stream: IO[bytes], names: list[str]) -> Iterator[Slice | Gap]:
    spool = Spool()
    for name in names:
        header = stream.readline().split()
        if len(header) != 3:
            yield Gap(name, "git has lost it")
            continue
        start, left = spool.size, int(header[2])
        while left and (block := stream.read(min(left, 1 << 20))):
            spool.write(block, name)
            left -= len(block)
        stream.read(1)
        yield spool.since(start, name)
