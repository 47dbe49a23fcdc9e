"""mmx help: short pages that name only what there is."""

import json
import re
import shlex
from typing import Any

import pytest
import typer
from test_terminal import plain, terminal

from mmxcli.cli.app import EXIT_CODES, app, run
from mmxcli.cli.help import concepts, page
from mmxcli.config import SETTINGS, environment_name

OTHER_VARIABLES = {"MMX_PAGER"}


def flags_of(command: Any) -> set[str]:
    return {flag for option in command.params for flag in option.opts} | {"--help"}


def resolved(words: list[str]) -> Any:
    """The command that a line beginning with `mmx` names, and what stands after its name."""
    command: Any = typer.main.get_command(app)
    while words and isinstance(command, typer.core.TyperGroup):
        name, *words = words
        assert name in command.commands, name
        command = command.commands[name]
    return command, words


def every_flag(group: Any) -> set[str]:
    if isinstance(group, typer.core.TyperGroup):
        return set().union(*(every_flag(command) for command in group.commands.values()))
    return flags_of(group)


@pytest.mark.parametrize("concept", concepts())
def test_a_page_is_short_and_names_only_what_there_is(concept: str) -> None:
    text = page(concept)
    assert text.startswith(f"# {concept}: ") and text.count("\n") <= 60
    assert re.search(r"docs/[\w-]+\.md", text)
    spans = [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    ]
    lines = [line.strip() for line in re.findall(r"^    (.*)$", text, re.MULTILINE)]
    for code in (*spans, *lines):
        for part in re.split(r"[|;]", code.partition(" #")[0]):
            if re.search(r"\bmmx [a-z]", part):
                command, rest = resolved(shlex.split(part[part.index("mmx ") :])[1:])
                named = [word.partition("=")[0] for word in rest if re.match(r"--?\w", word)]
                assert set(named) <= flags_of(command), part
                if rest and part.startswith("mmx help"):
                    assert rest[0] in concepts(), part
            elif part.startswith("-") and len(part) > 1:
                assert part.split()[0] in every_flag(typer.main.get_command(app)), part
    for name in re.findall(r"\bMMX_\w+", text):
        assert name in {environment_name(setting) for setting in SETTINGS} | OTHER_VARIABLES
    for name in re.findall(r"^(\w+) = ", text, re.MULTILINE) + re.findall(r"`(\w+) = ", text):
        assert name in SETTINGS


def test_the_page_of_exit_codes_has_them_all() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) ", page("exit-codes"), re.MULTILINE)] == list(EXIT_CODES)


def test_the_list_and_a_page_through_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(concepts())
    assert run(["help", "states"]) == 0
    assert capsys.readouterr().out == page("states")
    assert run(["help", "states", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"concept": "states", "text": page("states")}
    assert run(["help", "count"]) == 0
    assert capsys.readouterr().out.startswith("Usage: mmx count")


def test_an_unknown_concept_is_one_line_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "quote"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "quotes" in captured.err


def test_a_terminal_gets_a_formatted_page_through_the_pager() -> None:
    lines = plain(terminal("help", "reading", columns=60, MMX_PAGER="sed 's/^/> /'", PAGER="false"))
    assert lines[0].startswith("> reading: full, recall and auto")
    assert max(len(line.rstrip()) for line in lines) <= 62
    assert all("`" not in line for line in lines)


@pytest.mark.parametrize("pager", ["", "there-is-no-such-pager", "true"])
def test_a_pager_that_is_not_there_or_does_not_read(pager: str) -> None:
    shown = "".join(plain(terminal("help", "states", columns=80, MMX_PAGER=pager)))
    assert ("mmx states list" in shown) == (pager != "true")


def test_a_dumb_terminal_gets_plain_text() -> None:
    assert "\x1b" not in terminal("help", "states", columns=80, TERM="dumb", PAGER="false")
