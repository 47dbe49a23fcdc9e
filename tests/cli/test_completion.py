"""What a shell offers at the Tab key, and that it never gets anything else."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmxcli.cli.app import run
from mmxcli.cli.completion import FILES, offers
from mmxcli.models.checkpoint import MANIFEST
from mmxcli.models.registry import REGISTRY
from mmxcli.state.bookmark import Bookmark
from mmxcli.state.conversations import ConversationStore, StoredConversation, Turn
from mmxcli.state.files import private_folder
from mmxcli.state.maker import Maker
from mmxcli.state.record import StoredReading, write_record

IDENTIFIER = "3fa91c20be17"


def words(*typed: str) -> list[str]:
    return [word for word, _ in offers(typed)]


@pytest.fixture
def stored(tmp_path: Path) -> str:
    folder = private_folder(tmp_path / "home" / "readings" / IDENTIFIER)
    maker = Maker("0", 1, "w", "t")
    sources = ("a book\n.txt",)
    write_record(StoredReading(IDENTIFIER, folder, "t", maker, sources, "m", "recall", "full", 9, 9, 0, True, 1.0))
    return IDENTIFIER


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["ask", "--read", ""], ["auto", "full", "recall"]),
        (["ask", "--read", "f"], ["full"]),
        (["ask", "--read=f"], ["--read=full"]),  # as zsh and fish give it
        (["ask", "--read", "=", "f"], ["full"]),  # as bash does
        (["ask", "--read", "="], ["auto", "full", "recall"]),
        (["ask", "book.txt", "--quant", "n"], ["none", "nf4"]),
        (["ask", "--files"], ["--files-from"]),
        (["ask", "--upto", "ch"], ["chapter:"]),
        (["ask", "--window", ""], []),
        (["ask", ""], [FILES[0]]),
        (["ask", "--json", "book.txt", ""], [FILES[0]]),
        (["ask", "--", "--re"], [FILES[0]]),
        (["models", "show", "smol"], ["smollm2-135m", FILES[0]]),
        (["states", "ex"], ["export"]),
        (["states", "export", "3fa9", ""], [FILES[0]]),
        (["states", "export", "3fa9", "file", ""], []),
        (["help", "exit"], ["exit-codes"]),
        (["completion", "z"], ["zsh"]),
        (["follow", ""], []),
        (["follow", "Who?", ""], [FILES[0], "-"]),
        (["follow", "Who?", "-", ""], []),
        (["nosuch", ""], []),
        ([""], ["ask", "read", "count", "plan", "bench", "doctor", "states", "models", "help", "completion"]),
    ],
)
def test_what_is_offered(typed: list[str], offered: list[str]) -> None:
    found = words(*typed)
    if typed == [""]:  # whatever commands there are more
        assert set(offered) <= set(found) and "complete" not in found
    else:
        assert found == offered


def test_ids_come_with_their_sources_and_models_with_what_they_are(
    stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["complete", "--", "states", "rm", "3f"]) == 0
    assert capsys.readouterr().out == f"{stored}\ta book\\n.txt: 9 tokens, recall\n"
    assert words("ask", "-m", "")[:-1] == list(REGISTRY)


@pytest.fixture
def talks(tmp_path: Path) -> None:
    turn = Turn("Who?", "Nobody", True, "m")
    for name in ("été-1", "sea"):
        talk = StoredConversation(name, ("a book.txt",), "/", turns=(turn,))
        ConversationStore(tmp_path / "home").put(talk, talk)
    bookmark = Bookmark(tmp_path / "home", "syslog")
    with bookmark.held():
        bookmark.write({})


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["chat", "--export", ""], {"été-1", "sea"}),
        (["chat", "--rm", "s"], {"sea"}),
        (["chat", "-c", ""], {"été-1", "sea", FILES[0]}),
        (["chat", "--continue", "é"], {"été-1", FILES[0]}),
        (["chat", ""], {FILES[0]}),
        (["chat", "-m", "smol"], {"smollm2-135m", FILES[0]}),
        (["follow", "--resume", ""], {"syslog"}),
    ],
)
def test_names_of_conversations_and_checkpoints(talks: None, typed: list[str], offered: set[str]) -> None:
    assert set(words(*typed)) == offered


def test_nothing_heavy_is_imported(stored: str) -> None:
    script = (
        "import sys; from mmxcli.cli.app import run\n"
        "for typed in (['states', 'rm', ''], ['ask', '-m', ''], ['plan', ''], ['ask', '-']):\n"
        "    run(['complete', '--', *typed])\n"
        "print(*{'torch', 'transformers', 'numpy', 'numba', 'safetensors', 'tokenizers'} & set(sys.modules), 'end')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert stored in done.stdout and done.stdout.endswith("\nend\n")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with `mmx` in it, for the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "mmx").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mmxcli "$@"\n')
    (folder / "mmx").chmod(0o755)
    return folder


IN_SHELL = {
    "bash": 'eval "$(mmx completion bash)";'
    ' COMP_WORDS=(mmx {words}); COMP_CWORD={last}; _mmx mmx; echo "${{COMPREPLY[*]}}"',
    "fish": "mmx completion fish | source; complete -C {line}",
    "zsh": 'compdef() {{ }}; eval "$(mmx completion zsh)"; _describe() {{ print -l ${{(P)3}} }};'
    " compadd() {{ print $4 }}; _files() {{ }};"
    " words=(mmx {words}); CURRENT=$#words; PREFIX=$words[-1]; _mmx",
}


@pytest.mark.parametrize("shell", IN_SHELL)
def test_in_a_real_shell(
    shell: str, program: Path, stored: str, monkeypatch: pytest.MonkeyPatch, person: Path, tmp_path: Path
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    monkeypatch.setenv("PATH", str(program), prepend=":")

    def told(*typed: str) -> str:
        quoted = [shlex.quote(word) for word in typed]
        line = shlex.quote(" ".join(["mmx", *typed]))
        code = IN_SHELL[shell].format(words=" ".join(quoted), last=len(typed), line=line)
        flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
        done = subprocess.run([shell, *flags, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        assert done.stderr == ""
        return done.stdout

    assert stored in told("states", "show", "3")
    assert "recall" in told("ask", "--read", "re")
    assert told("ask", "--upto", "pa").strip() == "page:"
    for name in ("my model", "llama:8b"):
        folder = tmp_path / "weights" / name
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text(json.dumps({"name": name}))
    monkeypatch.setenv("MMX_WEIGHTS", str(tmp_path / "weights"))
    assert told("ask", "-m", "my").strip().startswith({"bash": r"my\ model"}.get(shell, "my model"))
    colon = ["llama", ":", "8"] if shell == "bash" else ["llama:8"]  # as it parts words
    assert told("ask", "-m", *colon).startswith({"bash": "8b\n", "zsh": "llama:8b:your own", "fish": "llama:8b"}[shell])
    (person / "mmx.toml").write_text("nonsense")
    assert told("states", "show", "3").strip() == ""  # and nothing on standard error


def test_a_shell_that_there_is_no_script_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "bash, zsh or fish" in capsys.readouterr().err
