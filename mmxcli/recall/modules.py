"""What a file of code is for, what it defines and what it uses: read off the code, never run."""

import ast
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from mmxcli.recall.gist import Statement
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.sentences import sentences

LONGEST = 200_000  # code points of a file that are looked at
MOST = 200  # definitions of one file
SAID = 240  # code points of a file's purpose
_SUFFIXES = """
    .bash .c .cc .clj .cpp .cs .cu .dart .ex .exs .go .h .hpp .hs .java .jl .js .jsx .kt .lua .m .mjs .ml .php .pl .ps1
    .py .pyi .r .rb .rs .scala .sh .sql .svelte .swift .ts .tsx .vue .zig
"""
_PROGRAMS = frozenset(_SUFFIXES.split())
_BEGINS = re.compile(r"class|struct|enum|trait|interface|func|function|fn|def|defn|module|object|record|protocol|type")
_IMPORT = re.compile(
    r"""^[ \t]*(?:
        (?:import|export|const|let|var)\b[^\n;]{0,300}?["'](?P<quoted>[^"'\n]{1,200})["']
      | \#[ \t]*include[ \t]*"(?P<included>[^"\n]{1,200})"
      | (?:use|import|require|mod|package[ ]+require|using)[ \t]+(?:static[ \t]+)?(?P<dotted>[\w.:/]{1,200})
      | (?:require|require_relative)[ \t(]+["'](?P<required>[^"'\n]{1,200})["']
      | (?:[\w.]+[ \t]+)?"(?P<go>[\w./-]{1,200})"[ \t]*$
    )""",
    re.M | re.X,
)
_NO_PURPOSE = re.compile(r"copyright|licen[cs]e|SPDX|^\W*-\*-|eslint|pylint|noqa|@flow|all rights reserved", re.I)
_SUFFIX = re.compile(r"\.(?:js|ts|tsx|jsx|mjs|h|hpp|rb|php)$")
_SELF = ("", "crate", "self", "super")
_MARKS = re.compile(r"^[ \t]*(?:/\*+!?|\*+/|\*|//+!?|\#+!?|--+|;+|%+|<!--)?[ \t]*|[ \t]*(?:\*+/|-->)[ \t]*$", re.M)


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a file imports, in the words of its language, and the code points of the line that says so."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Module:
    """A file of code. `purpose` is the first sentence of what it says about itself; `definitions` are the names that it
    gives at its outermost level, in their order; `runs`: whether it is to be run."""

    source: str
    purpose: Statement | None
    definitions: tuple[str, ...]
    uses: tuple[Use, ...]
    runs: bool = False


def is_program(source: str) -> bool:
    """Whether this is the name of a file of code, and not of data."""
    return PurePosixPath(source).suffix.lower() in _PROGRAMS


def module_of(index: RecallIndex, source: str) -> Module:
    text = index.text(source, 0, LONGEST)
    if source.endswith((".py", ".pyi")) and (tree := _parsed(text)):
        return _python(source, text, tree)
    definitions, comment = _lexed(source, text)
    uses = tuple(
        Use(next(filter(None, found.groups())), found.start(), found.end()) for found in _IMPORT.finditer(text)
    )
    runs = re.search(r"\bfn main\(|\bfunc main\(|\bint main\(|\bvoid main\(|\A#!", text) is not None
    return Module(source, comment, tuple(dict.fromkeys(definitions))[:MOST], uses, runs)


def _parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about escapes in a stranger's strings
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _python(source: str, text: str, tree: ast.Module) -> Module:
    lines = _Lines(text)
    purpose = None
    doc = ast.get_docstring(tree)
    if doc and tree.body and isinstance(tree.body[0], ast.Expr):
        purpose = _first_sentence(source, text, *lines.span(tree.body[0]))
    names = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    definitions = [node.name for node in tree.body if isinstance(node, names)]
    uses: list[Use] = []
    package = list(PurePosixPath(source).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            uses += [Use(alias.name, *lines.span(node)) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module or "").split(".")] if node.module else above
            uses += [Use(".".join([*base, alias.name]), *lines.span(node)) for alias in node.names]
    runs = re.search(r"^if __name__ == ['\"]__main__['\"]", text, re.M) is not None or source.endswith("__main__.py")
    return Module(source, purpose, tuple(definitions)[:MOST], tuple(uses), runs)


