"""A command line that the warm process runs is told from one that runs by itself by its speed alone."""

import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

from mmxcli.warm import client
from mmxcli.warm.place import SOCKET, folder
from mmxcli.warm.server import _signals
from mmxcli.warm.surroundings import surroundings

SMALL = str(Path(__file__).with_name("small.py"))
CLIENT = (
    "import sys; from mmxcli.warm.client import served; sys.exit({None: 99}.get(code := served(sys.argv[1:]), code))"
)
COLD = 99  # what CLIENT ends in where there is nobody to serve it
GIB = 1 << 30

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with TemporaryDirectory(prefix="mmx-w-") as short:  # a socket's path must be
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        yield Path(short)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a warm process, and ends it with the test."""
    with ExitStack() as closing:

        def begin(seconds: float = 60, most_bytes: int = GIB, *, wait: bool = True) -> "subprocess.Popen[str]":
            process = subprocess.Popen([sys.executable, SMALL, str(seconds), str(most_bytes)], text=True)
            closing.callback(process.wait)
            closing.callback(process.kill)
            if wait:
                until(lambda: client.asked("status"))
            return process

        yield begin


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def command(*arguments: str, **more: Any) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    kinds = {"stdin": pipe, "stdout": pipe, "stderr": pipe, "text": True} | more
    return subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], **kinds)


def done(*arguments: str, input: str = "", **more: Any) -> tuple[int, str, str]:
    with command(*arguments, **more) as process:
        out, err = process.communicate(input, timeout=60)
    return process.returncode, out, err


def test_it_runs_as_the_command_itself_would(start: Start, tmp_path: Path) -> None:
    server = start()
    environment = os.environ | {"ONLY_HERE": "naïve \udcff"}
    old = os.umask(0o027)
    try:
        code, out, err = done("ask", "tell", "-q", "é", input="piped\n", cwd=tmp_path, env=environment)
    finally:
        os.umask(old)
    seen = json.loads(out)
    assert (code, err) == (0, "and beside it\n")
    assert seen.pop("process") not in (server.pid, os.getpid())
    assert seen == {
        "arguments": ["ask", "tell", "-q", "é"],
        "folder": str(tmp_path),
        "variable": "naïve \udcff",
        "names": ["ONLY_HERE"],
        "umask": 0o027,
        "input": "piped\n",
    }
    assert json.loads(done("ask", "tell")[1])["names"] == []  # nothing of one command is left for the next


def test_exit_codes_and_commands_that_it_does_not_run(start: Start) -> None:
    assert done("ask", "tell")[0] == COLD
    start()
    assert done("ask", "fail")[0] == 7
    for arguments in (["doctor"], [], ["--version"], ["ask", "tell", "--keep-warm", "off"]):
        assert done(*arguments)[0] == COLD
    assert done("ask", "tell", env=os.environ | {"MMX_KEEP_WARM": "off"})[0] == COLD
    assert done("ask", "tell", "--keep-warm=5m", env=os.environ | {"MMX_KEEP_WARM": "off"})[0] == 0


def test_several_at_once(start: Start) -> None:
    start()
    commands = [command("ask", "tell") for _ in range(6)]
    seen = [json.loads(one.communicate(str(number))[0]) for number, one in enumerate(commands)]
    assert [one["input"] for one in seen] == [str(number) for number in range(6)]
    assert len({one["process"] for one in seen}) == 6


def test_ctrl_c_and_other_signals_reach_it(start: Start) -> None:
    start()
    with command("ask", "sleep") as process:
        assert process.stdout and process.stdout.readline() == "asleep\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "woken\n"
    assert process.returncode == 130
    with command("ask", "sleep") as process:
        assert process.stdout and process.stdout.readline() == "asleep\n"
        process.terminate()
    assert process.returncode == -signal.SIGTERM


def test_what_is_ignored_stays_ignored(start: Start) -> None:
    start()
    with command("ask", "sleep", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:  # nohup
        assert process.stdout and process.stdout.readline() == "asleep\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "woken\n"


def test_ctrl_z_stops_both_and_both_go_on(start: Start) -> None:
    start()
    with command("ask", "sleep") as process:
        assert process.stdout and process.stdout.readline() == "asleep\n"
        (runner,) = at_work()
        process.send_signal(signal.SIGTSTP)
        until(lambda: state_of(process.pid) == state_of(runner) == "T")
        process.send_signal(signal.SIGCONT)
        until(lambda: state_of(runner) == "S")
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "woken\n"


def at_work() -> list[int]:
    """The processes that work for somebody: each has made itself a group of its own."""
    status = client.asked("status")
    assert status and status["working"] == 1
    return [copy.pid for copy in psutil.Process(status["process"]).children() if os.getpgid(copy.pid) == copy.pid]


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_what_works_for_a_command_ends_with_it(start: Start) -> None:
    start()
    with command("ask", "sleep") as process:
        assert process.stdout and process.stdout.readline() == "asleep\n"
        process.kill()
    until(lambda: client.asked("status")["working"] == 0)  # type: ignore[index]


def test_one_that_dies_at_work_is_told_and_the_next_is_served(start: Start) -> None:
    start()
    code, _, err = done("ask", "die")
    assert code == 1 and err.count("\n") == 1 and "run the command again" in err
    assert done("ask", "tell")[0] == 0


def test_a_waiting_copy_that_was_killed_is_replaced(start: Start) -> None:
    server = start()
    for copy in psutil.Process(server.pid).children():
        copy.kill()
    assert done("ask", "tell")[0] == 0


def test_one_that_was_killed_leaves_nothing_in_the_way(start: Start) -> None:
    server = start()
    with command("ask", "sleep") as working:
        assert working.stdout and working.stdout.readline() == "asleep\n"
        server.kill()
        server.wait()
        assert done("ask", "tell")[0] == COLD
        start()  # though a copy of the first still works
        assert done("ask", "tell")[0] == 0
        working.send_signal(signal.SIGINT)
        assert working.stdout.readline() == "woken\n"
    assert working.returncode == 130


def test_there_are_never_two(start: Start) -> None:
    racing = [start(wait=False) for _ in range(5)]
    until(lambda: client.asked("status"))
    until(lambda: sum(one.poll() is None for one in racing) == 1)
    assert sum(one.returncode == 0 for one in racing) == 4
    assert client.asked("status")["process"] == next(one.pid for one in racing if one.poll() is None)  # type: ignore[index]


def test_it_ends_when_nobody_comes_and_cleanly(start: Start, runtime: Path) -> None:
    server = start(1.0)
    for _ in range(3):
        time.sleep(0.6)
        assert done("ask", "tell")[0] == 0  # each puts it off
    with command("ask", "sleep") as process:
        time.sleep(1.5)
        assert server.poll() is None  # it is at work
        process.send_signal(signal.SIGINT)
    assert server.wait(20) == 0
    assert not (runtime / f"mmx-{os.getuid()}" / SOCKET).exists()
    for end in ("SIGTERM", "end"):
        server = start()
        if end == "end":
            assert client.asked("end") == {}
        else:
            server.terminate()
        assert server.wait(20) == 0
        assert not (runtime / f"mmx-{os.getuid()}" / SOCKET).exists()


def test_it_goes_on_for_as_long_as_the_last_command_said(start: Start) -> None:
    server = start(60)
    assert client.asked("stay", seconds=0.5) == {}
    assert server.wait(20) == 0


def test_one_that_takes_too_much_memory_ends(start: Start) -> None:
    server = start(60, 1 << 20)
    until(lambda: client.asked("status") is None)  # it looks whenever it is spoken to
    assert server.wait(20) == 1


@pytest.mark.parametrize(
    "changed",
    [{"OMP_NUM_THREADS": "7"}, {"LC_ALL": "C.UTF-8"}, {"PYTHONHASHSEED": "1"}],
    ids=min,
)
def test_other_conditions_start_cold(start: Start, changed: dict[str, str]) -> None:
    start()
    assert done("ask", "tell", env=os.environ | changed)[0] == COLD


def test_another_version_starts_cold(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    before = surroundings()
    monkeypatch.setattr("mmxcli.warm.surroundings.__version__", "9.9.9")
    assert surroundings() != before


def test_limits_are_kept(start: Start) -> None:
    start()
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert done("ask", "tell", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard)))[0] == COLD


def test_closed_streams_start_cold(start: Start) -> None:
    start()
    for stream in range(3):
        with command("ask", "tell", preexec_fn=partial(os.close, stream)) as process:
            process.communicate(timeout=60)
        assert process.returncode == COLD


def test_one_that_does_not_answer_is_not_waited_for(start: Start) -> None:
    server = start()
    server.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert done("ask", "tell")[0] == COLD
        assert time.monotonic() - begun < 20
    finally:
        server.send_signal(signal.SIGCONT)
    until(lambda: client.asked("status"))
    assert client.asked("status")["working"] == 0  # type: ignore[index]  # what was given up was not run
    assert done("ask", "tell")[0] == 0


def test_junk_does_not_hurt_it(start: Start, runtime: Path) -> None:
    server, dice = start(), random.Random(5)
    path = str(runtime / f"mmx-{os.getuid()}" / SOCKET)
    for size in (0, 1, 3, 4, 5, 40, 4000):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendall(dice.randbytes(size))
    for message in (
        {},
        {"do": 5},
        {"do": "run"},
        {"do": "stay"},
        {"do": "stay", "seconds": "x"},
        {"do": "run", "surroundings": surroundings()},
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            client.send(connection, message)
    assert done("ask", "tell")[0] == 0
    assert server.poll() is None


def test_nobody_else_gets_in(start: Start) -> None:
    start()
    place = folder()
    assert place is not None
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in place.iterdir())


def test_nothing_is_told_of_a_copy_that_ends_after_it() -> None:
    """No signal is written to where nobody reads any more: the log would take it for the reason of the end."""
    numbers = (signal.SIGUSR1, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        with _signals({signal.SIGUSR1}, lambda _number, _frame: None):
            pass
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
