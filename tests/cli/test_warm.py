"""`--keep-warm`: the next command answers the same, from a process that has loaded the model already."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tiny import make_model

from mmxcli.warm.client import asked

CODE = """
import sys
from mmxcli.__main__ import main
try:
    main()
finally:
    print(*sorted(name for name in ("torch", "numba") if name in sys.modules), file=sys.stderr)
"""
REHEARSED = """
import sys
from mmxcli.cli import app
from mmxcli.cli.warm import rehearse
rehearse(sys.argv[1])
before = set(sys.modules)
code = app.main(sys.argv[2:])
packages = ("typer", "pydantic", "rich")
print(code, *sorted(name for name in set(sys.modules) - before if name.split(".")[0] in packages), file=sys.stderr)
"""
QUESTION = "In which room is item 123 kept?"
Mmx = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mmx(person: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mmx]:
    """Runs mmx; the exit code, what it printed, and at the end of the rest which of torch and numba it has loaded."""
    (person / "rooms.txt").write_text("".join(f"Item {n} is kept in room {n * 7} of the house.\n" for n in range(300)))
    monkeypatch.setenv("MMX_MODEL", str(tiny_folder))
    monkeypatch.setenv("MMX_MAX_TOKENS", "3")

    def run(*arguments: str, input: str = "") -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            check=False,
            input=input,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout, done.stderr

    with TemporaryDirectory(prefix="mmx-w-") as short:  # a socket's path must be
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        yield run
        asked("end")


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def test_the_next_command_answers_the_same(mmx: Mmx, person: Path) -> None:
    ask = ("ask", "rooms.txt", QUESTION, "--read", "recall", "--quiet")
    cold = mmx(*ask, "--keep-warm", "90s")
    assert cold[0] == 0 and "Item 123" in cold[1] and "numba" in cold[2]
    process = until(lambda: asked("status"))["process"]
    assert mmx(*ask) == (0, cold[1], "\n")
    assert mmx(*ask, "--keep-warm", "90s") == (0, cold[1], "\n")  # which leaves the same
    assert asked("status")["process"] == process  # type: ignore[index]
    assert mmx("ask", "nowhere.txt", QUESTION)[0] == 3
    piped = mmx("ask", "-", QUESTION, "--read", "recall", "--quiet", input=(person / "rooms.txt").read_text())
    assert piped[0] == 0 and "Item 123" in piped[1] and piped[2] == "\n"
    answers = [json.loads(mmx(*ask, "--json", *more)[1]) for more in ((), ("--keep-warm", "off"))]
    for answer in answers:
        del answer["timing"]
    assert answers[0] == answers[1]
    code, shown, _ = mmx("doctor")
    assert code == 0 and f"process {process} holds" in " ".join(shown.split())


def test_what_commands_import_is_there_before_they_come(mmx: Mmx, tiny_folder: Path) -> None:
    """So that none of them waits for it; and nothing is told of how it came there."""
    ask = ("ask", "rooms.txt", QUESTION, "--read", "recall", "--quiet")
    command = [sys.executable, "-c", REHEARSED, str(tiny_folder), *ask]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=True)
    assert "Item 123" in done.stdout and done.stderr == "0\n"


def test_a_text_read_in_full_is_gone_on_from(mmx: Mmx) -> None:
    ask = ("ask", "rooms.txt", QUESTION, "--read", "full", "--window", "64", "--quiet")
    cold = mmx(*ask, "--keep-warm", "90s")
    assert cold[0] == 0 and "torch" in cold[2]
    assert until(lambda: asked("status"))["held"]["whole"]
    assert mmx(*ask) == (0, cold[1], "\n")


def test_one_that_holds_another_model_is_replaced(mmx: Mmx, tmp_path: Path) -> None:
    other = make_model(tmp_path / "other")
    ask = ("ask", "rooms.txt", QUESTION, "--read", "recall", "--quiet", "--keep-warm", "90s")
    assert mmx(*ask)[0] == 0
    first = until(lambda: asked("status"))
    assert mmx(*ask, "-m", str(other))[0] == 0  # served, with what it loads itself
    second = until(lambda: (now := asked("status")) and now["process"] != first["process"] and now)
    assert second["held"]["model"] == str(other)


def test_what_it_has_loaded_is_not_kept_when_the_model_changes(mmx: Mmx, tmp_path: Path) -> None:
    folder = make_model(tmp_path / "changing")
    ask = ("ask", "rooms.txt", QUESTION, "--read", "recall", "--quiet", "-m", str(folder))
    assert mmx(*ask, "--keep-warm", "90s")[0] == 0
    until(lambda: asked("status"))
    (folder / "tokenizer.json").write_text("{")
    assert mmx(*ask)[0] == 5


def test_where_none_can_be_it_says_so_and_answers(mmx: Mmx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / f"mmx-{os.getuid()}").mkdir(mode=0o755)
    (tmp_path / "open" / f"mmx-{os.getuid()}").chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "open"))
    code, out, err = mmx("ask", "rooms.txt", QUESTION, "--read", "recall", "--keep-warm", "90s")
    assert code == 0 and "Item 123" in out and "no private folder" in err
