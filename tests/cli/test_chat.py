"""mmx chat from the command line: a pipe, commands, what is stored, a person at a terminal."""

import errno
import fcntl
import io
import json
import os
import pty
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import make_model

from mmxcli.cli.app import run
from mmxcli.config import Settings
from mmxcli.models.weights import locate
from mmxcli.state.conversations import ConversationStore
from mmxcli.tasks.chat import completions

BOOK = (
    "The lighthouse of Port Halvard was built by Ingrid Solheim.\n\nShe was born in Bergen, and her dog is Skipper.\n"
)
WHO, WHERE = "Who built the lighthouse of Port Halvard?", "Where was she born?"
Talk = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mmx(person: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Talk:
    """Runs a command line in this process with the tiny model, and what is piped in."""
    monkeypatch.setenv("MMX_MODEL", str(tiny_folder))
    monkeypatch.setenv("MMX_MAX_TOKENS", "3")
    monkeypatch.setenv("MMX_READ", "recall")
    (person / "book.txt").write_text(BOOK)

    def talk(*arguments: str, typed: str | bytes = "") -> tuple[int, str, str]:
        data = typed.encode() if isinstance(typed, str) else typed
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = run(["chat", *arguments])
        return (code, *capsys.readouterr())

    return talk


def stored(mmx: Talk) -> list[dict[str, object]]:
    return [json.loads(line) for line in mmx("--list", "--json")[1].splitlines()]


def test_one_line_an_answer(mmx: Talk) -> None:
    code, out, err = mmx("book.txt", typed=f"{WHO}\n\n  \n{WHERE}\nWhich spice does a Goan fish curry need?\n")
    assert code == 0, err
    assert out.count("\n") == 3
    assert "\x1b" not in out + err
    assert "does not seem to say" in out.splitlines()[2]


def test_quotes_come_on_demand_and_as_json(mmx: Talk) -> None:
    code, out, _ = mmx("book.txt", typed=f"{WHO}\n/sources\n")
    assert code == 0
    assert "[1] book.txt:1: The lighthouse of Port Halvard was built by Ingrid Solheim." in out.splitlines()[1:]
    _, out, _ = mmx("book.txt", "--json", typed=f"{WHO}\n/sources\n")
    answer, sources = map(json.loads, out.splitlines())
    assert answer["question"] == WHO
    assert [one["quote"] for one in answer["citations"]] == [one["quote"] for one in sources["citations"]]


@pytest.mark.parametrize(
    ("typed", "words", "expected"),
    [
        ("/nosuch\n", "/help", 2),
        ("/sources\n", "nothing was asked yet", 2),
        ("/save ../up\n", "cannot be called", 2),
        ("/load nosuch\n", "mmx chat --list", 2),
        ("/upto page:x\n", "page:120", 2),
        ("/upto page:4\n", "no pages", 2),
        ("/model nosuch-model\n", "nosuch-model", 2),
        ("/save\n", "/save NAME", 2),
        ("/load\n", "/load NAME", 2),
        ("/export\n", "/export FILE", 2),
        ("/export /dev/full\n", "there already", 2),
        ("/export book.txt\n", "there already", 2),
        ("x" * 20_000 + "\n", "20,000 characters", 2),
    ],
)
def test_what_cannot_be_done_is_one_line_and_the_chat_goes_on(mmx: Talk, typed: str, words: str, expected: int) -> None:
    code, out, err = mmx("book.txt", "--quiet", typed=f"{typed}{WHO}\n")
    assert (code, out.count("\n"), err.count("\n")) == (expected, 1, 1)
    assert words in err


def test_a_conversation_is_stored_continued_saved_and_exported(mmx: Talk, person: Path, tmp_path: Path) -> None:
    assert mmx("book.txt", typed=f"{WHO}\n")[0] == 0
    (name,) = [one["name"] for one in stored(mmx)]
    assert mmx("book.txt", "-c", typed=f"{WHERE}\n/save lighthouse\n")[0] == 0
    (one,) = stored(mmx)
    assert one["name"] == "lighthouse" != name
    assert [turn["question"] for turn in one["turns"]] == [WHO, WHERE]  # type: ignore[attr-defined]
    code, _, err = mmx("-c", "lighthouse", typed="/sources\n/export talk.md\n/quit\nWho?\n")
    assert code == 0, err
    assert "not as they were" not in err
    text = (person / "talk.md").read_text()
    assert text == mmx("--export", "lighthouse")[1]
    assert f"## {WHO}" in text and "> book.txt:1" in text
    assert stat.S_IMODE((person / "talk.md").stat().st_mode) == 0o600
    (person / "book.txt").write_text(BOOK + "More.\n")
    assert "not as they were" in mmx("-c", typed="/sources\n")[2]
    assert mmx("--rm", "lighthouse")[0] == 0
    assert stored(mmx) == []
    code, _, err = mmx("book.txt", "-c")
    assert (code, err.count("\n")) == (2, 1)


def test_a_damaged_conversation_is_told_and_the_chat_goes_on(mmx: Talk, tmp_path: Path) -> None:
    mmx("book.txt", typed=f"{WHO}\n/save one\n")
    path = tmp_path / "home" / "conversations" / "one.json"
    path.write_bytes(path.read_bytes().replace(b"Solheim", b"Somebody"))
    code, out, err = mmx("book.txt", "--quiet", typed=f"/load one\n{WHO}\n")
    assert (code, out.count("\n"), err.count("\n")) == (5, 1, 1)
    assert "mmx chat --rm one" in err
    assert "is damaged" in mmx("--list")[1]


def test_two_chats_at_once_lose_nothing(mmx: Talk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mmx("book.txt", typed=f"{WHO}\n")
    monkeypatch.setattr(ConversationStore, "new_name", lambda store, source: stored_name)
    stored_name = str(stored(mmx)[0]["name"])  # as if the other had begun after this one, and answered before it
    code, _, err = mmx("book.txt", "--quiet", typed=f"{WHERE}\n{WHO}\n")
    assert (code, err) == (0, "")
    assert [len(one["turns"]) for one in stored(mmx)] == [2, 1]  # type: ignore[arg-type]


def test_a_conversation_over_a_text_that_is_gone(mmx: Talk, person: Path) -> None:
    mmx("book.txt", typed=f"{WHO}\n")
    (person / "book.txt").unlink()
    for arguments in (["-c"], ["book.txt", "-c"]):
        code, out, err = mmx(*arguments, typed=WHO)
        assert (code, out, err.count("\n")) == (3, "", 1)
        assert "book.txt" in err
    for word in ("nosuch", "x" * 300):
        code, out, err = mmx("-c", word, typed=WHO)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "mmx chat --list" in err


def test_spaces_of_all_widths_stay_spaces(mmx: Talk) -> None:
    _, out, _ = mmx("book.txt", "--json", typed="Who\u00a0built the\u3000lighthouse\x07 of Port Halvard\u202f?\n")
    assert json.loads(out)["question"] == "Who\u00a0built the\u3000lighthouse of Port Halvard\u202f?"


def test_a_disk_that_is_full_ends_no_chat(mmx: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "talk.md")

    monkeypatch.setattr("mmxcli.render.output._write", full)
    monkeypatch.setattr(ConversationStore, "put", full)
    code, out, err = mmx("book.txt", "--quiet", typed=f"{WHO}\n/save one\n/export talk.md\n{WHERE}\n")
    assert (code, out.count("\n"), err.count("\n")) == (1, 2, 2)
    assert err.count("No space left") == 2


def test_questions_that_cannot_be_read_are_told_before_the_text_is(mmx: Talk) -> None:
    code, out, err = mmx("book.txt", "--questions", "nosuch.txt")
    assert (code, out) == (2, "")
    assert err == "mmx: nosuch.txt cannot be read: No such file or directory\n"


def test_what_tab_offers(mmx: Talk, settings: Settings, tmp_path: Path) -> None:
    mmx("book.txt", typed=f"{WHO}\n/save lighthouse\n")
    here = replace(settings, home=tmp_path / "home")
    assert completions(here, "/lo") == ["/load"]
    assert completions(here, "/load ") == ["/load lighthouse"]
    assert completions(here, "/load x") == completions(here, "What") == completions(here, "/quit ") == []
    assert "/model smollm2-135m" in completions(here, "/model s")


def test_no_cache_stores_nothing(mmx: Talk, tmp_path: Path) -> None:
    code, _, err = mmx("book.txt", "--no-cache", typed=f"{WHO}\n/save name\n")
    assert code == 2 and "--no-cache" in err
    assert not (tmp_path / "home" / "conversations").exists()
    assert not (tmp_path / "home" / "chat-history").exists()


def test_what_comes_after_a_place_is_not_told(mmx: Talk) -> None:
    code, out, err = mmx(
        "book.txt", typed="/upto line:1\nWhat is the dog Skipper?\n/upto end\nWhat is the dog Skipper?\n"
    )
    assert code == 0, err
    before, after = out.splitlines()
    assert "does not seem to say" in before and "does not seem to say" not in after
    assert "Skipper" not in before


def test_a_conversation_goes_on_as_of_another_place(mmx: Talk) -> None:
    dog = "What is the dog Skipper?\n"
    mmx("book.txt", "--upto", "line:1", typed=dog)
    for arguments, found, place in ((["-c"], False, "line:1"), (["-c", "--upto", "end"], True, None)):
        code, out, err = mmx(*arguments, typed=dog)
        assert code == 0 and "not as they were" not in err
        assert ("does not seem to say" not in out) == found
        assert stored(mmx)[0]["upto"] == place


def test_a_model_takes_over(mmx: Talk, tmp_path: Path) -> None:
    make_model(tmp_path / "other", "qwen2")
    code, out, err = mmx("book.txt", typed=f"{WHO}\n/model {tmp_path / 'other'}\n{WHERE}\n")
    assert (code, out.count("\n")) == (0, 2), err
    (one,) = stored(mmx)
    assert len({turn["model"] for turn in one["turns"]}) == 2  # type: ignore[attr-defined]


def test_standard_input_is_the_text_or_the_questions(mmx: Talk, person: Path) -> None:
    code, out, err = mmx("-", typed=BOOK)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--questions FILE" in err
    (person / "asked").write_text(f"{WHO}\n/upto line:1\n{WHO}\n")
    code, out, err = mmx("-", "--questions", "asked", typed=BOOK)
    assert (code, out.count("\n")) == (0, 2), err


def test_bytes_that_are_no_text_and_a_line_without_end(mmx: Talk) -> None:
    code, out, err = mmx("book.txt", "--quiet", typed=b"\xff\xfe \x00\x1b[2J" + WHO.encode() + b"\n" + b"x" * (3 << 20))
    assert code == 2
    assert (out.count("\n"), err.count("\n")) == (1, 1)
    assert "\x1b" not in out + err


def test_a_source_that_cannot_be_read(mmx: Talk) -> None:
    for arguments, expected in ((["none.txt"], 3), ([], 2)):
        code, out, err = mmx(*arguments, "--quiet", typed=WHO)
        assert (code, out, err.count("\n")) == (expected, "", 1)


def test_help_loads_no_prompt() -> None:
    script = (
        "import sys; from mmxcli.cli.app import run; code = run(['chat', '--help']);"
        "print(sorted({'prompt_toolkit', 'torch', 'rich'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


# ---- a person at a terminal ----


PROMPT = "\x1b[?2004h"  # what is pasted comes marked from now on: somebody reads


class Terminal:
    """mmx chat in a pseudo-terminal. `seen` is what it has written."""

    def __init__(self, process: int, screen: int) -> None:
        self.process, self.screen, self.seen = process, screen, ""

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def until(self, words: str) -> str:
        """Reads on until these words have come; what came before them."""
        deadline = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.screen], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:
                    raise AssertionError(self.seen) from None
        before, _, self.seen = self.seen.partition(words)
        return before

    def code(self) -> int:
        while True:
            try:
                if not os.read(self.screen, 65536):
                    break
            except OSError:  # how Linux says that the other side has ended
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@pytest.fixture
def terminal(person: Path, tiny_folder: Path) -> Iterator[Callable[..., "Terminal"]]:
    (person / "book.txt").write_text(BOOK)
    opened: list[Terminal] = []

    def begin(columns: int = 80, code: str = "") -> Terminal:
        process, screen = pty.fork()
        if process == 0:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may be deaf to it
            settings = {
                "MMX_MODEL": str(tiny_folder),
                "MMX_MAX_TOKENS": "3",
                "MMX_READ": "recall",
                "OMP_NUM_THREADS": "1",
            }
            script = f"{code}\nimport sys; from mmxcli.cli.app import main; sys.exit(main(['chat', 'book.txt']))"
            environment = {**os.environ, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", **settings}
            os.execve(sys.executable, [sys.executable, "-c", script], environment)
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        opened.append(Terminal(process, screen))
        return opened[-1]

    yield begin
    for one in opened:
        try:
            os.kill(one.process, signal.SIGKILL)
            os.waitpid(one.process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(one.screen)


SLOW = """
import time, mmxcli.tasks.chat as chat
real = chat.answers
def slow(session, reading, questions, *more, **named):
    if "slow" in questions[0]:
        print("AT WORK", flush=True)
        time.sleep(60)
    yield from real(session, reading, questions, *more, **named)
chat.answers = slow
"""


@pytest.mark.parametrize("columns", [20, 80])
def test_a_person_asks_interrupts_and_ends(terminal: Callable[..., Terminal], columns: int, tmp_path: Path) -> None:
    screen = terminal(columns, SLOW)
    screen.until(PROMPT)
    screen.type("half a line\x03")  # Ctrl-C at the prompt begins anew
    screen.until(PROMPT)
    screen.type("a slow one, please\r")
    screen.until("AT WORK")
    screen.type("\x03")
    time.sleep(0.05)
    screen.type("\x03\x03")  # the same, by a nervous hand
    screen.until("stopped")
    screen.until(PROMPT)
    screen.type("/loa\t")
    time.sleep(2)
    screen.type(" x\r")
    screen.until("called x")
    os.write(screen.screen, b"not text: \xff\xfe\r")
    screen.until("seem to say")
    screen.type("/nosuch\r")
    screen.until("/help")
    screen.type(f"{WHO}\r")
    screen.until("Solheim")
    screen.until(PROMPT)
    screen.type("\x04")
    assert screen.code() == 0
    assert stat.S_IMODE((tmp_path / "home" / "chat-history").stat().st_mode) == 0o600
    (kept,) = (tmp_path / "home" / "conversations").iterdir()
    assert [turn["question"] for turn in json.loads(kept.read_text())["turns"]] == ["not text:", WHO]


BUSY = """
import time, prompt_toolkit.history as history
def load(self):
    print("AT WORK", flush=True)
    time.sleep(1)
    return []
history.FileHistory.load_history_strings = load
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["it waits", "a task of the prompt runs"])
def test_a_signal_leaves_the_terminal_as_it_was(
    terminal: Callable[..., Terminal], number: signal.Signals, moment: str
) -> None:
    screen = terminal(code="" if moment == "it waits" else BUSY)
    before = termios.tcgetattr(screen.screen)[3]
    screen.until(PROMPT)
    if moment != "it waits":
        screen.until("AT WORK")
    os.kill(screen.process, number)
    after = termios.tcgetattr(screen.screen)[3]
    deadline = time.monotonic() + 10
    while after != before and time.monotonic() < deadline:
        time.sleep(0.05)
        after = termios.tcgetattr(screen.screen)[3]
    assert after == before
    assert screen.code() == 128 + number


# ---- with real weights ----


@pytest.mark.weights
def test_a_pipe_with_a_real_model(person: Path, weights_folder: Path) -> None:
    locate("smollm2-135m", weights_folder)
    (person / "book.txt").write_text(BOOK)
    command = [sys.executable, "-m", "mmxcli", "chat", "book.txt", "-m", "smollm2-135m"]
    environment = os.environ | {"MMX_WEIGHTS": str(weights_folder)}
    typed = f"{WHO}\n{WHERE}\n".encode()
    done = subprocess.run(command, input=typed, env=environment, capture_output=True, check=True, timeout=600)
    first, second = done.stdout.decode().splitlines()
    assert "Ingrid Solheim" in first
    assert "Bergen" in second
