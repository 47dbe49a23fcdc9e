"""What the files of a repository say about it: what it is for, where it begins, how it is built, what uses what."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from mmxcli.recall.gist import Statement, statements
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.modules import Files, Module, Use, is_program, module_of
from mmxcli.recall.outline import headings
from mmxcli.sources.tree import is_tree

LEAST, SHARE = 3, 0.25  # files of code, and of all files, that make a repository
MANIFEST = 1 << 20  # code points of a manifest that are looked at
README = 20_000
ENTRIES, COMMANDS, FLOWS = 12, 12, 16  # that are told
_README = re.compile(r"readme(\.\w+)?", re.I)
_BUILDING = re.compile(r"install|build|test|develop|contribut|compil|getting started|quick.?start|set.?up|usage", re.I)
_FENCE = re.compile(r"^[ \t]*(?:```+|~~~+)[^\n]*\n(?P<code>.*?)^[ \t]*(?:```+|~~~+)", re.M | re.S)
_TARGET = re.compile(r"^(?P<name>[A-Za-z][\w.-]*):(?!=)", re.M)
_BESIDE = re.compile(r"(^|/)(tests?|spec|benchmarks?|examples?|docs?)(/|$)|(^|/)test_|[_.](test|spec)\.")
_TELLING = ("test", "check", "build", "install", "lint", "run", "all", "format", "docs", "dev", "start")


@dataclass(frozen=True, slots=True)
class Flow:
    """Files in the folder `user` use files in the folder `used`, so many times; first in `source`, at `use`."""

    user: str
    used: str
    times: int
    source: str
    use: Use


def is_repository(index: RecallIndex) -> bool:
    """Whether it is best told by what its code is: all of it is, or enough."""
    sources = _files(index)
    programs = sum(map(is_program, sources))
    return programs == len(sources) or (programs >= LEAST and programs >= SHARE * len(sources))


class Repository:
    """What is read off the files of an index, each of them once."""

    def __init__(self, index: RecallIndex, module: Callable[[RecallIndex, str], Module] = module_of) -> None:
        """`module`: what parses a file."""
        self._index = index
        self._module = module
        self.sources = _files(index)

    @cached_property
    def modules(self) -> dict[str, Module]:
        """Those of all files of code, by their names."""
        return {source: self._module(self._index, source) for source in self.sources if is_program(source)}

    @cached_property
    def files(self) -> Files:
        return Files(self.sources)

    @cached_property
    def used_by(self) -> dict[str, set[str]]:
        """Which files use each file."""
        found: dict[str, set[str]] = {}
        for user, module in self.modules.items():
            for use in module.uses:
                if used := self.files.find(use.name, user):
                    found.setdefault(used, set()).add(user)
        return found

    def most_used(self, limit: int) -> Sequence[tuple[str, int]]:
        """Files that others use, and by how many of them; tests do not count."""
        counts = {used: sum(not _is_test(user) for user in users) for used, users in self.used_by.items()}
        return sorted(((s, n) for s, n in counts.items() if n), key=lambda both: (-both[1], both[0]))[:limit]

    def purpose(self) -> Iterator[Statement]:
        """What its README says first, and what its manifests call it."""
        for source in self._named(_README.fullmatch)[:1]:
            found = list(statements(self._index, source, 0, README))
            yield from found[:12]
        for source, manifest in self._manifests():
            said = _deep(manifest, "project", "description") or _deep(manifest, "package", "description")
            said = said or manifest.get("description")
            if isinstance(said, str) and len(said.split()) > 2:
                yield self._statement(" ".join(said.split())[:300], source, said)

    def entries(self) -> list[Statement]:
        """Where it is started: what its manifests name, then the files that are to be run."""
        found = [
            self._statement(f"`{name}` runs {target}", source, name)
            for source, manifest in self._manifests()
            for name, target in _scripts(manifest)
        ]
        runs = sorted((m for m in self.modules.values() if m.runs and not _is_test(m.source)), key=_depth)
        for module in runs:
            said = f": {module.purpose.text}" if module.purpose else ""
            end = self.first_line(module.source)
            found.append(
                Statement(f"{self.files.shown(module.source)} is to be run{said}", module.source, 0, end, "found")
            )
        return found[:ENTRIES]

    def building(self) -> list[Statement]:
        """How it is built and tested: by its manifests, makefiles, and the README's own commands."""
        found: list[Statement] = []
        for source, manifest in self._manifests():
            scripts = manifest.get("scripts")
            for name, command in scripts.items() if isinstance(scripts, dict) else ():
                if isinstance(command, str) and name.split(":")[0] in _TELLING:
                    found.append(self._statement(f"`npm run {name}`: {command}"[:200], source, f'"{name}"'))
        for source in self._named(re.compile(r"(GNU)?makefile|justfile", re.I).fullmatch):
            text = self._index.text(source, 0, MANIFEST)
            tool = "just" if "just" in source.lower() else "make"
            for target in _TARGET.finditer(text):
                if target["name"] in _TELLING:
                    end = text.find("\n", target.end())
                    end = end if end >= 0 else len(text)
                    found.append(Statement(f"`{tool} {target['name']}`", source, target.start(), end, "found"))
        for name, command in (("Cargo.toml", "cargo build, cargo test"), ("go.mod", "go build ./..., go test ./...")):
            for source in self._named(name.__eq__):
                found.append(Statement(f"`{command}`", source, 0, self.first_line(source), "found"))
        for source in self._named(_README.fullmatch)[:1]:
            found = [*self._commands(source), *found]
        return found[:COMMANDS]

    def flows(self) -> list[Flow]:
        """Which folders use which, the most used first."""
        times: Counter[tuple[str, str]] = Counter()
        first: dict[tuple[str, str], tuple[str, Use]] = {}
        for user, module in self.modules.items():
            if _is_test(user):
                continue
            for use in module.uses:
                used = self.files.find(use.name, user)
                both = (_folder(user), _folder(used)) if used else ("", "")
                if both[0] != both[1]:
                    times[both] += 1
                    first.setdefault(both, (user, use))
        return [Flow(*both, count, *first[both]) for both, count in times.most_common()]

    def _commands(self, readme: str) -> Iterator[Statement]:
        """The lines of code under the README's headings that tell of building and testing."""
        text = self._index.text(readme, 0, README)
        found = sorted(headings(text), key=lambda heading: heading.start)
        for fence in _FENCE.finditer(text):
            above = [heading.words for heading in found if heading.start < fence.start()]
            if not above or not _BUILDING.search(above[-1]):
                continue
            at = fence.start("code")
            for line in fence["code"].split("\n"):
                command = line.strip().removeprefix("$ ")
                if command and not command.startswith("#") and len(command) <= 200:
                    yield Statement(f"`{command}`", readme, at, at + len(line), "found")
                at += len(line) + 1

    def _manifests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        parsers: Mapping[str, Callable[[str], Any]] = {
            "pyproject.toml": tomllib.loads,
            "Cargo.toml": tomllib.loads,
            "package.json": json.loads,
            "composer.json": json.loads,
        }
        for source in self._named(parsers.__contains__):
            with suppress(ValueError, RecursionError):
                text = self._index.text(source, 0, MANIFEST)
                parsed = parsers[PurePosixPath(source).name](text)
                if isinstance(parsed, dict):
                    yield source, parsed

    def _named(self, fits: Callable[[str], object]) -> list[str]:
        """The files whose names fit, those nearest the root first."""
        return sorted((s for s in self.sources if fits(PurePosixPath(s).name)), key=lambda s: (s.count("/"), s))[:20]

    def _statement(self, text: str, source: str, words: str) -> Statement:
        """Borne out by the line of the source that has these words first."""
        whole = self._index.text(source, 0, MANIFEST)
        at = max(0, whole.find(words))
        start = whole.rfind("\n", 0, at) + 1
        end = whole.find("\n", at)
        return Statement(" ".join(text.split()), source, start, end if end >= 0 else len(whole), "found")

    def first_line(self, source: str) -> int:
        """Where it ends."""
        end = self._index.text(source, 0, 400).find("\n")
        return end if end > 0 else 1


