"""Git's ignore rules, as gitignore(5) has them.

Matched by hand: a file's name is checked against one glob, a path component at a time, so that no pattern in
a folder that somebody else made can take more than linear time, and a rule means the path itself alone.
"""

import fnmatch
import os
import re
import shutil
import subprocess
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

    def reaches_below(self, folder: Path) -> bool:
        """Whether it may match something in this folder."""
        return not self.negated and any(_begin(self.globs, folder.parts[self.depth :]))

    def leads_into(self, folder: Path) -> bool:
        """Whether it does, and names the folder: "vendor/**" leads into vendor, "*.lock" into no folder."""
        return not self.negated and _begin(self.globs, folder.parts[self.depth :])[0]


def is_ignored(path: Path, is_folder: bool, rules: Sequence[Rule]) -> bool:
    """Whether the last rule that matches says so. Paths in an ignored folder are not to be asked about."""
    return next((not rule.negated for rule in reversed(rules) if rule.matches(path, is_folder)), False)


def rules_in(folder: Path) -> Iterator[Rule]:
    """The rules that `folder`, an absolute path, holds itself."""
    for file in _FILES:
        if not (folder / file).is_symlink():
            yield from _rules_of_file(folder / file, len(folder.parts))


def _rules_of_file(path: Path, depth: int) -> Iterator[Rule]:
    try:
        if not path.is_file():
            return
        with path.open("rb") as stream:
            text = stream.read(_LIMIT).decode("utf-8-sig", "surrogateescape")
    except OSError:
        return  # git, too, goes on without
    for line in text.split("\n"):
        if rule := _rule(line.removesuffix("\r"), depth):
            yield rule


def _global_rules(root: Path) -> Iterator[Rule]:
    """A person's own for all repositories, of which `root` is one."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "git" / "ignore"
    if git := shutil.which("git"):
        command = [git, "-C", str(root), "config", "--type=path", "--get", "core.excludesFile"]
        told = subprocess.run(command, capture_output=True, check=False).stdout.removesuffix(b"\n")
        own = root / os.fsdecode(told) if told else own
    yield from _rules_of_file(Path(os.path.expanduser(own)), len(root.parts))  # noqa: PTH111 - it raises without a home


def rules_of(patterns: Sequence[str], depth: int) -> tuple[Rule, ...]:
    """Patterns as a person writes them, for paths below a folder whose path has `depth` components."""
    return tuple(rule for pattern in patterns if (rule := _rule(pattern, depth)))


def inherited_rules(folder: Path) -> tuple[Rule, ...]:
    """The rules around `folder`, those of its repository and the person's own, unless they ignore it: whoever names it
    wants it read."""
    root = next((path for path in (folder, *folder.parents) if os.access(path / ".git", os.F_OK)), None)
    if root is None:
        return ()
    path, rules = root, list(_global_rules(root))
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


def _begin(globs: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> tuple[bool, bool]:
    """Whether there is a match of the parts with more globs to come, the last part matched by a glob or by a "**"."""
    named, any_number = {0}, set[int]()
    for part in parts:
        places = named | any_number
        for place in sorted(places):
            while place < len(globs) and globs[place] is None:
                places.add(place := place + 1)
        any_number = {place for place in places if place < len(globs) and globs[place] is None}
        named = {place + 1 for place in places if place < len(globs) and (glob := globs[place]) and glob.match(part)}
    return any(place < len(globs) for place in named), bool(any_number)
