"""Git's ignore rules, as gitignore(5) has them.

Matched by hand: a file's name is checked against one glob, a path component at a time, so that no pattern in
a folder that somebody else made can take more than linear time, and a rule means the path itself alone.
"""

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILES = (".git/info/exclude", ".gitignore")  # the later one has the last word
_LIMIT = 1 << 18  # bytes of rules that are read of a file
_ESCAPE = re.compile(r"\\(.)|\[\^")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line. `globs` match the components of a path below the folder that holds the rule, which has
    `depth` components itself; None stands for "**", any number of them."""

    depth: int
    globs: tuple[re.Pattern[str] | None, ...]
    negated: bool
    folders_only: bool

    def matches(self, path: Path, is_folder: bool) -> bool:
        return (is_folder or not self.folders_only) and _match(self.globs, path.parts[self.depth :])


def is_ignored(path: Path, is_folder: bool, rules: Sequence[Rule]) -> bool:
    """Whether the last rule that matches says so. Paths in an ignored folder are not to be asked about."""
    return next((not rule.negated for rule in reversed(rules) if rule.matches(path, is_folder)), False)


def rules_in(folder: Path) -> Iterator[Rule]:
    """The rules that `folder`, an absolute path, holds itself."""
    for file in _FILES:
        path = folder / file
        try:
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as stream:
                text = stream.read(_LIMIT).decode("utf-8-sig", "surrogateescape")
        except OSError:
            continue  # git, too, goes on without
        for line in text.split("\n"):
            if rule := _rule(line.removesuffix("\r"), len(folder.parts)):
                yield rule


def rules_of(patterns: Sequence[str], depth: int) -> tuple[Rule, ...]:
    """Patterns as a person writes them, for paths below a folder whose path has `depth` components."""
    return tuple(rule for pattern in patterns if (rule := _rule(pattern, depth)))


def inherited_rules(folder: Path) -> tuple[Rule, ...]:
    """The rules of the repository around `folder`, unless they ignore it: whoever names it wants it read."""
    root = next((path for path in (folder, *folder.parents) if os.access(path / ".git", os.F_OK)), folder)
    path, rules = root, list[Rule]()
    for part in folder.relative_to(root).parts:
        rules += rules_in(path)
        path /= part
        if is_ignored(path, True, rules):
            return ()
    return tuple(rules)


def _rule(line: str, depth: int) -> Rule | None:
    line = re.sub(r"(?<!\\) +\Z", "", line)
    if line.startswith("#"):
        return None
    negated = line.startswith("!")
    pattern = line[negated:]
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    if not pattern:
        return None
    parts = pattern.removeprefix("/").split("/")
    if "/" not in pattern:
        parts = ["**", *parts]
    if parts[-1] == "**":
        parts.append("*")  # what is in the folder, not the folder
    return Rule(depth, tuple(None if part == "**" else _glob(part) for part in parts), negated, folders_only)


def _glob(part: str) -> re.Pattern[str]:
    """git's escapes, in fnmatch's words. fnmatch's expressions do not backtrack from one "*" to another."""

    def respell(match: re.Match[str]) -> str:
        return "[!" if match[1] is None else f"[{match[1]}]" if match[1] in "*?[" else match[1]

    return re.compile(fnmatch.translate(_ESCAPE.sub(respell, part)))


def _match(globs: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> bool:
    """Greedy, with one way back: to the last "**", which then takes one part more."""
    glob = part = 0
    back: tuple[int, int] | None = None
    while part < len(parts):
        pattern = globs[glob] if glob < len(globs) else None
        if glob < len(globs) and pattern is None:
            back = (glob + 1, part)
            glob += 1
        elif pattern is not None and pattern.match(parts[part]):
            glob += 1
            part += 1
        elif back is not None:
            glob, part = back[0], back[1] + 1
            back = (glob, part)
        else:
            return False
    return all(pattern is None for pattern in globs[glob:])
