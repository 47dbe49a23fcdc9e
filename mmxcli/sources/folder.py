"""A folder: the files in it that a person would call its text."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from mmxcli.sources.choice import ALL, Choice
from mmxcli.sources.document import FileContent, unreadable
from mmxcli.sources.ignore import Rule, inherited_rules, is_ignored, rules_in, rules_of
from mmxcli.sources.leftout import is_vendored
from mmxcli.sources.passed import EMPTY, HIDDEN, IGNORED, PassedOver
from mmxcli.sources.segment import Gap, Remark

_VENDORED = "vendored code"
_OWN = ".git"  # is no text, whatever --include says
_REPOSITORY = frozenset(("HEAD", "objects", "refs"))


def walk(folder: str, choice: Choice = ALL) -> Iterator[FileContent | Gap | Remark]:
    """The regular files below `folder`, without those that were chosen to be left out. Remarks count those that are
    empty or hidden, or that git ignores. A Gap stands for a folder of vendored code, and for git's own objects.

    The README of `folder` itself comes first. The others come by the hour of their last change, the oldest first, so
    that an edit leaves most of what was read before it as it was; those of one hour, as after a checkout, by their
    names, the README of a folder first. Symbolic links are not followed: what they lead to is read under its own name,
    or a Gap says that it is not.
    """
    found = _Walk(folder, choice)
    yield from (item for _, item in sorted(found.items(), key=lambda one: one[0]))
    yield from found.passed.remarks(shown(folder))


def is_readme(path: str) -> bool:
    """Whether a file with this path from a folder on is what the folder's own makers say of it."""
    return "/" not in path and path.lower().startswith("readme")


def shown(path: str) -> str:
    """The path with replacement characters for what is not UTF-8 in it."""
    return os.fsencode(path).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Closed:
    """A folder that is left out for a `reason`, but for what the `rules` of --include lead to."""

    name: str
    reason: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """`rules` are git's. `within`: the folder around it that is left out, if there is one."""

    path: Path
    rules: tuple[Rule, ...]
    within: _Closed | None = None


class _Walk:
    def __init__(self, folder: str, choice: Choice) -> None:
        self.passed = PassedOver()
        self._folder = folder
        self._root = Path(os.path.realpath(folder))
        depth = len(self._root.parts)
        self._include, self._exclude = rules_of(choice.include, depth), rules_of(choice.exclude, depth)
        self._seen: set[str] = set()  # folders and files to which a link may lead
        self._told: set[str] = set()

    def items(self) -> Iterator[tuple[int, FileContent | Gap]]:
        """By their names, each with the hour of its last change, which is 0 for what cannot be read, and less for what
        comes before all else."""
        pending, links, empty = [_Entry(self._root, inherited_rules(self._root))], list[Path](), True
        while pending:
            entry = pending.pop()
            path, hour, found = entry.path, 0, list[FileContent | Gap]()
            try:
                status = path.lstat()
                if stat.S_ISDIR(status.st_mode):
                    children = list(self._children(entry))
                    pending += [child for child in reversed(children) if isinstance(child, _Entry)]
                    found += [gap for gap in children if isinstance(gap, Gap)]
                elif stat.S_ISLNK(status.st_mode):
                    links.append(path)
                    continue
                elif not stat.S_ISREG(status.st_mode):
                    found.append(Gap(self._name(path), "not a regular file"))
                elif status.st_size:
                    found.append(FileContent(self._name(path), path, status.st_size))
                    readme = path.parent == self._root and is_readme(path.name)
                    hour = -1 if readme else max(0, int(status.st_mtime // 3600))
                else:
                    self.passed.add(EMPTY, self._below(path))
                self._seen.add(str(path))
            except OSError as error:
                found.append(Gap(self._name(path), unreadable(error)))
            empty = empty and not found
            yield from ((hour, one) for one in found)
        for path in links:
            if reason := self._unread(path):
                empty = False
                yield 0, Gap(self._name(path), reason)
        if empty:
            yield 0, Gap(shown(self._folder), "a folder without files, but for empty, hidden and git-ignored ones")

    def _children(self, entry: _Entry) -> Iterator[_Entry | Gap]:
        """What is to be looked at next, and a Gap for what is not. Raises OSError."""
        with os.scandir(entry.path) as scanned:
            children = [(one.name, one.is_dir(follow_symlinks=False)) for one in scanned]
        if {name for name, _ in children} >= _REPOSITORY:
            name = self._name(entry.path)
            yield Gap(name, f"git's own files: name a commit to read what is in them, as in {name}@HEAD")
            return
        rules = (*entry.rules, *rules_in(entry.path))
        children.sort(key=lambda child: (child[1] or not is_readme(child[0]), child[0]))
        for name, is_folder in children:
            path = entry.path / name
            if is_ignored(path, is_folder, self._exclude):
                continue
            included = name != _OWN and is_ignored(path, is_folder, self._include)
            closed = None if included else self._closed(path, is_folder, entry, rules)
            if closed is None or (is_folder and closed.rules):
                yield _Entry(path, rules, closed)
            elif closed.reason != _VENDORED:
                self.passed.add(closed.reason, self._below(path))
            elif closed.name not in self._told:
                self._told.add(closed.name)
                own = closed.name == f"{self._name(path)}/"
                yield Gap(closed.name, f"{_VENDORED} ({'--include it to read it' if own else 'but for what is read'})")

    def _closed(self, path: Path, is_folder: bool, entry: _Entry, rules: tuple[Rule, ...]) -> _Closed | None:
        """The folder, or the file, that is left out and holds this path, if there is one."""
        if entry.within:
            within = entry.within
            return _Closed(within.name, within.reason, tuple(one for one in within.rules if one.reaches_below(path)))
        if path.name.startswith("."):
            reason = HIDDEN
        elif is_ignored(path, is_folder, rules):
            reason = IGNORED
        elif is_folder and is_vendored(path):
            reason = _VENDORED
        else:
            return None
        leading = () if path.name == _OWN else tuple(one for one in self._include if one.leads_into(path))
        return _Closed(f"{self._name(path)}/", reason, leading)

    def _unread(self, link: Path) -> str | None:
        """Why what a symbolic link leads to is not read; None where it is."""
        target = os.path.realpath(link)
        if not Path(target).is_relative_to(self._root):
            return "a symbolic link that leads out of the folder"
        if not os.path.exists(target):  # noqa: PTH110 - Path.exists raises where links lead in a circle
            return "a symbolic link that leads nowhere"
        return None if target in self._seen else "a symbolic link to something that is not read"

    def _below(self, path: Path) -> str:
        return shown(path.relative_to(self._root).as_posix())

    def _name(self, path: Path) -> str:
        return shown((PurePath(self._folder) / path.relative_to(self._root)).as_posix())