def _files(index: RecallIndex) -> tuple[str, ...]:
    return tuple(source for source in index.sources if not is_tree(source))


def _scripts(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The commands that installing it gives, and what each of them runs."""
    tables = [_deep(manifest, "project", "scripts"), _deep(manifest, "tool", "poetry", "scripts"), manifest.get("bin")]
    for table in tables:
        if isinstance(table, dict):
            yield from ((str(name), str(target)[:200]) for name, target in table.items())
        elif isinstance(table, list):
            yield from ((str(one["name"]), str(one.get("path", "src/main.rs"))) for one in table if _deep(one, "name"))
        elif isinstance(table, str):
            yield str(manifest.get("name", table)), table
    if isinstance(main := manifest.get("main"), str):
        yield main, "what is imported"


def _deep(table: object, *keys: str) -> object:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _folder(source: str) -> str:
    return str(PurePosixPath(source).parent)


def _depth(module: Module) -> tuple[int, str]:
    return module.source.count("/"), module.source


def _is_test(source: str) -> bool:
    return _BESIDE.search(source) is not None


def defines(module: Module) -> str:
    """What it is, told by what it defines, where it says nothing about itself; "" where it defines nothing."""
    names = [name for name in module.definitions if not name.startswith("_")] or list(module.definitions)
    if not names:
        return ""
    more = f" and {len(names) - 4} more" if len(names) > 5 else ""
    shown = names if len(names) <= 5 else names[:4]
    return f"defines {', '.join(shown)}{more}"