def _lexed(source: str, text: str) -> tuple[list[str], Statement | None]:
    """The names that a file defines, and the first sentence of its first comment, by a lexer of its language."""
    from pygments.lexers import find_lexer_class_for_filename
    from pygments.token import Comment, Keyword, Name, String, Text
    from pygments.util import ClassNotFound

    try:
        lexer_class = find_lexer_class_for_filename(PurePosixPath(source).name)
    except ClassNotFound:
        lexer_class = None
    if lexer_class is None:
        return [], None
    definitions: list[str] = []
    comment: Statement | None = None
    before, began = "", False
    first: tuple[int, int] | None = None
    for at, kind, value in lexer_class().get_tokens_unprocessed(text):
        if (kind in Comment or kind in String.Doc) and kind not in Comment.Preproc and not began:
            first = (first[0] if first else at, at + len(value))
            continue
        if not value.strip():
            if first and "\n\n" in value and comment is None:
                comment = _first_sentence(source, text, *first)
                first = None if comment is None else first
            continue
        began = True
        named = kind in Name.Class or kind in Name.Function or (kind in Name and _BEGINS.fullmatch(before))
        if named and len(definitions) < MOST and text[max(0, text.rfind("\n", 0, at) + 1) :][:1] not in " \t":
            definitions.append(value)
        if kind in Keyword or kind not in Text:
            before = value
    if comment is None and first:
        comment = _first_sentence(source, text, *first)
    return definitions, comment


def _first_sentence(source: str, text: str, start: int, end: int) -> Statement | None:
    """Of a comment or docstring between two offsets, without its marks; None where it says nothing about the file."""
    plain = _MARKS.sub(lambda marks: " " * len(marks.group()), text[start:end])
    plain = re.sub(r"^[rRuUbB]?[\"']{1,3}|[\"']{1,3}$", lambda quotes: " " * len(quotes.group()), plain)
    for low, high in sentences(plain):
        said = " ".join(plain[low:high].split())
        if len(said) > 8 and " " in said and not _NO_PURPOSE.search(plain[low : low + 400]):
            return Statement(said[:SAID], source, start + low, start + high)
        if _NO_PURPOSE.search(said):
            return None
    return None


class _Lines:
    """From the lines and columns of Python's parser, which count bytes, to code points."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        for line in text.splitlines(keepends=True) if "\f" not in text else text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + ("\f" in text))

    def span(self, node: ast.stmt) -> tuple[int, int]:
        """The whole lines of a statement."""
        last = node.end_lineno or node.lineno
        return self._starts[node.lineno - 1], max(self._starts[node.lineno - 1] + 1, self._starts[last] - 1)


class Files:
    """The files of a repository, found by how they are called in code: `pkg.mod`, `./util`, `a::b`, `dir/file.h`.
    `root` is the folder that holds them all."""

    def __init__(self, sources: Iterable[str]) -> None:
        paths = {source: PurePosixPath(source).parts for source in sources}
        self.root = _common([parts[:-1] for parts in paths.values()])
        self._sources: dict[tuple[str, ...], str] = {}
        self._by_name: dict[str, list[tuple[str, ...]]] = {}
        for source, path in paths.items():
            *folders, name = path[len(self.root) :]
            stem = name.split(".")[0]
            parts = (*folders, *(() if stem in ("__init__", "index", "mod") else (stem,)))
            if parts:
                self._sources.setdefault(parts, source)
                self._by_name.setdefault(parts[-1], []).append(parts)

    def shown(self, path: str) -> str:
        """A file or folder of the repository, from its root on."""
        return "/".join(PurePosixPath(path).parts[len(self.root) :]) or "."

    def find(self, name: str, user: str) -> str | None:
        """Which of them `name` means in the file `user`. None for what is not of the repository."""
        here = PurePosixPath(user).parts[len(self.root) : -1]
        parts = tuple(part for part in re.split(r"[./\\:]+", _SUFFIX.sub("", name)) if part not in _SELF)
        if len(parts) > 1 and parts[0] in self.root:
            parts = parts[self.root.index(parts[0]) - len(self.root) + 1 :] or parts
        for wanted in (parts, parts[:-1]):  # the last part may be a name in the file
            known = self._by_name.get(wanted[-1], []) if wanted else []
            fitting = [path for path in known if path[-len(wanted) :] == wanted]
            if len(wanted) == 1 and not name.startswith("."):
                # One word may be a library: only a file beside this one or at the root is meant by it.
                beside = not user.endswith((".py", ".pyi"))
                fitting = [path for path in fitting if len(path) == 1 or (beside and path[:-1] == here)]
            if fitting:
                found = self._sources[max(fitting, key=lambda path: (len(_common([path, here])), -len(path)))]
                return found if found != user else None
        return None


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """How all of them begin."""
    first, last = min(paths, default=()), max(paths, default=())
    same = takewhile(lambda both: both[0] == both[1], zip(first, last, strict=False))
    return tuple(part for part, _ in same)
