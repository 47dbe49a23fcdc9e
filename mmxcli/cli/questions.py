"""From the arguments of a command line to sources and questions."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmxcli.errors import UsageError
from mmxcli.sources.choice import Listed

EXAMPLE = 'mmx ask book.pdf "Who built the bridge?"'


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what the file of questions calls it: any JSON value, None when it has no name."""

    text: str
    id: object = None


def split(
    arguments: Sequence[str], listed: Sequence[str], questions: Sequence[Question]
) -> tuple[list[str], list[Question]]:
    """Sources and questions. With `questions` every argument is a source, otherwise the last one is the
    question; `listed` are sources from --files-from. Raises UsageError when either is missing."""
    if questions:
        return sources(arguments, listed), list(questions)
    if not arguments:
        raise UsageError(f"`mmx ask` lacks what to read and the question: {EXAMPLE}")
    *first, last = arguments
    if last == "-" or os.path.exists(last):  # noqa: PTH110 - Path.exists fails on a name as long as a question
        raise UsageError(
            f"`mmx ask {' '.join(arguments)}` lacks the question: {last} is something to read;"
            f" write the question after it, in quotes: {EXAMPLE}"
        )
    if not last.strip():
        raise UsageError(f"the question is empty: {EXAMPLE}")
    if not first and not listed:
        raise UsageError(f"`mmx ask` lacks what to read before the question {last!r}: {EXAMPLE}")
    return sources(first, listed), [Question(last)]


def sources(arguments: Sequence[str], listed: Sequence[str]) -> list[str]:
    """All sources. Raises UsageError when there is none."""
    if not arguments and not listed:
        raise UsageError("there is nothing to read: name a file, a folder, or - for standard input")
    return [*arguments, *listed]


def one_standard_input(names: Sequence[object]) -> None:
    """Raises UsageError when more than one of the things that a command line names is standard input."""
    if [str(name) for name in names].count("-") > 1:
        raise UsageError("standard input (-) can be read only once")


def listed_files(file: Path | None, *, null: bool) -> list[str]:
    """The names in a list of files, one a line or, with `null`, each ended by NUL."""
    if file is None:
        if null:
            raise UsageError("-0 goes with --files-from FILE")
        return []
    names = os.fsdecode(_content(file)).split("\0" if null else "\n")
    names = [name if null else name.removesuffix("\r") for name in names]
    # A list names files: "-" in it is a file of that name.
    found: list[str] = [Listed("./-" if name == "-" else name) for name in names if name.strip()]
    if not found:
        raise UsageError(f"{file} names no file to read")
    return found


def asked(texts: Sequence[str], file: Path | None) -> list[Question]:
    """The questions of -q and of a file: one a line, or JSON objects with "question" and perhaps "id"."""
    if any(not text.strip() for text in texts):
        raise UsageError("a question given with -q is empty")
    return [*map(Question, texts), *(_questions(file) if file else ())]


def _questions(file: Path) -> Iterator[Question]:
    try:
        lines = _content(file).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text: save it as UTF-8") from error
    numbered = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise UsageError(f"{file} holds no question")
    as_json = numbered[0][1].startswith("{")
    for number, line in numbered:
        yield _from_json(line, f"{file}:{number}") if as_json else Question(line)


def _from_json(line: str, where: str) -> Question:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON: {error}") from error
    text = record.get("question") if isinstance(record, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f'{where} has no question: write {{"id": …, "question": "…"}}')
    return Question(text, record.get("id"))


def _content(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
