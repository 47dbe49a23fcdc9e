"""A folder: the files in it that a person would call its text."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath

from mmxcli.sources.choice import ALL, Choice
from mmxcli.sources.document import FileContent, unreadable
from mmxcli.sources.ignore import Rule, inherited_rules, is_ignored, rules_in, rules_of
from mmxcli.sources.leftout import is_vendored
from mmxcli.sources.segment import Gap


def walk(folder: str, choice: Choice = ALL) -> Iterator[FileContent | Gap]:
    """The regular files below `folder`, without those that are empty or hidden, that git ignores, or that were chosen
    to be left out. A Gap stands for a folder of vendored code.

    The README of `folder` itself comes first. The others come by the hour of their last change, the oldest first, so
    that an edit leaves most of what was read before it as it was; those of one hour, as after a checkout, by their
    names, the README of a folder first. Symbolic links are not followed: what they lead to is read under its own name,
    or is not of this folder.
    """
    return (item for _, item in sorted(_walk(folder, choice), key=lambda found: found[0]))


def is_readme(path: str) -> bool:
    """Whether a file with this path from a folder on is what the folder's own makers say of it."""
    return "/" not in path and path.lower().startswith("readme")


def _walk(folder: str, choice: Choice) -> Iterator[tuple[int, FileContent | Gap]]:
    """The same by their names, each with the hour of its last change, which is 0 for what cannot be read, and less for
    what comes before all else."""
    root = Path(os.path.realpath(folder))
    pending: list[tuple[Path, tuple[Rule, ...]]] = [(root, inherited_rules(root))]
    include, exclude = (rules_of(patterns, len(root.parts)) for patterns in (choice.include, choice.exclude))
    empty = True
    while pending:
        path, rules = pending.pop()
        name = shown((PurePath(folder) / path.relative_to(root)).as_posix())
        found: FileContent | Gap | None = None
        hour = 0
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                if path != root and is_vendored(path) and not is_ignored(path, True, include):
                    found = Gap(f"{name}/", "vendored code (--include it to read it)")
                else:
                    rules += tuple(rules_in(path))
                    pending += [(child, rules) for child in reversed(_children(path, rules, include, exclude))]
            elif stat.S_ISLNK(status.st_mode):
                if not Path(os.path.realpath(path)).is_relative_to(root):
                    found = Gap(name, "a symbolic link that leads out of the folder")
            elif not stat.S_ISREG(status.st_mode):
                found = Gap(name, "not a regular file")
            elif status.st_size:
                found, hour = FileContent(name, path, status.st_size), max(0, int(status.st_mtime // 3600))
                if path.parent == root and is_readme(path.name):
                    hour = -1
        except OSError as error:
            found = Gap(name, unreadable(error))
        if found:
            empty = False
            yield hour, found
    if empty:
        yield 0, Gap(shown(folder), "a folder without files, but for empty, hidden and git-ignored ones")


def shown(path: str) -> str:
    """The path with replacement characters for what is not UTF-8 in it."""
    return os.fsencode(path).decode("utf-8", "replace")


def _children(
    folder: Path, rules: tuple[Rule, ...], include: tuple[Rule, ...], exclude: tuple[Rule, ...]
) -> list[Path]:
    with os.scandir(folder) as entries:
        kept = [
            (entry.is_dir(follow_symlinks=False) or not is_readme(entry.name), entry.name)
            for entry in entries
            if not entry.name.startswith(".")
            and not is_ignored(folder / entry.name, entry.is_dir(follow_symlinks=False), exclude)
            and (
                not is_ignored(folder / entry.name, entry.is_dir(follow_symlinks=False), rules)
                or is_ignored(folder / entry.name, entry.is_dir(follow_symlinks=False), include)
            )
        ]
    return [folder / name for _, name in sorted(kept)]
