"""A repository in few words: what it is for, where it begins, what its modules do, how they hang together."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.prompts import purpose_prompt
from mmxcli.reading.scribe import Scribe
from mmxcli.reading.summary import Summary, Wanted, summarise
from mmxcli.recall.backing import names_in
from mmxcli.recall.gist import Statement, Told, gist, length
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.modules import Module
from mmxcli.recall.parts import Part, parts_of
from mmxcli.recall.repository import FLOWS, Repository, defines, most_used

MODULES, FILES, DOCUMENTS = 12, 40, 20  # that are told; with more files than that, only folders
COMMENTS = 600  # code points of a file that the model reads, beside the names it defines
LIMIT = 32  # tokens of a module's line
KNOWN = 0.5  # of the telling words of a line that the file must have


def overview(
    scribe: Scribe, index: RecallIndex, repository: Repository, title: str, wanted: Wanted
) -> Generator[Progress | Note, None, Summary]:
    """Its sections as parts, each with what bears it out."""
    lines = yield from _lines(scribe, index, repository)
    purpose = list(repository.purpose())
    told = Told(index, " ".join(one.text for one in purpose))
    sections = [
        Summary("Entry points", "", 0, tuple(repository.entries())),
        _modules(repository, lines, wanted),
        Summary("What uses what", "", 0, tuple(_flows(repository))),
        Summary("Building and testing", "", 0, tuple(repository.building())),
        (yield from _documents(index, repository, wanted)),
    ]
    words = sum(length(index.text(source, 0, 1 << 40)) for source in repository.sources)
    first = purpose[:1]
    more = gist(index, purpose[1:], told.weights(index), max(0, wanted.words // 2 - sum(length(p.text) for p in first)))
    kept = tuple(section for section in sections if section.statements or section.parts)
    return Summary(title, "", words, (*first, *more), kept)


def _lines(
    scribe: Scribe, index: RecallIndex, repository: Repository
) -> Generator[Progress | Note, None, dict[str, Statement]]:
    """What each file of code is for: in its own words, else in the model's where all names in them are the file's, else
    what it defines."""
    yield Progress("parse", 0, len(repository.sources), "files")
    found = {source: module.purpose for source, module in repository.modules.items() if module.purpose}
    yield Progress("parse", len(repository.sources), len(repository.sources), "files")
    silent = [module for source, module in repository.modules.items() if source not in found and module.definitions]
    if silent:
        yield Note(f"{len(silent)} files say nothing about themselves: the model reads what they define")
    heads = [index.text(module.source, 0, COMMENTS) for module in silent]
    prompts = [_prompt(scribe, module, head) for module, head in zip(silent, heads, strict=True)]
    written = yield from scribe.write(prompts, [LIMIT] * len(prompts), "describe")
    for module, text in zip(silent, written, strict=True):
        said = text.split("\n")[0].strip()
        whole = f"{module.source}\n{index.text(module.source, 0, 50_000)}"
        if said.endswith(".") and names_in(index, said, whole, KNOWN):
            found[module.source] = Statement(said, module.source, 0, 1, "written")
        elif fallback := defines(module):
            found[module.source] = fallback
    return found


def _prompt(scribe: Scribe, module: Module, head: str) -> list[int]:
    return purpose_prompt(scribe.template, module.source, module.definitions[:12], head)


def _modules(repository: Repository, lines: dict[str, Statement], wanted: Wanted) -> Summary:
    """The files that others use most, then each folder of code, with its files where they are few or asked for."""
    used = most_used(repository, MODULES)
    told = [
        replace(lines[source], text=f"{repository.files.shown(source)}: {lines[source].text} (used by {count} files)")
        for source, count in used
        if source in lines and count > 1
    ]
    folders: dict[str, list[str]] = {}
    for source in repository.modules:
        folders.setdefault(str(PurePosixPath(source).parent), []).append(source)
    with_files = len(repository.modules) <= FILES if wanted.depth is None else wanted.depth > 2
    parts = [
        _folder(repository.files.shown(folder), files, lines, with_files=with_files)
        for folder, files in sorted(folders.items())
    ]
    return Summary("Modules", "", 0, tuple(told), tuple(parts) if wanted.depth is None or wanted.depth > 1 else ())


def _folder(folder: str, files: Sequence[str], lines: dict[str, Statement], *, with_files: bool) -> Summary:
    own = [s for s in files if PurePosixPath(s).name.split(".")[0] in ("__init__", "index", "mod", "lib", "main")]
    first = next((lines[source] for source in [*own, *files] if source in lines), None)
    names = ", ".join(PurePosixPath(source).name for source in files[:6]) + (" …" if len(files) > 6 else "")
    noun = "file" if len(files) == 1 else "files"
    said = f"{first.text} " if first and own else ""
    about = [replace(first, text=f"{said}({len(files)} {noun}: {names})", origin="found")] if first else []
    parts = [Summary(PurePosixPath(s).name, s, 0, (lines[s],)) for s in files if s in lines] if with_files else []
    return Summary(f"{folder}/", "", 0, tuple(about), tuple(parts))


def _flows(repository: Repository) -> Iterator[Statement]:
    """For each folder those that it uses, by how often."""
    flows = repository.flows()
    users = list(dict.fromkeys(flow.user for flow in flows))
    for user in users[:FLOWS]:
        own = [flow for flow in flows if flow.user == user]
        used = ", ".join(f"{repository.files.shown(flow.used)}/ ({flow.times})" for flow in own)
        yield Statement(
            f"{repository.files.shown(user)}/ uses {used}", own[0].source, own[0].use.start, own[0].use.end, "found"
        )


def _documents(index: RecallIndex, repository: Repository, wanted: Wanted) -> Generator[Progress | Note, None, Summary]:
    """A line for each of the longest documents that are no code."""
    prose = [s for s in repository.sources if s.endswith((".md", ".rst", ".txt", ".adoc", ".pdf", ".html"))]
    parts = [part for part in parts_of(index, "", prose).parts if part.source or part.parts]
    longest = sorted(parts, key=lambda part: part.start - part.end)[:DOCUMENTS]
    if not longest:
        return Summary("Documents", "", 0, ())
    whole = Part("Documents", "", 0, 0, tuple(part for part in parts if part in longest))
    summary = yield from summarise(index, whole, replace(wanted, depth=1, words=wanted.words // 2))
    return replace(summary, statements=())
