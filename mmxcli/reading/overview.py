"""A repository in few words: what it is for, where it begins, what its modules do, how they hang together."""

import re
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
from mmxcli.recall.repository import FLOWS, Repository, defines
from mmxcli.recall.sentences import sentences

MODULES, FILES, DOCUMENTS = 24, 40, 20  # that are told; with more files than that, only folders
OWN = ("__init__", "index", "mod", "lib", "main")  # a file that says what its folder is for
LOOKED_AT, HEAD = 4_000, 160  # code points of a file's beginning; those that the model reads of it
LIMIT = 32  # tokens of a module's line
# Lines that only name other files.
_NAMING = re.compile(r"\s*(?:#\s*(?:include|pragma|define|if|endif)|import\b|from\b|using\b|use\b|package\b|[{}]+\s*$)")
_FRAME = re.compile(r"(?:(?:this|the) (?:\w+ )?file (?:`[^`]*` )?(?:is (?:used )?(?:for|to) |(?=[a-z]+s\b)))", re.I)
KNOWN = 0.5  # of the telling words of a line that the file must have


def overview(
    scribe: Scribe, index: RecallIndex, repository: Repository, title: str, wanted: Wanted
) -> Generator[Progress | Note, None, Summary]:
    """Its sections as parts, each with what bears it out."""
    yield Progress("parse", 0, len(repository.sources), "files")
    used = repository.most_used(MODULES)
    yield Progress("parse", len(repository.sources), len(repository.sources), "files")
    with_files = len(repository.modules) <= FILES if wanted.depth is None else wanted.depth > 2
    told_of = [*repository.modules] if with_files else [*dict(used), *filter(_is_own, repository.modules)]
    lines = yield from _lines(scribe, index, repository, told_of)
    purpose = list(repository.purpose())
    told = Told(index, " ".join(one.text for one in purpose))
    sections = [
        Summary("Entry points", "", 0, tuple(repository.entries())),
        _modules(repository, lines, used, wanted, with_files=with_files),
        Summary("What uses what", "", 0, tuple(_flows(repository))),
        Summary("Building and testing", "", 0, tuple(repository.building())),
        (yield from _documents(index, repository, wanted)),
    ]
    words = sum(length(block.text) for source in repository.sources for block in index.blocks(source))
    first = purpose[:1]
    more = gist(index, purpose[1:], told.weights(index), max(0, wanted.words // 2 - sum(length(p.text) for p in first)))
    kept = tuple(section for section in sections if section.statements or section.parts)
    return Summary(title, "", words, (*first, *more), kept)


def _lines(
    scribe: Scribe, index: RecallIndex, repository: Repository, sources: Sequence[str]
) -> Generator[Progress | Note, None, dict[str, Statement]]:
    """What each of these files is for: in its own words, else in the model's where all names in them are the file's,
    else what it defines."""
    modules = [repository.modules[source] for source in dict.fromkeys(sources) if source in repository.modules]
    found = {module.source: module.purpose for module in modules if module.purpose}
    silent = [module for module in modules if not module.purpose and module.definitions]
    if silent:
        few = (
            "1 file says nothing about itself"
            if len(silent) == 1
            else f"{len(silent)} files say nothing about themselves"
        )
        yield Note(f"{few}: the model reads what is defined there")
    prompts = [_prompt(scribe, module, index.text(module.source, 0, LOOKED_AT)) for module in silent]
    written = yield from scribe.write(prompts, LIMIT, "describe")
    for module, text in zip(silent, written, strict=True):
        said = _said(text)
        whole = f"{module.source}\n{index.text(module.source, 0, 50_000)}"
        written_well = bool(said) and names_in(index, said, whole, KNOWN)
        line, origin = (said, "written") if written_well else (defines(module), "found")
        found[module.source] = Statement(line, module.source, 0, repository.first_line(module.source), origin)
    return found


def _prompt(scribe: Scribe, module: Module, begins: str) -> list[int]:
    """Of the beginning of a file what says most: no lines that only name other files."""
    head = "\n".join(line for line in begins.split("\n") if line.strip() and not _NAMING.match(line))[:HEAD]
    return purpose_prompt(scribe.template, module.source, module.definitions[:8], head)


def _said(written: str) -> str:
    """The first sentence of what the model wrote, without "This file is for"; "" where it did not come to its end."""
    first = written.strip().split("\n")[0]
    spans = list(sentences(first))
    said = first[slice(*spans[0])] if spans else ""
    said = _FRAME.sub("", said)
    return f"{said[:1].upper()}{said[1:]}" if said.endswith(".") else ""


def _modules(
    repository: Repository,
    lines: dict[str, Statement],
    used: Sequence[tuple[str, int]],
    wanted: Wanted,
    *,
    with_files: bool,
) -> Summary:
    """The files that others use most, then each folder of code, with its files where they are few or asked for."""
    shown = repository.files.shown
    told = [
        replace(lines[source], text=f"{shown(source)}: {lines[source].text} (used by {count} files)")
        for source, count in used
        if source in lines and count > 1
    ]
    folders: dict[str, list[str]] = {}
    for source in repository.modules if wanted.depth is None or wanted.depth > 1 else ():
        folders.setdefault(str(PurePosixPath(source).parent), []).append(source)
    parts = [_folder(repository, *folder, lines, with_files=with_files) for folder in sorted(folders.items())]
    return Summary("Modules", "", 0, tuple(told), tuple(parts))


def _folder(
    repository: Repository, folder: str, files: Sequence[str], lines: dict[str, Statement], *, with_files: bool
) -> Summary:
    own = next((lines[source] for source in filter(_is_own, files) if source in lines), None)
    names = ", ".join(PurePosixPath(source).name for source in files[:6]) + (" …" if len(files) > 6 else "")
    noun = "file" if len(files) == 1 else "files"
    said = f"{own.text} " if own else ""
    place = own or Statement("", files[0], 0, repository.first_line(files[0]))
    about = replace(place, text=f"{said}({len(files)} {noun}: {names})", origin="found")
    parts = [Summary(PurePosixPath(s).name, s, 0, (lines[s],)) for s in files if s in lines] if with_files else []
    return Summary(f"{repository.files.shown(folder)}/", "", 0, (about,), tuple(parts))


def _is_own(source: str) -> bool:
    return PurePosixPath(source).name.split(".")[0] in OWN


def _flows(repository: Repository) -> Iterator[Statement]:
    """For each folder those that it uses, by how often."""
    flows = repository.flows()
    users = list(dict.fromkeys(flow.user for flow in flows))
    for user in users[:FLOWS]:
        own = [flow for flow in flows if flow.user == user]
        used = ", ".join(f"{repository.files.shown(flow.used)}/ ({flow.times})" for flow in own)
        first = own[0]
        text = f"{repository.files.shown(user)}/ uses {used}"
        yield Statement(text, first.source, first.use.start, first.use.end, "found")


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
