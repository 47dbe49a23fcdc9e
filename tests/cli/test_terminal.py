"""What a person sees: mmx in a pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
import unicodedata

import pytest
from canned import CANNED

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def terminal(*arguments: str, columns: int, **environment: str) -> str:
    """Everything that mmx writes to a terminal of that width, its control sequences included."""
    ready, go = os.pipe()
    process, screen = pty.fork()
    if process == 0:
        os.read(ready, 1)  # until the terminal has its width
        # Not execv: pytest's readline puts COLUMNS where os.environ does not show it.
        environment = {**os.environ, "TERM": "xterm-256color", **environment}
        os.execve(sys.executable, [sys.executable, CANNED, *arguments], environment)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.write(go, b"x")
    written, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and select.select([screen], [], [], 60)[0]:
        try:
            piece = os.read(screen, 65536)
        except OSError:  # how Linux says that the other side has ended
            break
        if not piece:
            break
        written += piece
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    for descriptor in (ready, go, screen):
        os.close(descriptor)
    return written.decode()


def plain(written: str) -> list[str]:
    """The lines as they stay: without what was on one that was cleared, the same or the one above."""
    written = re.sub(r"[^\n]*\n(?:\x1b\[\?25h)?\r\x1b\[1A\x1b\[2K|[^\n]*\x1b\[2K", "", written)
    return SEQUENCE.sub("", written).replace("\r\n", "\n").split("\n")


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("columns", [40, 80])
def test_answers_and_citations_fit_the_width(columns: int) -> None:
    lines = plain(terminal("ask", "moby_dick.txt", "-q", "Who?", "-q", "A ghost?", columns=columns))
    assert max(map(width, lines)) <= columns
    assert "  moby_dick.txt:1423" in [line.rstrip() for line in lines]
    if columns == 40:
        at = lines.index("The sign bears the name of Peter Coffin,")
        assert lines[at + 1] == "in white letters on a swinging"


def test_documents_and_models_cannot_steer_the_terminal() -> None:
    written = terminal("ask", "moby_dick.txt", "Who?", columns=80)
    assert "\x1b]" not in written and "\x07" not in written and "\x1b[2J" not in written
    assert r"\x1b]0;owned\x07" in written


def test_quotes_with_what_stands_around_them() -> None:
    written = terminal("ask", "moby_dick.txt", "Who?", "--context", "1", columns=80)
    assert "\x1b[2J" not in written and "\x07" not in written
    lines = [line.rstrip() for line in plain(written)]
    at = lines.index("  moby_dick.txt:1423")
    assert lines[at + 1 : at + 3] == [
        r"    underneath\x1b[2J “The Spouter Inn:—Peter",
        r"    Coffin.” \x1b[2J\x07 Coffin?",
    ]
    assert written.count("\x1b[1;3mPeter\x1b[0m") == 1 and written.count("\x1b[1;3mCoffin\x1b[0m") == 1


def test_progress_moves_and_is_gone_in_the_end() -> None:
    written = terminal("ask", "moby_dick.txt", "Who?", columns=80, MMX_TEST_PAUSE="0.4")
    assert "200,000 of 212,340 tokens" in written and " left" in written and "memory" in written
    assert "\x1b[2K" in written  # the line is cleared
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0  # the cursor was hidden, and is back


def test_where_the_model_looks_is_shown_until_there_is_an_answer() -> None:
    looking = "looking at moby_dick.txt:1423: “The Spouter Inn:—Peter Coffin.” "
    written = terminal("ask", "moby_dick.txt", "Who?", columns=100)
    assert looking + r"\x1b[2J" in written and "\x1b[2J" not in written
    assert written.index(looking) < written.rindex("\x1b[2K") < written.index("The sign bears")
    assert "looking" not in "".join(plain(written))
    assert "looking" not in terminal("ask", "moby_dick.txt", "Who?", "--quiet", columns=100)


def test_no_color() -> None:
    def colours(written: str) -> list[str]:
        return re.findall(r"\x1b\[[0-9;]*m", written)

    assert colours(terminal("ask", "moby_dick.txt", "Who?", columns=80))
    assert not colours(terminal("ask", "moby_dick.txt", "Who?", columns=80, NO_COLOR="1", MMX_TEST_PAUSE="0.2"))


def test_a_dumb_terminal_gets_no_animation() -> None:
    written = terminal("ask", "moby_dick.txt", "Who?", columns=80, TERM="dumb", MMX_TEST_PAUSE="0.2")
    assert "\x1b" not in written
    assert "read: 212,340 tokens in" in written


def test_quiet_shows_the_answer_alone() -> None:
    lines = plain(terminal("ask", "moby_dick.txt", "Who?", "--quiet", columns=120))
    assert lines == [
        r"The sign bears the name of Peter Coffin, in white letters on a swinging board.\x1b]0;owned\x07",
        "",
    ]


def test_typing_the_text_is_announced() -> None:
    """Standard input that is a terminal waits for the person; here its end comes at once."""
    assert "end it with Ctrl-D" in terminal("ask", "-", "Who?", columns=80)
