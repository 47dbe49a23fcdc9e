"""The command line over tasks that do no work: `python canned.py ask …` is mmx with these events.

MMX_TEST_FAIL names what the tasks raise: a class of mmxcli.errors, or one of the others below.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType
from typing import Any

import mmxcli.tasks
from mmxcli import errors
from mmxcli.cli.app import main
from mmxcli.tasks import events

CANNED = str(Path(__file__))
Run = Callable[..., "CompletedProcess[str]"]

CITATION = events.Citation(
    source="moby_dick.txt",
    start=44267,
    end=44299,
    page=None,
    line=1423,
    quote="“The Spouter Inn:—Peter\nCoffin.” \x1b[2J",
    verified=True,
)
AROUND = replace(
    CITATION, matched=("Peter", "Coffin"), before="\n\nunderneath\x1b[2J ", after="\x07 Coffin?\n\n"
)  # as with --context
NEAREST = events.Citation("gnuplot.pdf", 10, 44, 21, 3, "Original Software: Thomas Williams.", True)
COVERAGE = events.Coverage(212_340, 212_340, "recall", (events.Gap("scan.pdf", "no text layer", 12),))
STATE = events.StateInfo("3fa91c20be17", 212_000, 1 << 20)
MODEL = events.ModelInfo("qwen2.5-coder-0.5b", "windowed")
TIMING = events.Timing(1.5, 2.25, 0.125, 4.0, 8.0, 0.5)
READING = events.ReadingDone(COVERAGE, STATE, MODEL, TIMING, ("one page is a picture",))
PIECES = (
    "The sign bears ",
    "the name of Pe",
    "ter Coffin",
    ", in white letters on a swinging board.\x1b]0;owned\x07",
)


def failing() -> None:
    name = os.environ.get("MMX_TEST_FAIL", "")
    if error := getattr(errors, name, None):
        raise error(f"the {name} of a test: do nothing")
    if name == "full":
        raise OSError(errno.ENOSPC, "No space left on device", "/home/somebody/index")
    if name == "bug":
        raise LookupError("a thing that should be there")
    if name == "no room":
        raise type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to allocate 2.00 GiB.")
    if name == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    if name == "wait":
        sys.stderr.write("waiting\n")
        sys.stderr.flush()
        time.sleep(60)


def work() -> Iterator[events.Event]:
    yield events.Note("fetching the model, once")
    for done in (0, 100_000, 200_000, 212_340):
        yield events.Progress("read", done, 212_340, "tokens", "moby_dick.txt")
        time.sleep(float(os.environ.get("MMX_TEST_PAUSE", "0")))
    yield events.Note("one page is a picture", warning=True)
    failing()


def ask(
    sources: list[str],
    questions: list[str],
    settings: Any,
    stdin: Any = None,
    upto: Any = None,
    *,
    whole: bool = False,
) -> Iterator[events.Event]:
    record("ask", sources=sources, questions=questions, settings=settings, stdin=stdin, upto=upto, whole=whole)
    yield from work()
    yield READING
    for question in questions:
        found = "ghost" not in question
        text = "".join(PIECES) if found else "The text does not say."
        if found:
            yield events.Looking(CITATION)
            time.sleep(float(os.environ.get("MMX_TEST_PAUSE", "0")))
            yield from map(events.AnswerText, PIECES)
        yield events.Answer(
            question,
            text,
            found,
            (AROUND if settings.context else CITATION,) if found else (),
            COVERAGE,
            STATE,
            MODEL,
            TIMING,
            () if found else (NEAREST,),
            ("one page is a picture",),
            0.75 if found else 0.0,
        )
    if settings.strict:
        raise errors.InputError("scan.pdf, page 12 could not be read: no text layer")


def read(sources: list[str], settings: Any, stdin: Any = None, upto: Any = None) -> Iterator[events.Event]:
    record("read", sources=sources, settings=settings, stdin=stdin, upto=upto)
    yield from work()
    yield READING


def count(sources: list[str], settings: Any, stdin: Any = None) -> Iterator[events.Event]:
    record("count", sources=sources, settings=settings, stdin=stdin)
    one = events.Counted("moby_dick.txt", 212_340, 1_200_000)
    yield one
    gaps = tuple(events.Gap(f"scan-{number}.pdf", "no text layer") for number in range(7))
    cost = {"recall": 2.0, "full": 1249.0}
    yield events.CountDone((one,), gaps, 212_340, MODEL, cost, {"full": 2 << 30})


def summarize(
    sources: list[str], settings: Any, wanted: Any, stdin: Any = None, upto: Any = None
) -> Iterator[events.Event]:
    record("summarize", sources=sources, settings=settings, wanted=wanted, stdin=stdin, upto=upto)
    yield from work()
    told = events.Told("Peter Coffin keeps an inn. \x1b[2J", "extract", CITATION)
    chapter = events.PartSummary("CHAPTER 2.\x07", "moby_dick.txt", 1_500, (told, told))
    top = events.PartSummary("moby_dick.txt", "moby_dick.txt", 212_815, (told,), (chapter,))
    if absent := wanted.focus == "nothing":
        top = replace(top, told=(), parts=())
    yield events.SummaryDone(top, not absent, COVERAGE, STATE, MODEL, TIMING, wanted.focus)


CALLS: list[tuple[str, dict[str, Any]]] = []


def record(task: str, **given: Any) -> None:
    CALLS.append((task, given))


def install(setattr: Any = setattr) -> None:
    """Puts these tasks in place of the real ones."""
    for name, task in (("ask", ask), ("summarize", summarize), ("read", read), ("count", count)):
        module = ModuleType(f"mmxcli.tasks.{name}")
        setattr(module, name, task)
        setattr(mmxcli.tasks, name, module)


if __name__ == "__main__":
    install()
    sys.exit(main(sys.argv[1:]))
